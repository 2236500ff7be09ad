// Lets members go in virtual time: who is told when, who is closed, and what is counted.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { afterEach, beforeEach, test, vi } from 'vitest';
import { letGo } from '../../../servers/http/let-go.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Members 0, 1, ... of which each stays for so long after it was told; Infinity never goes. */
async function run(staysMs: readonly number[], windowMs: number, limitMs: number) {
  const members = new Set(staysMs.keys());
  const toldMs = new Map<number, number>();
  const beganMs = performance.now();
  const take = (member: number) => {
    if (members.delete(member)) lettingGo.gone();
  };
  const lettingGo = letGo<number>(
    { windowMs, limitMs },
    {
      members,
      due(member) {
        lettingGo.told();
        toldMs.set(member, performance.now() - beganMs);
        if (staysMs[member]! < Infinity) setTimeout(take, staysMs[member], member);
      },
      cut: take,
    },
  );
  let tookMs: number | undefined;
  void lettingGo.done.then(() => (tookMs = performance.now() - beganMs));
  return { members, toldMs, take, lettingGo, tookMs: () => tookMs };
}

test('everybody is told at their time, and those who stay are closed at the limit', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(fc.nat(2000), fc.constant(Infinity)), { maxLength: 40 }),
      fc.nat(1000),
      fc.integer({ min: 1000, max: 3000 }),
      async (staysMs, windowMs, limitMs) => {
        const { toldMs, lettingGo, tookMs, members } = await run(staysMs, windowMs, limitMs);
        await vi.runAllTimersAsync();
        const counted = await lettingGo.done;
        const dueMs = staysMs.map((_, i) => (windowMs * i) / staysMs.length);
        for (const [i, atMs] of dueMs.entries()) {
          const told = toldMs.get(i)!;
          assert.ok(told >= atMs && told <= atMs + 2, `${i} was told at ${told}, not ${atMs}`);
        }
        assert.deepEqual([...toldMs.keys()], [...staysMs.keys()], 'in their order');
        const stayed = staysMs.filter((ms, i) => toldMs.get(i)! + ms > limitMs).length;
        assert.equal(counted.told, staysMs.length);
        assert.equal(counted.left + counted.closedAtLimit, staysMs.length);
        assert.ok(Math.abs(counted.closedAtLimit - stayed) <= 1, 'one may go at the very limit');
        assert.ok(tookMs()! <= limitMs);
        assert.equal(members.size, 0);
        assert.equal(vi.getTimerCount(), 0);
      },
    ),
    { numRuns: 50 },
  );
});

test('who goes before it is their turn is not told, and the last to go ends it', async () => {
  const { toldMs, take, lettingGo, tookMs } = await run([0, 0, 0, 0], 400, 10_000);
  await vi.advanceTimersByTimeAsync(50);
  take(2);
  await vi.runAllTimersAsync();
  assert.deepEqual(await lettingGo.done, { told: 3, left: 4, closedAtLimit: 0 });
  assert.deepEqual([...toldMs.keys()], [0, 1, 3]);
  assert.ok(tookMs()! < 400);
});

test('one that is stopped tells nobody else', async () => {
  const { toldMs, lettingGo, members, take } = await run([Infinity, 0, 0], 300, 10_000);
  await vi.advanceTimersByTimeAsync(10);
  lettingGo.stop();
  await vi.runAllTimersAsync();
  assert.deepEqual([...toldMs.keys()], [0]);
  for (const member of members) take(member);
  assert.deepEqual(await lettingGo.done, { told: 1, left: 3, closedAtLimit: 0 });
});
