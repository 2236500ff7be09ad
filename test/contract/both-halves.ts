// Puts a pattern's server and its subscribers together over real sockets, for the contract suite.

import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { TestContext } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import { random } from '../../core/base/random.ts';
import { decodeEnvelope, type Envelope } from '../../core/event/envelope.ts';
import { newCounters } from '../../core/result/counters.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { LoadContext } from '../../load/pattern.ts';
import { ownConnectorOf } from '../../load/ramp.ts';
import { loads } from '../../load/registry.ts';
import { startServer } from '../../servers/start.ts';
import type { TriedVariant } from './variants.ts';

type Got = Map<number, Envelope[]>;
export type BothHalves = Awaited<ReturnType<typeof bothHalves>>;

/** What the subscribers of a case have opened for others to connect to. */
const opened = new AsyncLocalStorage<{ listeners: number }>();
channel('tracing:net.server.listen:asyncStart').subscribe(() => {
  const mine = opened.getStore();
  if (mine) mine.listeners++;
});

/**
 * A server and a load side that is not subscribed yet; both end with the test.
 * @param topicsOf the topics of a subscriber
 */
export async function bothHalves(
  t: TestContext,
  variant: TriedVariant,
  topicsOf: (subscriber: number) => string[],
) {
  const { pattern, options, setup } = variant;
  const server = await startServer({ pattern, options, seed: 1, ...setup, limits: contractLimits });
  t.onTestFinished(() => server.close());
  const half = await loadHalf(variant, topicsOf, server.endpoint);
  return {
    ...half,
    server,
    /** Resolves when the server holds something for this many, where it holds anything. */
    held: async (count: number) => {
      if (half.isHeld) await until(`${count} are held`, () => server.subscribers() >= count);
    },
    publish: (topic: string, body: string) => publish(server.endpoint.publishUrl, topic, body),
    /** Resolves when the server has seen every connection close. */
    allClosed: () =>
      until('the server has seen every connection close', () => {
        const { connectionsOpened, connectionsClosed } = server.counters();
        return connectionsOpened === connectionsClosed;
      }),
  };
}

export const contractLimits = { ...defaultLimits, slowBuffer: 64 * 1024 ** 2 };

/** A load side that is not subscribed yet. */
export async function loadHalf(
  { pattern, options, entry }: TriedVariant,
  topicsOf: (subscriber: number) => string[],
  endpoint: Endpoint,
) {
  const counters = newCounters();
  const got: Got = new Map();
  const ready: number[] = [];
  const problems: string[] = [];
  const context: LoadContext = {
    endpoint,
    counters,
    reconnect: { base: 20, cap: 100 },
    random: random(1, 'contract'),
    topicsOf,
    sourceAddress: () => '127.0.0.1',
    sink: {
      ready: (subscriber) => ready.push(subscriber),
      lost() {},
      reset() {},
      gone() {},
      event(subscriber, bytes, from, to) {
        const events = got.get(subscriber) ?? [];
        got.set(subscriber, events);
        events.push(decodeEnvelope(bytes.toString('utf8', from, to)));
        return true;
      },
      problem: (code, message) => problems.push(`${code}: ${message}`),
    },
    ...(await ownConnectorOf(endpoint, counters)),
  };
  /** Whether the server knows who is there: a request or a connection is held for each. */
  const isHeld = entry.holdsConnection && entry.asksEveryMs === undefined;
  const mine = { listeners: 0 };
  // Parsed by this very pattern's schema.
  const start = async () => (await loads[pattern]()).start(context, options as never);
  const load = await opened.run(mine, start);
  return {
    load,
    context,
    counters,
    got,
    problems,
    listeners: () => mine.listeners,
    isHeld,
    /** Ends the load side; what is under way is waited for. */
    close: () => load.close(closeWithinMs),
    /** Opens subscribers 0 up to `count` and waits until all are subscribed. */
    async subscribe(count: number) {
      opened.run(mine, () => {
        for (let i = 0; i < count; i++) load.open(i);
      });
      await until('all subscribed', () => new Set(ready).size === count);
    },
    /** Events that arrived, over all subscribers. */
    total: () => [...got.values()].reduce((sum, events) => sum + events.length, 0),
    /** Sequence numbers of a topic in the order in which a subscriber got them. */
    seqs: (subscriber: number, topic: string) =>
      (got.get(subscriber) ?? []).filter((event) => event.topic === topic).map(({ seq }) => seq),
  };
}

/** Longer than a request takes on a machine that is busy with other things. */
const closeWithinMs = 15_000;

/** Fails when `holds` does not come true in time. */
export async function until(what: string, holds: () => boolean, withinMs = 30_000): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > limit) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

/** @param seq the publisher's own number, which is the event's key too */
export async function publish(url: string, topic: string, body: string, seq?: number): Promise<void> {
  const stamp = String(nowUs());
  const headers = {
    ...(seq !== undefined && { 'pushbench-seq': String(seq), 'idempotency-key': `"${topic}-${seq}"` }),
    'pushbench-planned': stamp,
    'pushbench-sent': stamp,
    'pushbench-crc': String(crc32(body)),
    'content-type': 'text/plain',
  };
  const response = await fetch(`${url}/topics/${topic}`, { method: 'POST', body, headers });
  assert.equal(response.status, 201, await response.text());
}
