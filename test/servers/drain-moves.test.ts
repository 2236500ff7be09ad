// Drains servers of each pattern while our own clients follow, who find another server behind a proxy or in a
// list: nobody loses an event, nobody is refused on the way, and an advice is obeyed.

import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'vitest';
import { random } from '../../core/base/random.ts';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { newCounters } from '../../core/result/counters.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import type { PatternLoad } from '../../load/pattern.ts';
import { loads } from '../../load/registry.ts';
import { createHub } from '../../servers/hub/hub.ts';
import { startServerOn } from '../../servers/start.ts';
import { testContext } from '../load/context.ts';
import { clientsOf } from './drain-clients.ts';
import { until } from './http/raw-http.ts';
import { serve } from './streams.ts';

const streaming = Object.keys(clientsOf) as PatternName[];
const count = 50;

/** One address in front of servers: each new connection goes to the server that `pick` names. */
async function front(t: TestContext, pick: () => string): Promise<string> {
  const server = createServer((client) => {
    const { hostname, port } = new URL(pick());
    const behind = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ways = streaming.flatMap((pattern) => [[pattern, 'a proxy'] as const, [pattern, 'a list'] as const]);

test.for(ways)(
  '%s: our clients move to another server by %s and lose no event',
  async ([pattern, way], t) => {
    const hub = createHub(defaultLimits);
    const chosen = pattern === 'sse' ? { retry: '50ms' } : pattern === 'polling' ? { every: '5ms' } : {};
    const options = patterns[pattern].options.parse(chosen);
    const given = { pattern, options, limits: defaultLimits };
    const [old, fresh] = await Promise.all([1, 2].map((seed) => startServerOn(hub, { ...given, seed })));
    let current = old!;
    const urls = [old!, fresh!].map(({ endpoint }) => endpoint.url);
    const isList = way === 'a list';
    const url = isList ? urls[0]! : await front(t, () => current.endpoint.url);
    const got = Array.from({ length: count }, (): number[] => []);
    const ready = new Set<number>();
    const problems: string[] = [];
    const load = await (
      await loads[pattern]()
    ).start(
      {
        endpoint: { url, over: 'h1', publishUrl: url, ...(isList && { urls }) },
        counters: newCounters(),
        reconnect: { base: 20, cap: 100 },
        random: random(1, 'drain'),
        topicsOf: () => ['a'],
        sourceAddress: () => '127.0.0.1',
        sink: {
          ready: (subscriber) => void ready.add(subscriber),
          lost: (subscriber) => void ready.delete(subscriber),
          reset() {},
          gone() {},
          event(subscriber, bytes, from, to) {
            got[subscriber]!.push(decodeEnvelope(bytes.toString('utf8', from, to)).seq);
            return true;
          },
          problem: (code) => void problems.push(code),
        },
      },
      options as never, // parsed by this very pattern's schema
    );
    t.onTestFinished(async () => {
      await load.close(100);
      await Promise.all([old!.close(), fresh!.close()]);
    });
    for (let i = 0; i < count; i++) load.open(i);
    await until('all are there', () => ready.size === count);
    let published = 0;
    const publisher = setInterval(() => void hub.publish('a', `${++published}`, {}), 5);
    t.onTestFinished(() => clearInterval(publisher));
    await until('some have come', () => got.every((seqs) => seqs.length > 3));
    current = fresh!; // as a proxy does: no new connections to the one that is drained next
    const there = isList ? count / 2 : count;
    const { told, left, closedAtLimit } = await old!.drain({ windowMs: 300, limitMs: 5000 });
    assert.deepEqual([told, left, closedAtLimit], [there, there, 0]);
    await until('all are back', () => ready.size === count);
    clearInterval(publisher);
    await until('all have the last', () => got.every((seqs) => seqs.at(-1) === published));
    // Each sequence goes up by one: nothing is missed, doubled or out of order.
    const breaks = got.flatMap((seqs, who) =>
      seqs.flatMap((seq, i) => (i > 0 && seq !== seqs[i - 1]! + 1 ? [`${who}: ${seqs[i - 1]}, ${seq}`] : [])),
    );
    assert.deepEqual(breaks.slice(0, 5), []);
    assert.equal(old!.subscribers(), 0);
    // They went where they were taken: nobody was refused on the way.
    assert.deepEqual([problems, old!.counters().refusals], [[], 0]);
  },
);

test.for(streaming.filter((pattern) => pattern !== 'polling'))(
  '%s: our clients wait as they are advised, each for its own time',
  async (pattern, t) => {
    const old = await serve(t, pattern);
    const fresh = await serve(t, pattern);
    const backMs: number[] = [];
    const seen = testContext(old.url, { urls: [old.url, fresh.url] });
    // Each pattern's options are parsed by its own schema.
    const start = (await loads[pattern]()) as PatternLoad<unknown>;
    const load = await start.start(seen.context, patterns[pattern].options.parse({}));
    t.onTestFinished(() => load.close(100));
    for (let i = 0; i < 40; i += 2) load.open(i); // those whose first server is the first
    await old.joined(20);
    const beganMs = performance.now();
    const look = setInterval(() => {
      while (backMs.length < fresh.subscribers()) backMs.push(performance.now() - beganMs);
    }, 2);
    t.onTestFinished(() => clearInterval(look));
    await old.drain({ windowMs: 0, limitMs: 5000, adviseMs: 1000 });
    await until('all are back', () => backMs.length === 20);
    // Of 20 who came at once, or after the scenario's own wait of 20 ms, none would be so late.
    assert.ok(backMs[9]! > 200, `the half was back after ${backMs[9]} ms`);
    assert.ok(new Set(backMs.map((ms) => Math.floor(ms / 100))).size >= 4, String(backMs));
  },
);
