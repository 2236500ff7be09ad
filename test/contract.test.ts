// The contract that every pattern passes, both halves together over real sockets: every event to every
// follower, byte for byte, in order, across cut connections, with both sides counting the same. What a
// pattern cannot do stands in its `lacks` with the reason, and the test is skipped with that reason.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { describe, onTestFinished, test } from 'vitest';
import { nowUs } from '../core/base/clock.ts';
import { newCounters, requestsOf, type Counters } from '../core/result/counters.ts';
import { decodeEnvelope, type Envelope } from '../core/event/envelope.ts';
import type { Ability } from '../core/pattern/pattern.ts';
import { patterns, type PatternName } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import { random } from '../core/base/random.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { crossCheck } from '../harness/trial/cross-check.ts';
import type { LoadContext } from '../load/pattern.ts';
import { loads } from '../load/registry.ts';
import { createSenders } from '../load/publisher/publishing-subscribers.ts';
import { startServer } from '../servers/start.ts';
import { skipWhen } from './skip.ts';

/** Every pattern as it comes, and the variants that take another path through the code. */
const variants: [PatternName, Record<string, unknown>][] = [
  ['polling', { every: '50ms' }],
  ['polling', { every: '50ms', conditional: false }],
  ['polling', { every: '50ms', connection: 'close' }],
  ['polling', { every: '50ms', gzip: true }],
  ['long-polling', {}],
  ['long-polling', { gzip: true }],
  ['long-polling', { hold: '100ms', batch: '20ms' }],
  ['long-polling', { connection: 'close' }],
  ['http-stream', { heartbeat: '50ms' }],
  ['http-stream', { heartbeat: '50ms', gzip: true }],
  ['sse', { heartbeat: '50ms' }],
  ['sse', { heartbeat: '50ms', gzip: true }],
  ['sse', { over: 'h2' }],
  ['sse', { over: 'h2', gzip: true }],
  ['sse', { over: 'h2c' }],
  ['sse', { over: 'h2c', gzip: true }],
  ['websocket', { ping: '50ms' }],
  ['websocket', { deflate: true }],
  ['webhook', { retries: ['50ms', '50ms', '100ms', '200ms'] }],
  ['webhook', { retries: ['50ms', '50ms', '100ms', '200ms'], scheme: 'stripe' }],
];

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

type Got = Map<number, Envelope[]>;

async function setUp(
  pattern: PatternName,
  given: Record<string, unknown>,
  topicsOf: (subscriber: number) => string[],
) {
  const { options } = variantOf(patterns, pattern, patterns[pattern].options.parse(given));
  const server = await startServer({
    pattern,
    options,
    limits: { ...defaultLimits, slowBuffer: 64 * 1024 ** 2 },
    seed: 1,
  });
  const counters = newCounters();
  const got: Got = new Map();
  const ready: number[] = [];
  const problems: string[] = [];
  const context: LoadContext = {
    endpoint: server.endpoint,
    counters,
    reconnect: { base: 20, cap: 100 },
    random: random(1, 'contract'),
    topicsOf,
    sourceAddress: () => '127.0.0.1',
    sink: {
      ready: (subscriber) => ready.push(subscriber),
      lost() {},
      event(subscriber, bytes, from, to) {
        const events = got.get(subscriber) ?? [];
        got.set(subscriber, events);
        events.push(decodeEnvelope(bytes.toString('utf8', from, to)));
        return true;
      },
      problem: (code, message) => problems.push(`${code}: ${message}`),
    },
  };
  // Parsed by this very pattern's schema.
  const load = await (await loads[pattern]()).start(context, options as never);
  return { server, load, context, counters, got, ready, problems };
}

async function until(what: string, holds: () => boolean, withinMs = 15_000): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > limit) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(5);
  }
}

async function publish(url: string, topic: string, body: string): Promise<void> {
  const stamp = String(nowUs());
  const headers = {
    'pushbench-planned': stamp,
    'pushbench-sent': stamp,
    'pushbench-crc': String(crc32(body)),
    'content-type': 'text/plain',
  };
  const response = await fetch(`${url}/topics/${topic}`, { method: 'POST', body, headers });
  assert.equal(response.status, 201, await response.text());
}

const total = (got: Got) => [...got.values()].reduce((sum, events) => sum + events.length, 0);
const seqs = (events: Envelope[] | undefined, topic: string) =>
  (events ?? []).filter((event) => event.topic === topic).map((event) => event.seq);

