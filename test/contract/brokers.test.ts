// Holds every pattern on every broker to the contract between two servers: what is published at one reaches
// those who follow at the other, and who is cut off goes on at the other from where it was, or is told that
// it comes too late.

import assert from 'node:assert/strict';
import { afterAll, describe, test } from 'vitest';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import type { Pattern } from '../../core/pattern/pattern.ts';
import { startServer } from '../../servers/start.ts';
import { accessTo, brokerKinds, cableTo, type BrokerKind, type BrokerServer } from '../broker-servers.ts';
import { skipWhen } from '../skip.ts';
import { contractLimits, loadHalf, publish, until } from './both-halves.ts';
import type { TriedVariant } from './variants.ts';

/** Brokers of this file, one of each program; what is on them has names of its own. */
const running = new Map<BrokerKind, Promise<BrokerServer>>();
afterAll(async () => {
  for (const broker of running.values()) await (await broker).stop();
});

function brokerOf(kind: BrokerKind): Promise<BrokerServer> {
  const known = running.get(kind) ?? brokerKinds[kind].start();
  running.set(kind, known);
  return known;
}

function variantsTried(): TriedVariant[] {
  return Object.keys(patterns).map((name) => {
    const pattern = name as PatternName; // one of its keys
    const entry: Pattern = patterns[pattern];
    return { ...variantOf(patterns, pattern, entry.options.parse(entry.quick ?? {})), pattern, entry };
  });
}

const subscribers = 4;
const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1);
const portOf = (url: string) => Number(new URL(url).port);

for (const kind of Object.keys(brokerKinds) as BrokerKind[])
  describe.concurrent(kind, () => {
    for (const variant of variantsTried()) {
      const { pattern, options, label } = variant;
      test(`${label}: to those at the other server, and on at the other where one left off`, async (t) => {
        const { absent, order } = brokerKinds[kind];
        skipWhen(t, pattern === 'webhook' && 'servers of webhooks share a store, not a broker');
        skipWhen(t, absent);
        const broker = accessTo(kind, await brokerOf(kind));
        const start = (seed: number) =>
          startServer({ pattern, options, limits: contractLimits, seed, broker });
        const [one, other] = await Promise.all([start(1), start(2)]);
        for (const server of [one, other]) t.onTestFinished(() => server.close());
        const cable = await cableTo({ url: one.endpoint.url, port: portOf(one.endpoint.url) });
        t.onTestFinished(cable.close);
        const half = await loadHalf(variant, () => ['a'], { ...one.endpoint, url: cable.url });
        const { load, subscribe, seqs, got, close } = half;
        const all = Array.from({ length: subscribers }, (_, i) => i);
        const haveAll = (count: number) =>
          until(`all have ${count}`, () => all.every((i) => new Set(seqs(i, 'a')).size >= count));
        await subscribe(subscribers);
        for (let seq = 1; seq <= 6; seq++)
          await publish((seq % 2 === 0 ? one : other).endpoint.publishUrl, 'a', `${seq}`, seq);
        await haveAll(6);

        for (const i of all) load.leave?.(i);
        cable.cut();
        for (let seq = 7; seq <= 9; seq++) await publish(one.endpoint.publishUrl, 'a', `${seq}`, seq);
        cable.mend(portOf(other.endpoint.url));
        for (const i of all) load.comeBack?.(i);
        await haveAll(9);
        await publish(one.endpoint.publishUrl, 'a', '10', 10);
        await haveAll(10);
        await close();
        const { resets, brokerGaps } = other.counters();
        assert.equal(brokerGaps, 0);
        if (order) {
          assert.equal(resets, 0);
          for (const i of all) assert.deepEqual(seqs(i, 'a'), upTo(10));
        } else {
          // Of another server's epoch: told, and counted.
          assert.equal(resets, subscribers);
          for (const i of all) assert.deepEqual([...new Set(seqs(i, 'a'))], upTo(10));
        }
        for (const i of all) for (const { seq, body } of got.get(i) ?? []) assert.equal(body, `${seq}`);
      });
    }
  });
