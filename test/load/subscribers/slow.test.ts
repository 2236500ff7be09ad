// Subscribers that read slowly, or not at all: against a real server, over every stream and socket.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, vi } from 'vitest';
import type { Pattern } from '../../../core/pattern/pattern.ts';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { createSlowReaders } from '../../../load/subscribers/slow.ts';
import { bothHalves, until } from '../../contract/both-halves.ts';
import type { TriedVariant } from '../../contract/variants.ts';

const bodyBytes = 16 * 1024;
const body = 'x'.repeat(bodyBytes);
const tried = (pattern: PatternName, options: object = {}): TriedVariant => {
  const entry: Pattern = patterns[pattern];
  return { ...variantOf(patterns, pattern, entry.options.parse(options)), pattern, entry };
};
const sse = tried('sse');
const streams = [sse, tried('sse', { over: 'h2' }), tried('http-stream'), tried('websocket')];

describe('who reads nothing gets nothing, and all of it later, while others go on', () => {
  for (const variant of streams)
    test(variant.label, async (t) => {
      const { load, subscribe, publish, seqs, problems, close } = await bothHalves(t, variant, () => ['a']);
      await subscribe(3);
      load.slow!(1, 0);
      for (let i = 0; i < 20; i++) await publish('a', body);
      await until('the others have all', () => seqs(0, 'a').length === 20 && seqs(2, 'a').length === 20);
      await sleep(50);
      assert.ok(seqs(1, 'a').length <= 4, `it read ${seqs(1, 'a').length}`); // of one read under way
      load.slow!(1, undefined);
      await until('it has all', () => seqs(1, 'a').length === 20);
      assert.deepEqual(seqs(1, 'a'), seqs(0, 'a'));
      await close();
      assert.deepEqual(problems, []);
    });
});

test('who reads at a rate reads no faster, whatever comes at once', async (t) => {
  const { load, subscribe, publish, seqs, close } = await bothHalves(t, sse, () => ['a']);
  await subscribe(2);
  const perS = 512 * 1024;
  load.slow!(1, perS);
  const fromMs = performance.now();
  for (let i = 0; i < 40; i++) await publish('a', body);
  await until('it has all', () => seqs(1, 'a').length === 40);
  // The last read, of 64 KiB at most, is not waited for.
  const leastMs = ((40 * bodyBytes - 64 * 1024) / perS) * 1000;
  assert.ok(performance.now() - fromMs >= leastMs * 0.95);
  await close();
});

test('who was cut off while it read nothing reads nothing on its next connection', async (t) => {
  const { server, load, subscribe, publish, seqs, counters, close } = await bothHalves(t, sse, () => ['a']);
  await subscribe(2);
  load.slow!(0, 64 * 1024); // it notices the end, since it reads
  server.disconnect(1);
  await until('both are back', () => counters.reconnects === 2);
  load.slow!(0, 0);
  for (let i = 0; i < 10; i++) await publish('a', body);
  await until('the other has all', () => seqs(1, 'a').length === 10);
  assert.ok(seqs(0, 'a').length < 10);
  load.slow!(0, undefined);
  await until('it has all', () => seqs(0, 'a').length === 10);
  await close();
});

test('a share of those who read is slowed for a while, and the rest at the end', (context) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  context.onTestFinished(() => void vi.useRealTimers());
  const paces = new Map<number, number | undefined>();
  const slow = createSlowReaders(
    { first: 10, count: 20, seed: 1 },
    { slow: (subscriber, bytesPerS) => void paces.set(subscriber, bytesPerS) },
  );
  slow.begin(0.25, 1000, 500);
  const slowed = [...paces.keys()];
  assert.equal(slowed.length, 5);
  assert.ok(slowed.every((one) => one >= 10 && one < 30 && paces.get(one) === 1000));
  slow.begin(1, 0, 2000);
  assert.equal(paces.size, 20);
  assert.equal([...paces.values()].filter((pace) => pace === 1000).length, 5, 'nobody is slowed twice');
  vi.advanceTimersByTime(500);
  assert.deepEqual(
    [...paces]
      .filter(([, pace]) => pace === undefined)
      .map(([one]) => one)
      .toSorted((a, b) => a - b),
    slowed.toSorted((a, b) => a - b),
  );
  slow.stop();
  assert.ok([...paces.values()].every((pace) => pace === undefined));
});
