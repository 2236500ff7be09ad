// A signal ends a run within seconds, whatever it is waiting for: each phase here would last about 1000 s.
// Exit code 130, no child left, and a result of what was measured before that says what is missing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'vitest';
import { resultSchema, type Result } from '../../core/result/result.ts';
import { missingFrom } from '../../core/result/missing.ts';
import {
  childrenOf,
  isAlive,
  resultFolders,
  start,
  startDrawing,
  temporaryFolder,
  writeScenario,
  type Running,
} from './tools.ts';

/** 3 s are promised; on a machine where others run too it takes longer until a process comes to its turn. */
const withinMs = 15_000;

/** @returns the result, where one was kept */
async function interrupted(
  run: Running,
  signal: NodeJS.Signals,
  folder: string,
): Promise<Result | undefined> {
  const pids = childrenOf(run.child.pid!);
  const fromMs = performance.now();
  run.child.kill(signal);
  const limit = setTimeout(() => run.child.kill('SIGKILL'), 2 * withinMs);
  const { code, stderr } = await run.ended;
  clearTimeout(limit);
  const tookMs = performance.now() - fromMs;
  assert.equal(code, 130, stderr);
  assert.doesNotMatch(stderr, /ended by force/, 'the last resort is for reports that are not drawn in time');
  assert.ok(tookMs < withinMs, `it ended ${Math.round(tookMs)} ms after ${signal}`);
  assert.deepEqual(pids.filter(isAlive), []);
  const [runFolder] = resultFolders(folder);
  return runFolder === undefined
    ? undefined
    : resultSchema.parse(JSON.parse(readFileSync(join(runFolder, 'result.json'), 'utf8')));
}

function begin(t: TestContext, more: string, set: string[] = []): { run: Running; folder: string } {
  const folder = temporaryFolder(t);
  const run = startDrawing(
    'at-once',
    ['run', writeScenario(folder, more, '1s'), ...set.flatMap((one) => ['--set', one])],
    folder,
  );
  t.onTestFinished(() => void run.child.kill('SIGKILL'));
  return { run, folder };
}

/** The command line with a hook of Node's module loader. */
function hooked(hook: string): [string, ...string[]] {
  const text = `import { registerHooks } from "node:module"; registerHooks({ ${hook} });`;
  return [
    process.execPath,
    '--import',
    `data:text/javascript,${encodeURIComponent(text)}`,
    resolve('cli/main.ts'),
  ];
}

for (const module of ['./program.ts', './run.ts'])
  test(`while ${module} is loaded, before any command listens`, async (t) => {
    const folder = temporaryFolder(t);
    const hook =
      `resolve(name, context, next) { if (name === "${module}") process.kill(process.pid, "SIGTERM"); ` +
      'return next(name, context); }';
    const run = start(['run', 'compare', '--quiet'], folder, hooked(hook));
    t.onTestFinished(() => void run.child.kill('SIGKILL'));
    const { code, signal } = await run.ended;
    assert.deepEqual({ code, signal }, { code: 130, signal: null });
    assert.deepEqual(resultFolders(folder), []);
  });

test('while a schedule is planned, which lets no listener of ours come to its turn', async (t) => {
  const hook =
    'load(url, context, next) { const found = next(url, context); ' +
    'if (!url.endsWith("/harness/run/run.ts")) return found; ' +
    'const source = String(found.source).replace("\\n): RunPlan {\\n", ' +
    '(head) => head + "process.stderr.write(\\"planning\\"); for (;;);"); ' +
    'return { ...found, source }; }';
  const run = start(['run', 'compare', '--quiet'], temporaryFolder(t), hooked(hook));
  t.onTestFinished(() => void run.child.kill('SIGKILL'));
  await run.saw(/planning/);
  run.child.kill('SIGTERM');
  const { code, signal } = await run.ended;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
});

test('while subscribers connect', async (t) => {
  const { run, folder } = begin(t, 'variants: [sse]', ['phases.connect=1000s']);
  await run.saw(/connecting/);
  assert.equal(await interrupted(run, 'SIGINT', folder), undefined);
});

