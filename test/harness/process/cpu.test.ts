// Tests reading processes' CPU from outside: the kernel's text, what readings add up to, and a real process
// that is busy. Skipped where the kernel does not count threads.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'vitest';
import {
  cpuBetween,
  parseSchedstat,
  parseStatUs,
  readCpu,
  type CpuReading,
} from '../../../harness/process/cpu.ts';
import { skipWhen } from '../../skip.ts';

test("the kernel's text", () => {
  assert.deepEqual(parseSchedstat('3601229 2000 17\n'), { ranUs: 3601.229, waitedUs: 2 });
  for (const text of [undefined, '', '12', 'a b c'])
    assert.equal(parseSchedstat(text), undefined, String(text));
  const stat = '7 (a) R (b) S 1 7 7 0 -1 4194560 1 2 0 0 12 34 56 78 20 0 11 0 9';
  assert.equal(parseStatUs(stat), (12 + 34) * 10_000, 'the name holds anything; children are left out');
  assert.equal(parseStatUs('7 (a) S 1'), undefined);
  assert.equal(parseStatUs(undefined), undefined);
});

/** @param threads by number, ran and waited; @param processes by number, what /proc/PID/stat says */
const reading = (
  threads: Record<number, [ranUs: number, waitedUs: number]>,
  processes: Record<number, number> = {},
): CpuReading => ({
  threads: new Map(
    Object.entries(threads).map(([tid, [ranUs, waitedUs]]) => [Number(tid), { ranUs, waitedUs }]),
  ),
  processesUs: new Map(Object.entries(processes).map(([pid, us]) => [Number(pid), us])),
});

describe('what was used between two readings', () => {
  test('all threads add up, and the busiest is the one that ran or waited most', () => {
    const use = cpuBetween([
      reading({ 1: [1000, 0], 2: [500, 10] }),
      reading({ 1: [9000, 100], 2: [3500, 7010] }),
    ]);
    // 8,000 and 3,000; 8,000 + 100 against 3,000 + 7,000
    assert.deepEqual(use, { ranUs: 11_000, busiest: { ranUs: 3000, waitedUs: 7000 } });
  });
  test('a thread that begins counts from 0, one that ends keeps what was seen of it', () => {
    const use = cpuBetween([
      reading({ 1: [1000, 0], 2: [2000, 0] }),
      reading({ 1: [1500, 0], 2: [2700, 0], 3: [40, 0] }),
      reading({ 1: [1600, 0], 3: [90, 0] }),
    ]);
    assert.equal(use.ranUs, 600 + 700 + 90);
  });
  test("a thread's number that counts from the beginning again is another thread's", () => {
    const use = cpuBetween([reading({ 1: [1000, 0] }), reading({ 1: [1700, 0] }), reading({ 1: [20, 0] })]);
    assert.equal(use.ranUs, 720);
  });
  test('a thread that is left out of one reading counts once', () => {
    const use = cpuBetween([reading({ 1: [1000, 0] }), reading({}), reading({ 1: [1200, 0] })]);
    assert.equal(use.ranUs, 200);
  });
  test('what a thread used unseen is known from its process, to 20 ms', () => {
    const of = (lastUs: number) =>
      cpuBetween([reading({ 1: [0, 0] }, { 1: 100_000 }), reading({ 1: [50_000, 0] }, { 1: lastUs })]).ranUs;
    assert.equal(of(170_000), 50_000, '70 ms less 20 are no more than the threads used');
    assert.equal(of(180_000), 60_000, '80 ms less 20 are');
  });
  test('nothing is used in no time', () => {
    assert.deepEqual(cpuBetween([reading({ 1: [1000, 5] })]), {
      ranUs: 0,
      busiest: { ranUs: 0, waitedUs: 0 },
    });
  });
});

test('a busy process: what is read from outside is what it says of itself', async (t) => {
  skipWhen(t, readCpu([process.pid]) ? false : 'the kernel counts no threads here');
  const child = fork('test/harness/process/busy.mjs', { execArgv: [] });
  t.onTestFinished(() => void child.kill('SIGKILL'));
  const say = async (what: string): Promise<number> => {
    child.send(what);
    const [cpuUs] = (await once(child, 'message')) as [number];
    return cpuUs;
  };
  const ownBefore = await say('cpu');
  const before = readCpu([child.pid!])!;
  // It uses 0.4 s, and a thread of its own as much, which is over before the second reading.
  const ownAfter = await say('work');
  const after = readCpu([child.pid!])!;
  const own = ownAfter - ownBefore;
  const { ranUs, busiest } = cpuBetween([before, after]);
  assert.ok(own >= 700_000, `it worked for ${own} us`);
  // What the ended thread used is known to 20 ms, and both readings come a little later than what it says.
  assert.ok(Math.abs(ranUs - own) < 0.2 * own, `${ranUs} us from outside, ${own} us by itself`);
  assert.ok(busiest.ranUs > 300_000, String(busiest.ranUs));
});

test('a process that is gone cannot be read', async () => {
  const child = fork('test/harness/process/busy.mjs', { execArgv: [] });
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(readCpu([child.pid!]), undefined);
});
