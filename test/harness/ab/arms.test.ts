// Tests what an arm can be, and which variants of two arms belong together. Nothing is started.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseInjection } from '../../../core/scenario/injection.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { openArm, pairedArms, type ArmOptions } from '../../../harness/ab/arms.ts';
import { openTarget } from '../../../harness/target/open.ts';
import { writeTarget } from '../target/foreign.ts';

const { scenario } = parseScenario(
  'question: Which?\nsubscribers: 5\ntopics: { news: { publish: 10/s } }\n' +
    'phases: { connect: 1s, warmup: 1s, measure: 1s, drain: 5s }\n' +
    'variants: [sse, websocket, { polling: { every: 2s } }]\n',
  { file: 'x.yaml', registry: patterns, overrides: [] },
);

function open(text: string, more: Partial<ArmOptions> = {}) {
  return openArm(text, scenario, {
    registry: patterns,
    injection: undefined,
    openTarget: (file) => openTarget(file, {}),
    targetFile: undefined,
    ...more,
  });
}

const target = (t: TestContext, name: string, subscribe: string) =>
  writeTarget(
    t,
    `name: ${name}\nurl: http://127.0.0.1:9\npublish: '/in/{topic}'\nsubscribe: { ${subscribe} }\n`,
  );
const sse = "sse: '/out/{topic}'";
const labels = (arms: ReturnType<typeof pairedArms>) =>
  arms.map(({ variants }) => variants.map(({ label }) => label));

test(
  'two variants are held against each other whatever they are ' + 'called; one may be named by its pattern',
  () => {
    assert.deepEqual(labels(pairedArms(open('sse'), open('polling'))), [['sse'], ['polling every=2s']]);
  },
);

test('two targets, and two commands with one target file, have the variants that the target can do', (t) => {
  const [old, now] = [target(t, 'old', sse), target(t, 'new', `${sse}, websocket: '/ws/{topic}'`)];
  const targets = pairedArms(open(`target:${old}`), open(`target:${now}`));
  assert.deepEqual(labels(targets), [['sse @old'], ['sse @new']]);
  assert.deepEqual(
    targets.map(({ targets: own }) => own.map(({ name }) => name)),
    [['old'], ['new']],
  );
  const commands = pairedArms(
    open('cmd:node a.js', { targetFile: old }),
    open('cmd:node b.js', { targetFile: old }),
  );
  assert.deepEqual(
    [labels(commands), commands.map(({ name }) => name)],
    [
      [['sse @old'], ['sse @old']],
      ['cmd:node a.js', 'cmd:node b.js'],
    ],
  );
});

test(
  'a variant against a target takes its own counterpart; a ' + 'checkout runs all that the scenario has',
  (t) => {
    assert.deepEqual(labels(pairedArms(open('sse'), open(`target:${target(t, 'mine', sse)}`))), [
      ['sse'],
      ['sse @mine'],
    ]);
    assert.deepEqual(labels(pairedArms(open('dir:.'), open('dir:.'))), [
      ['sse', 'websocket', 'polling every=2s'],
      ['sse', 'websocket', 'polling every=2s'],
    ]);
    assert.throws(() => pairedArms(open('websocket'), open(`target:${target(t, 'mine', sse)}`)), {
      code: 'arms',
      message: /no variant in common: websocket on one side, sse on the other/,
    });
  },
);

test(
  'a checkout is known by its commit, one with changes by a plus sign too, and a folder in a repository ' +
    'that does not hold it by none',
  (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-arm-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const name of ['servers', 'node_modules', 'copied/servers', 'copied/node_modules'])
      mkdirSync(join(folder, name), { recursive: true });
    for (const name of [
      'servers/process.ts',
      'package.json',
      'copied/servers/process.ts',
      'copied/package.json',
    ])
      writeFileSync(join(folder, name), '{}');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@localhost', ...args], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim();
    const commit = (name = '.') => {
      const arm = open(`dir:${join(folder, name)}`);
      return arm.kind === 'all' ? arm.commit : assert.fail();
    };
    git('init');
    git('add', 'servers', 'package.json');
    git('commit', '-m', 'first');
    const first = git('rev-parse', '--short', 'HEAD');
    assert.equal(commit(), first);
    assert.equal(commit('copied'), null);
    writeFileSync(join(folder, 'servers/process.ts'), 'slower');
    assert.equal(commit(), `${first}+`);
  },
);

test('what is injected is in the name and in the fleet, and nowhere in a server that is not ours', () => {
  const injection = parseInjection('delay=5ms,loss=1%');
  const arm = open('sse', { injection });
  assert.deepEqual([arm.name, arm.fleet.injection], ['sse with delay=5ms,loss=1%', injection]);
  assert.throws(() => open('cmd:node a.js', { injection, targetFile: 'x' }), {
    code: 'inject',
    message: /it is not our server/,
  });
});