for (const [pattern, given] of variants) {
  const { label } = variantOf(patterns, pattern, patterns[pattern].options.parse(given));
  const skip = (ability: Ability) =>
    (patterns[pattern].lacks as Partial<Record<Ability, string>>)[ability] ?? false;

  describe(label, () => {
    test('every event reaches every follower of its topic, byte for byte, and nobody else', async () => {
      const { server, load, got, ready, problems } = await setUp(pattern, given, (i) =>
        i === 9 ? ['quiet'] : ['news', `own.${i}`],
      );
      onTestFinished(() => server.close());
      for (let i = 0; i < 10; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 10);
      for (const body of bodies) {
        await publish(server.endpoint.publishUrl, 'news', body);
        await publish(server.endpoint.publishUrl, 'own.3', body);
        await publish(server.endpoint.publishUrl, 'unfollowed', body);
      }
      await until('all delivered', () => total(got) >= bodies.length * 10);
      await load.close(1000);
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
    });

    test('a topic arrives in sequence under a fast publisher', async (t) => {
      skipWhen(t, skip('order'));
      const { server, load, got, ready } = await setUp(pattern, given, () => ['a', 'b']);
      onTestFinished(() => server.close());
      for (let i = 0; i < 5; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 5);
      for (let i = 0; i < 200; i++)
        await publish(server.endpoint.publishUrl, i % 3 === 0 ? 'b' : 'a', `${i}`);
      await until('all delivered', () => total(got) >= 1000);
      await load.close(1000);
      await server.close();
      for (let i = 0; i < 5; i++) {
        assert.deepEqual(
          seqs(got.get(i), 'a'),
          Array.from({ length: 133 }, (_, k) => k + 1),
        );
        assert.deepEqual(
          seqs(got.get(i), 'b'),
          Array.from({ length: 67 }, (_, k) => k + 1),
        );
      }
    });

    test('cut connections lose nothing and double nothing', async (t) => {
      skipWhen(t, skip('resume'));
      const { server, load, got, ready, counters } = await setUp(pattern, given, () => ['a']);
      onTestFinished(() => server.close());
      for (let i = 0; i < 20; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 20);
      for (let i = 0; i < 100; i++) {
        await publish(server.endpoint.publishUrl, 'a', `${i}`);
        if (i % 25 !== 12) continue;
        await sleep(20); // a long poll is held again, and can be cut
        server.disconnect(0.5);
      }
      await until('all delivered', () => total(got) >= 2000);
      await sleep(100); // a duplicate would come now
      await load.close(1000);
      await server.close();
      for (let i = 0; i < 20; i++)
        assert.deepEqual(
          seqs(got.get(i), 'a'),
          Array.from({ length: 100 }, (_, k) => k + 1),
        );
      assert.ok(counters.reconnects > 0 || counters.connectionsOpened > 20, 'connections were cut');
    });

    test('who leaves and comes back has missed nothing', async () => {
      const { server, load, got, ready, problems } = await setUp(pattern, given, () => ['a']);
      onTestFinished(() => server.close());
      for (let i = 0; i < 10; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 10);
      await publish(server.endpoint.publishUrl, 'a', 'all are there');
      await until('all have it', () => total(got) === 10);
      for (let i = 0; i < 5; i++) load.leave?.(i);
      await until(
        'they are gone',
        () => server.subscribers() <= 5 || !patterns[pattern].holdsConnection || pattern === 'polling',
      );
      for (let i = 0; i < 3; i++) await publish(server.endpoint.publishUrl, 'a', `${i}`);
      await until('those who stayed have all', () => [5, 6, 7, 8, 9].every((i) => got.get(i)?.length === 4));
      assert.ok(
        [0, 1, 2, 3, 4].every((i) => got.get(i)?.length === 1),
        'who is away gets nothing',
      );
      for (let i = 0; i < 5; i++) load.comeBack?.(i);
      await until('all delivered', () => total(got) >= 40);
      await publish(server.endpoint.publishUrl, 'a', 'all are back');
      await until('all live again', () => total(got) >= 50);
      await load.close(1000);
      await server.close();
      for (let i = 0; i < 10; i++) assert.deepEqual(seqs(got.get(i), 'a').sort(), [1, 2, 3, 4, 5]);
      assert.deepEqual(problems, []);
    });

    test('what subscribers publish is acknowledged and reaches all followers', async (t) => {
      skipWhen(t, given['over'] === undefined ? false : 'subscribers publish over HTTP/1.1');
      const { server, load, context, got, ready, counters, problems } = await setUp(pattern, given, () => [
        'room',
      ]);
      onTestFinished(() => server.close());
      for (let i = 0; i < 4; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 4);
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
      onTestFinished(() => senders.close());
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
      await until('all delivered', () => total(got) >= 12);
      await load.close(1000);
      senders.close();
      await until(
        'the server has seen every connection close',
        () => server.counters().connectionsOpened === server.counters().connectionsClosed,
      );
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
      assert.equal(counters.upstreamMessages > 0, !('upstream' in patterns[pattern].lacks));
      assert.deepEqual(
        crossCheck(server.counters(), counters).filter((check) => !check.agree),
        [],
      );
      assert.deepEqual(problems, []);
      await server.close();
    });

    test('both sides count the same, to the byte', async () => {
      const { server, load, got, ready, counters } = await setUp(pattern, given, (i) => ['news', `own.${i}`]);
      onTestFinished(() => server.close());
      for (let i = 0; i < 10; i++) load.open(i);
      await until('all subscribed', () => new Set(ready).size === 10);
      for (let i = 0; i < 30; i++)
        await publish(server.endpoint.publishUrl, i % 2 === 0 ? 'news' : `own.${i % 10}`, bodies[i % 4]!);
      await until('all delivered', () => total(got) >= 15 * 10 + 15);
      await load.close(1000);
      await until('the server has seen every connection close', () => {
        const { connectionsOpened, connectionsClosed } = server.counters();
        return connectionsOpened === connectionsClosed;
      });
      const seen: Counters = server.counters();
      assert.deepEqual(
        crossCheck(seen, counters).filter((check) => !check.agree),
        [],
      );
      assert.ok(requestsOf(counters) > 0 && counters.bytesIn > 0 && counters.bytesOut > 0);
      assert.equal(counters.events, total(got));
      assert.equal(counters.errors, 0);
      await server.close();
    });
  });
}
