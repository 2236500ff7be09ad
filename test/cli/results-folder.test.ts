// Takes the folder that results go to away from a run: before it, said at once; in the middle of it, what was
// measured is kept elsewhere.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'vitest';
import { resultSchema } from '../../core/result/result.ts';
import { notRoot, smallDisk } from '../servers/webhook/sqlite/small-disk.ts';
import { skipWhen } from '../skip.ts';
import { call, start, startDrawing, temporaryFolder, writeScenario } from './tools.ts';

test('results that cannot be written are noticed before the run', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'results'), 'a file in the place of the folder');
  const { code, stderr } = await call(['run', writeScenario(folder)], folder);
  assert.equal(code, 3);
  assert.match(stderr, /Cannot write results below results: .*--results DIR/);
});

test('a full disk is noticed before the run', async (t) => {
  const folder = temporaryFolder(t);
  skipWhen(t, notRoot);
  const { folder: disk } = smallDisk(t, '1m');
  const { code, stderr } = await call(['run', writeScenario(folder), '--results', disk], folder);
  assert.equal(code, 3);
  assert.match(stderr, /1 MiB are free where results are written.*Free some space/);
});

test('a results folder that cannot be is told in a sentence, at once', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'dangling'));
  symlinkSync('loop', join(folder, 'loop'));
  const command = (results: string) => [
    'run',
    writeScenario(folder, 'variants: [sse]'),
    '--results',
    results,
  ];
  // Below /proc Node's own recursive mkdir goes round for ever, which would end this process's tests too.
  const ends = async (results: string) => {
    if (!results.startsWith('/proc')) return call(command(results), folder);
    const { child, ended } = start(command(results), folder);
    const limit = setTimeout(() => child.kill('SIGKILL'), 30_000);
    return ended.finally(() => clearTimeout(limit));
  };
  for (const results of [
    '/proc/pushbench/results',
    'file/results',
    'dangling',
    'loop/results',
    '/dev/full',
    `${'n'.repeat(300)}/results`,
  ]) {
    const { code, stderr } = await ends(results);
    assert.equal(code, 3, `${results}: ${stderr}`);
    assert.match(stderr, /Cannot write results below .*--results DIR/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});

for (const [what, spoil] of [
  ['becomes read-only', (disk: string) => execFileSync('mount', ['-o', 'remount,ro', disk])],
  [
    'is removed and a file put in its place',
    (disk: string) => {
      for (const name of readdirSync(disk)) {
        rmSync(join(disk, name), { recursive: true });
        writeFileSync(join(disk, name), '');
      }
    },
  ],
] as const) {
  test(
    `a results folder that ${what} in the middle of a run: ` + 'all that was measured is kept elsewhere',
    async (t) => {
      const folder = temporaryFolder(t);
      skipWhen(t, notRoot);
      const { folder: disk } = smallDisk(t, '40m');
      const run = startDrawing(
        'at-once',
        ['run', writeScenario(folder, 'variants: [sse, websocket]', '3s'), '--results', disk],
        folder,
      );
      await run.saw(/\[2\/2\] websocket: measuring/);
      spoil(disk);
      const { code, stdout, stderr } = await run.ended;
      assert.equal(code, 3, stderr);
      assert.match(stderr, new RegExp(`Cannot write ${disk}/.*result\\.json`));
      assert.doesNotMatch(stderr, /\n\s+at /);
      assert.match(stdout, /sse[\s\S]*websocket/, 'the table is printed');
      const [, elsewhere] = /All that was measured is in (\S+) instead/.exec(stderr) ?? [];
      t.onTestFinished(() => rmSync(elsewhere!, { recursive: true }));
      assert.equal(
        resultSchema.parse(JSON.parse(readFileSync(join(elsewhere!, 'result.json'), 'utf8'))).trials.length,
        2,
      );
      assert.ok(existsSync(join(elsewhere!, 'report.html')));
    },
  );
}

test(
  'a disk that fills up in the middle of a run costs what ' + 'comes then, not what was measured before',
  async (t) => {
    const folder = temporaryFolder(t);
    skipWhen(t, notRoot);
    const { folder: disk } = smallDisk(t, '40m');
    const run = startDrawing(
      'at-once',
      ['run', writeScenario(folder, 'variants: [sse, websocket]', '3s'), '--results', disk],
      folder,
    );
    await run.saw(/\[2\/2\] websocket: measuring/);
    assert.throws(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(64 * 1024 ** 2)), {
      code: 'ENOSPC',
    });
    const { code, stderr } = await run.ended;
    assert.equal(code, 3);
    assert.match(stderr, /Cannot write .*ENOSPC.*Free some space/);
    const [, elsewhere] = /All that was measured is in (\S+) instead/.exec(stderr) ?? [];
    t.onTestFinished(() => rmSync(elsewhere!, { recursive: true }));
    const [, kept] = /What was measured before is kept: (\S+)/.exec(stderr) ?? [];
    assert.equal(
      resultSchema.parse(JSON.parse(readFileSync(resolve(folder, kept!), 'utf8'))).trials.length,
      1,
    );
  },
);
