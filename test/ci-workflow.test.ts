// The ready workflow and the composite action hold: GitHub's own parser takes them, their commands take their
// options, and their steps, run here, turn red where the change made a server slower, and say why.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../cli/program.ts';
import { scripted, start, temporaryFolder, type Ended } from './cli/tools.ts';
import { loadGithubParser } from './github-parser.ts';
import { userRepository } from './user-repository.ts';

type Step = { name?: string; uses?: string; run?: string; env?: Record<string, string> };

const workflow = readFileSync('docs/ci/pushbench.yml', 'utf8');
const action = readFileSync('action.yml', 'utf8');

function workflowSteps(): Step[] {
  const { jobs } = parse(workflow) as { jobs: Record<string, { steps: Step[] }> };
  return Object.values(jobs).flatMap((job) => job.steps);
}

function actionSteps(): Step[] {
  return (parse(action) as { runs: { steps: Step[] } }).runs.steps;
}

test("GitHub's parser takes both, and sees what is wrong with them", async () => {
  const wrong = await loadGithubParser();
  assert.deepEqual(wrong('workflow', workflow), []);
  assert.deepEqual(wrong('action', action), []);
  assert.match(wrong('workflow', workflow.replace('steps:', 'stepz:')).join(), /stepz/);
  assert.match(wrong('action', action.replace('inputs.start }', 'inputs.start')).join(), /expression/i);
});

