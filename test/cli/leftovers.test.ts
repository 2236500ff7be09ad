// Whatever happens in the middle of a run, it leaves no process and no half-written file behind, and keeps
// what it had measured.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { resultSchema } from '../../core/result/result.ts';
import {
  call,
  childrenOf,
  isAlive,
  resultFolders,
  startDrawing,
  temporaryFolder,
  writeScenario,
} from './tools.ts';

async function allGone(pids: readonly number[]): Promise<void> {
  for (let i = 0; i < 100 && pids.some(isAlive); i++) await sleep(50);
  assert.deepEqual(pids.filter(isAlive), []);
}

test('Ctrl-C in the first trial: exit code 130, nothing left', async (t) => {
  const folder = temporaryFolder(t);
  const run = startDrawing('at-once', ['run', writeScenario(folder, 'variants: [sse]', '20s')], folder);
  await run.saw(/measuring/);
  const pids = childrenOf(run.child.pid!);
  assert.ok(pids.length >= 3, 'server, load and publisher are up');
  run.child.kill('SIGINT');
  const { code, stderr } = await run.ended;
  assert.equal(code, 130);
  assert.match(stderr, /nothing was measured/);
  await allGone(pids);
  assert.deepEqual(resultFolders(folder), []);
});

/** A run that gets SIGTERM in the second of its trials. @returns its folder too */
async function terminated(t: TestContext, drawn: 'at-once' | 'never') {
  const folder = temporaryFolder(t);
  const run = startDrawing(drawn, ['run', writeScenario(folder, 'variants: [sse, websocket]')], folder);
  await run.saw(/\[2\/2\] websocket: measuring/);
  const pids = childrenOf(run.child.pid!);
  run.child.kill('SIGTERM');
  const { code, stderr } = await run.ended;
  assert.equal(code, 130);
  await allGone(pids);
  const [runFolder] = resultFolders(folder);
  const result = resultSchema.parse(JSON.parse(readFileSync(join(runFolder!, 'result.json'), 'utf8')));
  assert.deepEqual(result.state, { kind: 'interrupted', by: 'SIGTERM' });
  assert.equal(result.trials.length, 1);
  return { folder, runFolder: runFolder!, stderr };
}

test('SIGTERM in the second trial: the first one is kept', async (t) => {
  const { runFolder } = await terminated(t, 'at-once');
  assert.deepEqual(readdirSync(runFolder).sort(), ['report.html', 'result.json']);
});

test('a report that is not drawn in time is left out, and the command that is named draws it', async (t) => {
  const { folder, runFolder, stderr } = await terminated(t, 'never');
  assert.deepEqual(readdirSync(runFolder), ['result.json']);
  const [, command] = /ended by force\. .*pushbench (report \S+)/.exec(stderr) ?? [];
  assert.ok(command, stderr);
  assert.equal((await call(command.split(' '), folder)).code, 0);
  assert.deepEqual(readdirSync(runFolder).sort(), ['report.html', 'result.json']);
});

for (const role of ['server', 'load', 'publisher'] as const) {
  test(
    `a ${role} process that is killed fails its trial with the reason; ` +
      'the next trial runs; nothing is left',
    async (t) => {
      const folder = temporaryFolder(t);
      const run = startDrawing(
        'at-once',
        ['run', writeScenario(folder, 'variants: [sse, websocket]', '3s')],
        folder,
      );
      await run.saw(/\[1\/2\] sse: measuring/);
      const pids = childrenOf(run.child.pid!);
      const victim = pids.find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(
          { server: 'servers/process', load: 'load/process', publisher: 'load/publisher-process' }[role],
        ),
      )!;
      process.kill(victim, 'SIGKILL');
      const { code, stdout, stderr } = await run.ended;
      assert.equal(code, 3, stdout + stderr);
      assert.match(
        stderr,
        new RegExp(
          `\\[1/2\\] sse: failed: the ${role}.* process ended in the middle of the trial \\(signal SIGKILL`,
        ),
      );
      await allGone(pids);
      const result = resultSchema.parse(
        JSON.parse(readFileSync(join(resultFolders(folder)[0]!, 'result.json'), 'utf8')),
      );
      assert.deepEqual(
        result.trials.map(({ outcome }) => outcome.status),
        ['failed', 'completed'],
      );
    },
  );
}

for (const stopped of [false, true]) {
  test(
    'a harness that is killed outright takes its children with ' + `it${stopped ? ', stopped ones too' : ''}`,
    async (t) => {
      const folder = temporaryFolder(t);
      const run = startDrawing('at-once', ['run', writeScenario(folder, 'variants: [sse]', '20s')], folder);
      await run.saw(/measuring/);
      const pids = childrenOf(run.child.pid!);
      if (stopped) for (const pid of pids) process.kill(pid, 'SIGSTOP');
      run.child.kill('SIGKILL');
      await run.ended;
      await allGone(pids);
    },
  );
}
