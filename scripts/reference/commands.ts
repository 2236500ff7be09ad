// Writes the reference page of the command line: every command with its arguments and options, as commander
// has them.

import type { Argument, Command, Option } from 'commander';
import { commandsOf } from '../../cli/exit-table.ts';
import { createProgram } from '../../cli/program.ts';
import { loopback } from '../../core/base/loopback.ts';
import { code, contents, fenced, page, sentence, slugOf, table } from './markdown.ts';

/** The page `commands.md`. */
export function commandsPage(): string {
  const commands = commandsOf(createProgram());
  return page('Commands', [
    'Every command of `pushbench` with its arguments and options, as `pushbench COMMAND --help` prints ' +
      'them. In a checkout use `npm start -- COMMAND` instead. [Exit codes](exit-codes.md) have a page of ' +
      'their own.',
    contents(commands.map(([words]) => words)),
    table(
      ['command', 'what it does'],
      commands.map(([words, command]) => [
        `[${code(words)}](#${slugOf(words)})`,
        linked(command.description()),
      ]),
    ),
    'Every command has `-h, --help` too, and `pushbench --version` prints the version. Without a command ' +
      '`pushbench` runs `run`.',
    ...commands.flatMap(([words, command]) => partsOf(words, command)),
  ]);
}

function partsOf(words: string, command: Command): string[] {
  const { registeredArguments: args, options } = command;
  const written = [
    'pushbench',
    words,
    ...(options.length > 0 ? ['[options]'] : []),
    ...args.map(argumentText),
  ].join(' ');
  return [
    `## ${words}`,
    sentence(linked(command.description())),
    fenced('sh', written),
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', 'default', 'meaning'],
            args.map((one) => [
              code(argumentText(one)),
              valueText(one.defaultValue, one.defaultValueDescription),
              described(one),
            ]),
          ),
        ]),
    ...(options.length === 0
      ? []
      : [
          table(
            ['option', 'default', 'what it does'],
            options.map((one) => [
              code(one.flags),
              one.mandatory ? 'required' : valueText(one.defaultValue, one.defaultValueDescription),
              described(one),
            ]),
          ),
        ]),
  ];
}

function argumentText(one: Argument): string {
  const name = one.variadic ? `${one.name()}...` : one.name();
  return one.required ? `<${name}>` : `[${name}]`;
}

/** Names of pages as links to them. */
function linked(text: string): string {
  return text.replace(/\bdocs\/([\w/-]+\.md)/g, '[docs/$1](../$1)');
}

/** What it does, and the choices where commander knows them. */
function described(one: Argument | Option): string {
  const choices = one.argChoices ? ` (${one.argChoices.map(code).join(', ')})` : '';
  return `${linked(one.description)}${choices}`;
}

/** Nothing of what is off, or of a list that is empty. */
function valueText(value: unknown, words: string | undefined): string {
  if (value === undefined || value === false || words === 'none') return '';
  // A machine without 127.0.0.1 has another one.
  return code(value === loopback() ? '127.0.0.1' : String(value));
}
