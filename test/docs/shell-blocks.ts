// Checks commands of the documentation without running them: pushbench's by its own command line, npm's by
// package.json, and whether the files of ours are there that others are given.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { openScenario } from '../../api/scenarios.ts';
import { createProgram } from '../../cli/program.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { isFormat } from '../../reports/export/formats.ts';

const { version, scripts, workspaces } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  version: string;
  scripts: Record<string, string>;
  workspaces: string[];
};
const tarballs = [`pushbench-${version}.tgz`, `pushbench-receiver-${version}.tgz`];
const packages = workspaces.map(
  (folder) => (JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as { name: string }).name,
);
/** Other people's programs: what they take is not ours to check. */
const others = ['cd', 'curl', 'docker', 'git', 'jq', 'mkdir'];

/** The commands of a text, each as its words: as a shell takes them, as far as these pages need it. */
export function commandsOf(text: string): string[][] {
  return text
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .flatMap((line) => {
      const commands: string[][] = [[]];
      for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)) {
        if (word.startsWith('#')) break;
        if (/^(?:\|\|?|&&|;)$/.test(word)) commands.push([]);
        else commands.at(-1)!.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
      }
      return commands.filter((words) => words.length > 0);
    });
}

/**
 * @param titles the files that blocks of the same page are
 * @throws an error where a command does not exist, or does not take what it is given
 */
export async function checkShell(text: string, titles: readonly string[]): Promise<void> {
  for (const words of commandsOf(text)) {
    const from = words.findIndex((word) => !/^[A-Z_]+=/.test(word));
    if (from >= 0) await checkCommand(words.slice(from), titles);
  }
}

async function checkCommand([program = '', ...args]: readonly string[], titles: readonly string[]) {
  switch (program) {
    case 'pushbench':
      return checkPushbench(args);
    case 'npx':
      assert.equal(args[0], 'pushbench', 'npx runs what is installed');
      return checkPushbench(args.slice(1));
    case 'npm':
      return checkNpm(args.filter((arg) => arg !== '-s' && arg !== '--silent'));
    case 'node': {
      const file = args.find((arg) => /\.[cm]?[jt]s$/.test(arg));
      assert.ok(file === undefined || titles.includes(file) || existsSync(file), `there is no file ${file}`);
      return;
    }
    default:
      assert.ok(
        others.includes(program),
        `"${program}" is no program that these pages use; if the block only illustrates, mark it`,
      );
  }
}

async function checkNpm([command = '', ...args]: readonly string[]): Promise<void> {
  const given = args.filter((arg) => !arg.startsWith('-'));
  switch (command) {
    case 'start':
      if (args.length === 0) return;
      assert.equal(args[0], '--', 'what npm start passes on stands behind --');
      return checkPushbench(args.slice(1));
    case 'run':
      assert.ok(Object.hasOwn(scripts, given[0] ?? ''), `package.json has no script ${given[0]}`);
      return;
    case 'pack':
      for (const name of given) assert.ok(packages.includes(name), `there is no package ${name}`);
      return;
    case 'install':
      for (const name of given) {
        assert.doesNotMatch(name, /^@?pushbench(?:$|[@/])/, 'the npm registry does not have it');
        if (name.endsWith('.tgz')) assert.ok(tarballs.includes(basename(name)), `npm pack makes no ${name}`);
      }
      return;
    default:
      assert.ok(['ci', 'init', 'test'].includes(command), `npm ${command} is not checked here`);
  }
}

/** The command line with nothing behind it: it says what is wrong, and what it would have run. */
function silentProgram(ran: Command[]): Command {
  const quiet = (command: Command) => {
    command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
    if (command.commands.length === 0) {
      // The last argument of an action is its command.
      command.action((...given: unknown[]) => void ran.push(given.at(-1) as Command));
    }
    command.commands.forEach(quiet);
    return command;
  };
  return quiet(createProgram());
}

type Options = { set?: string[]; scenario?: string; format?: string; for?: string };

/** @throws an error where the command line refuses the arguments, or they name nothing that is shipped */
export async function checkPushbench(args: readonly string[]): Promise<void> {
  if (args.includes('[options]')) return checkUsage([...args]);
  const ran: Command[] = [];
  await silentProgram(ran).parseAsync(args, { from: 'user' });
  const [command] = ran;
  assert.ok(command, 'it runs nothing');
  const { set = [], scenario, format, for: lasts } = command.opts<Options>();
  const simulated = command.name() === 'simulate';
  const overrides = simulated && lasts !== undefined ? [...set, `phases.measure=${lasts}`] : set;
  for (const name of scenariosOf(command, scenario))
    if (!/\/|\.ya?ml$/.test(name)) openScenario(name, overrides, { simulated });
  const [first = ''] = command.args;
  if (command.name() === 'serve') assert.ok(Object.hasOwn(patterns, first), `there is no pattern ${first}`);
  if (command.name() === 'report') assert.ok(isFormat(format!), `there is no format ${format}`);
  for (const file of args.filter((arg) => /^(?:docs|prices|profiles|scenarios|targets)\/[\w./-]+$/.test(arg)))
    assert.ok(existsSync(file), `there is no file ${file}`);
}

function scenariosOf(command: Command, scenario: string | undefined): readonly string[] {
  switch (command.name()) {
    case 'run':
    case 'simulate':
    case 'validate':
      return command.args.length === 0 ? ['compare'] : command.args;
    default:
      return scenario === undefined ? [] : [scenario];
  }
}

/** The command that the words begin with, and with them its subcommand; takes its names off the words. */
function commandAt(words: string[]): Command {
  let command = createProgram();
  for (let next; (next = command.commands.find((one) => one.name() === words[0])); words.shift())
    command = next;
  assert.ok(command.parent, `there is no command "${words[0]}"`);
  return command;
}

/** What a command takes, as its help says it: `run [options] [scenario]`. */
function checkUsage(words: string[]): void {
  const command = commandAt(words);
  assert.equal(words.join(' '), command.usage());
}

/** A command in a sentence, which may leave arguments out. @throws an error where it or an option is none */
export function checkMention(text: string): void {
  const [words = []] = commandsOf(text);
  const command = commandAt(words);
  const end = words.indexOf('--');
  for (const option of (end < 0 ? words : words.slice(0, end)).filter((word) => /^--./.test(word)))
    assert.ok(
      command.options.some(({ long }) => long === option),
      `${command.name()} has no option ${option}`,
    );
}
