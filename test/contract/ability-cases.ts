// Holds a case for each ability that a pattern may lack. Where it can be seen, a lack is checked to be one.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { nowUs } from '../../core/base/clock.ts';
import type { Ability } from '../../core/pattern/pattern.ts';
import { createSenders } from '../../load/publisher/publishing-subscribers.ts';
import { skipWhen } from '../skip.ts';
import { bothHalves, until } from './both-halves.ts';
import { disagreements, type ContractCase } from './cases.ts';

const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);

export const abilityCases: Readonly<Record<Ability, ContractCase>> = {
  async resume(t, variant) {
    skipWhen(t, variant.entry.lacks.resume);
    const halves = await bothHalves(t, variant, () => ['a']);
    const { server, counters, isHeld, subscribe, publish, total, seqs, held, close } = halves;
    await subscribe(20);
    for (let i = 0; i < 100; i++) {
      await publish('a', `${i}`);
      if (i % 25 !== 12) continue;
      await held(10); // a long poll is held again, and can be cut
      if (!isHeld) await sleep(20);
      server.disconnect(0.5);
    }
    await until('all delivered', () => total() >= 2000);
    await sleep(100); // a duplicate would come now
    await close();
    await server.close();
    for (let i = 0; i < 20; i++) assert.deepEqual(seqs(i, 'a'), upTo(100));
    assert.ok(counters.reconnects > 0 || counters.connectionsOpened > 20, 'connections were cut');
  },

  async order(t, variant) {
    skipWhen(t, variant.entry.lacks.order);
    const halves = await bothHalves(t, variant, () => ['a', 'b']);
    const { server, subscribe, publish, total, seqs, close } = halves;
    await subscribe(5);
    for (let i = 0; i < 200; i++) await publish(i % 3 === 0 ? 'b' : 'a', `${i}`);
    await until('all delivered', () => total() >= 1000);
    await close();
    await server.close();
    for (let i = 0; i < 5; i++) {
      assert.deepEqual(seqs(i, 'a'), upTo(133));
      assert.deepEqual(seqs(i, 'b'), upTo(67));
    }
  },

  /** Who lacks it publishes with requests of its own, which are acknowledged and delivered all the same. */
  async upstream(t, variant) {
    const { lacks, httpVersion } = variant.entry;
    const isHttp1 = (httpVersion?.(variant.options) ?? 'h1') === 'h1';
    skipWhen(t, !isHttp1 && 'subscribers publish over HTTP/1.1');
    const halves = await bothHalves(t, variant, () => ['room']);
    const { server, load, context, got, counters, problems, subscribe, total, held, close, allClosed } =
      halves;
    await subscribe(4);
    const corpus = ['{"said":"é🎈"}', '[1, 2]', '"text"'];
    const plan = {
      offsetUs: Float64Array.from(corpus, (_, i) => i * 10_000),
      topic: Uint32Array.of(0, 0, 0),
      body: Int32Array.of(0, 1, 2),
      corpus,
    };
    const topics = [{ name: 'room', count: 1, follow: 1, first: 0 }];
    const senders = createSenders(
      { kind: 'messages', plan, sender: Int32Array.of(1, 2, 1), topics, seed: 1 },
      context,
      load,
    );
    t.onTestFinished(() => senders.close());
    const fromUs = nowUs();
    const sent = await senders.run({
      warmupFromUs: fromUs,
      fromUs,
      toUs: fromUs + 1_000_000,
      slotUs: 250_000,
    });
    // Two connections: which message the server reads first is up to the machine.
    assert.deepEqual([...sent.seq].sort(), [1, 2, 3]);
    assert.deepEqual(sent.problems, []);
    await until('all delivered', () => total() >= 12);
    await held(4);
    await close();
    senders.close();
    await allClosed();
    for (let i = 0; i < 4; i++) {
      const all = got.get(i) ?? [];
      const asSent = Array.from(sent.seq, (seq) => all.find((event) => event.seq === seq));
      assert.deepEqual(
        asSent.map((event) => event?.body),
        corpus,
      );
      for (const event of all) assert.equal(event.crc, crc32(event.body));
      assert.deepEqual(
        asSent.map((event) => event?.plannedUs),
        [0, 10_000, 20_000].map((offset) => fromUs + offset),
      );
    }
    assert.equal(counters.upstreamMessages + counters.messageRequests, 3);
    assert.equal(counters.upstreamMessages > 0, lacks.upstream === undefined, 'as `lacks` says');
    assert.deepEqual(disagreements(server.counters(), counters), []);
    assert.deepEqual(problems, []);
    await server.close();
  },

  async 'behind-nat'(t, variant) {
    const { subscribe, publish, total, listeners, close } = await bothHalves(t, variant, () => ['a']);
    await subscribe(3);
    await publish('a', 'over a connection that the subscriber has opened');
    await until('all delivered', () => total() >= 3);
    await close();
    const isReachable = variant.entry.lacks['behind-nat'] !== undefined;
    assert.equal(listeners() > 0, isReachable, 'as `lacks` says, the subscribers listen or do not');
  },
};
