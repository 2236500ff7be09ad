// Holds the cases that every pattern passes whatever it lacks: delivery, absence, and equal counts.

import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import type { TestContext } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestsOf, type Counters } from '../../core/result/counters.ts';
import { crossCheck } from '../../harness/trial/cross-check.ts';
import { bothHalves, until } from './both-halves.ts';
import type { TriedVariant } from './variants.ts';

export type ContractCase = (t: TestContext, variant: TriedVariant) => Promise<void>;

const bodies = [
  '{"type":"order.shipped","orderId":"123"}',
  '{ "spaces" : [ 1,2 ,3 ],\t"nested":{"a":"}]\\"{["} }',
  'plain text, not JSON',
  'two\nlines and a\r\nthird',
  '',
  '"a JSON string with \\u00e9 and é and 日本語 and 🎈"',
  'data: looks like SSE\n\nid: 7\n\n',
  '0',
  JSON.stringify({ large: 'x'.repeat(200_000), end: true }),
];

export const cases: Readonly<Record<string, ContractCase>> = {
  async 'every event reaches every follower of its topic, byte for byte, and nobody else'(t, variant) {
    const { server, close, got, problems, subscribe, publish, total } = await bothHalves(t, variant, (i) =>
      i === 9 ? ['quiet'] : ['news', `own.${i}`],
    );
    await subscribe(10);
    for (const body of bodies) {
      await publish('news', body);
      await publish('own.3', body);
      await publish('unfollowed', body);
    }
    await until('all delivered', () => total() >= bodies.length * 10);
    await close();
    await server.close();
    for (let i = 0; i < 9; i++) {
      const bySeq = [...(got.get(i) ?? [])].sort((a, b) => a.seq - b.seq);
      assert.deepEqual(
        bySeq.filter((e) => e.topic === 'news').map((e) => e.body),
        bodies,
      );
      assert.deepEqual(
        bySeq.filter((e) => e.topic !== 'news').map((e) => [e.topic, e.body]),
        i === 3 ? bodies.map((body) => ['own.3', body]) : [],
      );
      for (const event of bySeq) assert.equal(event.crc, crc32(event.body));
    }
    assert.equal(got.get(9), undefined);
    assert.deepEqual(problems, []);
  },

  async 'a subscriber that leaves and comes back has missed nothing'(t, variant) {
    const halves = await bothHalves(t, variant, () => ['a']);
    const { server, load, got, problems, isHeld, subscribe, publish, total, seqs, close } = halves;
    await subscribe(10);
    await publish('a', 'all are there');
    await until('all have it', () => total() === 10);
    for (let i = 0; i < 5; i++) load.leave?.(i);
    if (isHeld) await until('they are gone', () => server.subscribers() <= 5);
    const stayersHave = (count: number) =>
      until(`those who stayed have ${count}`, () =>
        [5, 6, 7, 8, 9].every((i) => got.get(i)?.length === count),
      );
    const away = () => [0, 1, 2, 3, 4].map((i) => got.get(i)?.length);
    // Who asks on a schedule still takes in the answer that was under way; one round later there is none.
    await publish('a', '0');
    await stayersHave(2);
    if (!isHeld) await sleep(2 * (variant.entry.asksEveryMs?.(variant.options) ?? 0));
    const before = isHeld ? [1, 1, 1, 1, 1] : away();
    for (const body of ['1', '2']) await publish('a', body);
    await stayersHave(4);
    assert.deepEqual(away(), before, 'who is away gets nothing');
    for (let i = 0; i < 5; i++) load.comeBack?.(i);
    await until('all delivered', () => total() >= 40);
    await publish('a', 'all are back');
    await until('all live again', () => total() >= 50);
    await close();
    await server.close();
    for (let i = 0; i < 10; i++) assert.deepEqual(seqs(i, 'a').sort(), [1, 2, 3, 4, 5]);
    assert.deepEqual(problems, []);
  },

  async 'both sides count the same, to the byte'(t, variant) {
    const halves = await bothHalves(t, variant, (i) => ['news', `own.${i}`]);
    const { server, counters, subscribe, publish, total, held, close, allClosed } = halves;
    await subscribe(10);
    for (let i = 0; i < 30; i++) await publish(i % 2 === 0 ? 'news' : `own.${i % 10}`, bodies[i % 4]!);
    await until('all delivered', () => total() >= 15 * 10 + 15);
    await held(10);
    await close();
    await allClosed();
    assert.deepEqual(disagreements(server.counters(), counters), []);
    assert.ok(requestsOf(counters) > 0 && counters.bytesIn > 0 && counters.bytesOut > 0);
    assert.equal(counters.events, total());
    assert.equal(counters.errors, 0);
    await server.close();
  },
};

/** What the two sides count differently; holds that ended while their subscribers left explain themselves. */
export function disagreements(server: Counters, client: Counters) {
  return crossCheck(server, client).filter(({ agree, note }) => !agree && !note.startsWith('holds ended'));
}