test(
  'in the measured phase of the second trial, one longer than a ' + 'timer of Node can be; the first is kept',
  async (t) => {
    const { run, folder } = begin(
      t,
      'variants: [sse]\nmatrix: { phases.measure: [1s, 23d] }\nexpect: [missed == 0]',
      ['topics.news.publish=1/s'],
    );
    await run.saw(/\[2\/2\].*connecting/);
    // The next slot of so long a phase begins hours later, so nothing more is said of it.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const result = await interrupted(run, 'SIGTERM', folder);
    assert.deepEqual(result?.state, { kind: 'interrupted', by: 'SIGTERM' });
    assert.equal(result.trials.length, 1);
    assert.match(
      missingFrom(result)
        .trials.map(({ variant }) => variant)
        .join(),
      /^sse, \S*measure=23d$/,
    );
    assert.deepEqual(
      result.expectations.map(({ measured, held }) => measured !== null || held),
      [true, false],
    );
  },
);

test('while late deliveries are waited for, with children that are stopped', async (t) => {
  const { run, folder } = begin(t, 'variants: [sse]\nfaults: [{ at: 0s, leave: 100%, for: 900s }]', [
    'phases.drain=1000s',
  ]);
  await run.saw(/draining/);
  for (const pid of childrenOf(run.child.pid!)) process.kill(pid, 'SIGSTOP');
  assert.equal(await interrupted(run, 'SIGINT', folder), undefined);
});

test('while a process is frozen by a fault: nothing that would wake it later is left', async (t) => {
  const { run, folder } = begin(t, 'variants: [sse]\nfaults: [{ at: 0s, freeze: server, for: 900s }]', [
    'phases.measure=1000s',
  ]);
  await run.saw(/measuring/);
  const wakers = () =>
    childrenOf(run.child.pid!).filter((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('kill -STOP'),
    );
  while (wakers().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(await interrupted(run, 'SIGINT', folder), undefined);
});

test(
  'while autocannon asks in closed loop: all trials are kept, ' +
    'and what came after them is said to be missing',
  async (t) => {
    const { run, folder } = begin(t, 'variants: [sse]\nclosedLoop: { connections: 2, for: 1000s }');
    await run.saw(/of [\d,]+ deliveries/);
    while (
      !childrenOf(run.child.pid!).some((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('saturate-process'),
      )
    )
      await new Promise((resolve) => setTimeout(resolve, 20));
    const result = await interrupted(run, 'SIGINT', folder);
    assert.equal(result?.trials.length, 1);
    assert.deepEqual(missingFrom(result), { trials: [], searches: [], afterwards: ['closedLoop'] });
  },
);

test('a trial that failed leaves nothing to wait for either', async (t) => {
  const { run } = begin(t, 'variants: [sse]', ['phases.measure=1000s']);
  await run.saw(/measuring/);
  for (const pid of childrenOf(run.child.pid!)) process.kill(pid, 'SIGKILL');
  const fromMs = performance.now();
  const { code, stderr } = await run.ended;
  assert.equal(code, 3, stderr);
  assert.ok(performance.now() - fromMs < withinMs);
});

test('target check, and a server of a target that never answers', async (t) => {
  const folder = temporaryFolder(t);
  const { createServer } = await import('node:net');
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  t.onTestFinished(() => void silent.close());
  const { writeFileSync } = await import('node:fs');
  const address = silent.address();
  assert.ok(typeof address === 'object' && address);
  writeFileSync(
    join(folder, 'target.yaml'),
    `name: silent\nurl: http://127.0.0.1:${address.port}\npublish: '/in/{topic}'\n` +
      "subscribe: { sse: '/out/{topic}' }\n",
  );
  const run = start(['target', 'check', 'target.yaml'], folder);
  t.onTestFinished(() => void run.child.kill('SIGKILL'));
  await run.saw(/no process named/);
  while (childrenOf(run.child.pid!).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  await interrupted(run, 'SIGINT', folder);
});