test(
  'every pushbench command of workflow, action and their page is one, ' +
    'with the options and arguments it is given',
  () => {
    const steps = [...workflowSteps(), ...actionSteps()];
    assert.ok(
      steps.every(({ uses, run }) => (uses === undefined) !== (run === undefined)),
      'a step uses or runs',
    );
    const page = readFileSync('docs/ci/README.md', 'utf8');
    const texts = [
      ...steps.flatMap(({ run }) => run ?? []),
      ...[...page.matchAll(/(?:```sh\n([\s\S]*?)```|`(pushbench [^`]*)`)/g)].map(
        ([, block, inline]) => block ?? inline!,
      ),
    ];
    const lines = texts
      .map((text) => text.replaceAll(/\\\n\s*/g, ' '))
      .flatMap((text) => text.split('\n'))
      .flatMap((line) => /(?:npx )?pushbench ((?:run|compare|baseline|history|ab) .+)/.exec(line)?.[1] ?? [])
      .map((line) => line.replace(/\$\{INSTALL:\+[^}]*\}|\s2?>.*/g, ''));
    assert.ok(lines.length >= 6, lines.join('\n'));
    for (const line of lines) {
      const words = line.replace(/\s#.*/, '').match(/'[^']*'|"[^"]*"|\S+/g)!;
      let command = createProgram();
      for (let next; (next = command.commands.find((one) => one.name() === words[0])); words.shift())
        command = next;
      const options = words.filter((word) => word.startsWith('--'));
      for (const option of options)
        assert.ok(
          command.options.some(({ long }) => long === option),
          `${line}: ${option}`,
        );
      const taken = options.filter((option) =>
        command.options.some(({ long, required, optional }) => long === option && (required || optional)),
      ).length;
      const needed = command.registeredArguments.filter(({ required }) => required).length;
      assert.ok(words.length - options.length - taken >= needed, `${line}: too few arguments`);
    }
  },
);

/** A package of this name whose command runs on scripted processes, in the place of the real one. */
function scriptedPackage(folder: string): string {
  const path = join(folder, 'scripted-pushbench');
  mkdirSync(path);
  const about = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string; engines: object };
  writeFileSync(
    join(path, 'package.json'),
    JSON.stringify(
      { name: 'pushbench', version: about.version, engines: about.engines, bin: { pushbench: 'main.sh' } },
      null,
      2,
    ),
  );
  const command = scripted.map((word) => `'${word}'`).join(' ');
  writeFileSync(join(path, 'main.sh'), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
  return path;
}

/** The repository of a user: an app that holds each event back longer at HEAD than at the commit before. */
async function changedApp(t: TestContext) {
  const app = await userRepository(temporaryFolder(t));
  const base = app.held(300);
  app.held(500);
  return { ...app, base };
}

test(
  "the workflow's own steps, run here: a change that makes the server " +
    'slower turns it red, and every report says why',
  { timeout: 900_000 },
  async (t) => {
    const { folder, base, write } = await changedApp(t);
    const made = scriptedPackage(temporaryFolder(t));
    const { env } = parse(workflow) as { env: { PUSHBENCH: string } };
    execFileSync('npm', ['pack', '--silent', '--pack-destination', join(folder, 'bench')], { cwd: made });
    const summary = join(folder, 'summary-of-the-job.md');
    const variables = { ...env, BASE: base, GITHUB_STEP_SUMMARY: summary };
    const ends: Ended[] = [];
    for (const [i, { run }] of workflowSteps().entries()) {
      if (run === undefined) continue;
      const lines = Object.entries(variables).map(([name, value]) => `export ${name}='${value}'`);
      write(`step-${i}.sh`, `${lines.join('\n')}\n${run}`);
      ends.push(await start(['-e', `step-${i}.sh`], folder, ['bash']).ended);
    }
    const [install, gate, show] = ends as [Ended, Ended, Ended];
    assert.equal(ends.length, 3);
    assert.equal(install.code, 0, install.stderr);
    assert.equal(gate.code, 5, gate.stdout + gate.stderr);
    assert.equal(show.code, 0, show.stderr);
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    assert.match(gate.stdout, /^::(error|notice) file=bench\/delivery\.yaml,title=pushbench delivery/m);
    assert.match(read('comparison.html'), new RegExp(`delivery: ref:HEAD against ref:${base}`));
    assert.match(gate.stdout, /^Worse, .*median latency \+\d+/m);
    assert.match(
      gate.stdout,
      /^::error file=bench\/delivery\.yaml,title=pushbench delivery%3A sse[^:]*::median latency \+\d+/m,
    );
    assert.match(
      read('summary-of-the-job.md'),
      /❌ \*\*Worse, .*median latency \+\d+[\s\S]*\| median latency \|.*\*\*slower\*\* \|/,
    );
    assert.match(read('junit.xml'), /<failure type="ratio" message="median latency \+\d+/);
    assert.match(read('comparison.html'), /Worse, .*median latency \+\d+[\s\S]*<svg/);
  },
);

/** Runs the action's own steps as GitHub would, with these values in the place of its expressions. */
async function runAction(
  folder: string,
  values: { base: string; save: boolean; temp: string; command?: string },
): Promise<{ codes: Record<string, number | null>; output: string; asked: string; summary: string }> {
  const { base, save, temp } = values;
  const [outputFile, pathFile, summaryFile, ghLog] = ['output', 'path', 'summary', 'gh'].map((name) =>
    join(temp, name),
  ) as [string, string, string, string];
  for (const file of [outputFile, pathFile, summaryFile, ghLog]) writeFileSync(file, '');
  const bin = join(temp, 'bin');
  mkdirSync(bin, { recursive: true });
  // There is a comment of ours already.
  writeFileSync(
    join(bin, 'gh'),
    `#!/bin/sh\necho "$@" >> '${ghLog}'\ncase "$*" in *--jq*) echo 4711 ;; esac\n`,
    { mode: 0o755 },
  );
  const outputs = () =>
    Object.fromEntries(
      readFileSync(outputFile, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(/=(.*)/s, 2) as [string, string]),
    );
  const codes: Record<string, number | null> = {};
  let output = '';
  for (const { name = '', run } of actionSteps()) {
    if (run === undefined) continue;
    const own: Record<string, string> = {
      START: values.command ?? 'node your-app.mjs',
      TARGET: 'bench/app.yaml',
      SCENARIO: 'bench/delivery.yaml',
      INSTALL: '',
      APP: '.',
      OPTIONS: '',
      BASE: base,
      CLASS: outputs()['class'] ?? '',
      SAVE: String(save),
      OUT: outputs()['folder'] ?? '',
      CODE: outputs()['code'] ?? '',
      NUMBER: '12',
      GITHUB_REPOSITORY: 'user/app',
      GITHUB_ACTION_PATH: join(temp, 'scripted-pushbench'),
      GITHUB_OUTPUT: outputFile,
      GITHUB_PATH: pathFile,
      GITHUB_STEP_SUMMARY: summaryFile,
      RUNNER_TEMP: temp,
    };
    const added = readFileSync(pathFile, 'utf8').trim();
    const path = [added, bin, process.env['PATH']].filter(Boolean).join(delimiter);
    const lines = Object.entries({ ...own, PATH: path }).map(([key, value]) => `export ${key}='${value}'`);
    const script = join(temp, 'step.sh');
    writeFileSync(script, `${lines.join('\n')}\n${run}`);
    const end = await start(['--noprofile', '--norc', '-eo', 'pipefail', script], folder, ['bash']).ended;
    codes[name] = end.code;
    output += end.stdout + end.stderr;
  }
  return {
    codes,
    output,
    asked: readFileSync(ghLog, 'utf8'),
    summary: readFileSync(summaryFile, 'utf8'),
  };
}

test(
  "the action's own steps, run here: red where the change is slower, with the table on the pull request; a " +
    'baseline for this class of machine is saved from a push and held against the next change',
  { timeout: 900_000 },
  async (t) => {
    const { folder, base } = await changedApp(t);
    const temp = temporaryFolder(t);
    scriptedPackage(temp);
    const red = await runAction(folder, { base, save: true, temp });
    assert.deepEqual(
      Object.entries(red.codes).filter(([, code]) => code !== 0),
      [['Fail where delivery got worse', 5]],
      red.output,
    );
    assert.match(red.output, /^::error file=bench\/delivery\.yaml,title=pushbench/m);
    assert.match(red.summary, /❌ \*\*Worse, .*median latency \+\d+/);
    assert.match(red.asked, /--method PATCH repos\/user\/app\/issues\/comments\/4711 -F body=@/);
    assert.match(
      readFileSync(join(temp, 'pushbench-out/comment.md'), 'utf8'),
      /^<!-- pushbench -->\n[\s\S]*Worse/,
    );
    assert.match(readFileSync(join(temp, 'output'), 'utf8'), /^class=[a-z0-9-]+-\d+-cores$/m);
    const green = await runAction(folder, { base: 'HEAD', save: true, temp });
    assert.equal(green.codes['Fail where delivery got worse'], 0, green.output);
    assert.match(green.output, /Saved \d+ runs of 1 variant/);
    const again = await runAction(folder, { base: 'HEAD', save: false, temp });
    assert.equal(again.codes['Fail where delivery got worse'], 0, again.output);
    assert.match(again.summary, /### Against the baseline of this class of machine \(\S+-cores\)/);
    const broken = await runAction(folder, { base: 'no-such-branch', save: false, temp });
    assert.equal(broken.codes['Fail where delivery got worse'], 2, broken.output);
    assert.match(broken.summary, /Nothing was compared \(exit code 2\)[\s\S]*There is no commit/);
  },
);
