// The largest body that is allowed passes through every pattern, server and load client together, in every
// form: as JSON, as text that takes six times its bytes, compressed, over HTTP/2, and from a subscriber.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { describe, onTestFinished, test } from 'vitest';
import { nowUs } from '../../core/base/clock.ts';
import { random } from '../../core/base/random.ts';
import { largestBodyBytes, largestMessageBytes } from '../../core/event/body-size.ts';
import { locate, newLocated } from '../../core/event/envelope.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import { newCounters } from '../../core/result/counters.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import type { LoadContext } from '../../load/pattern.ts';
import { createSenders } from '../../load/publisher/publishing-subscribers.ts';
import { loads } from '../../load/registry.ts';
import { startServer } from '../../servers/start.ts';

const variants: [PatternName, Record<string, unknown>][] = [
  ['polling', { every: '300ms' }],
  ['polling', { every: '300ms', gzip: true }],
  ['long-polling', { batch: '200ms' }],
  ['long-polling', { gzip: true }],
  ['http-stream', {}],
  ['http-stream', { gzip: true }],
  ['sse', {}],
  ['sse', { gzip: true }],
  ['sse', { over: 'h2' }],
  ['sse', { over: 'h2c', gzip: true }],
  ['websocket', {}],
  ['websocket', { deflate: true }],
  ['webhook', {}],
];

/** JSON of so many bytes. */
const jsonOf = (bytes: number) => `{"text":"${'é'.repeat((bytes - 12) / 2)}."}`;
const largest = jsonOf(largestBodyBytes);
/** As large, and not JSON: each byte travels as six. */
const escaped = '\u0001'.repeat(largestBodyBytes);

type Got = { bytes: number; crc: number; messageBytes: number };

async function setUp(pattern: PatternName, given: Record<string, unknown>) {
  const { options } = variantOf(patterns, pattern, patterns[pattern].options.parse(given));
  const limits = {
    ...defaultLimits,
    maxBody: largestBodyBytes,
    slowBuffer: 8 * largestBodyBytes,
    historySize: 16 * largestBodyBytes,
  };
  const server = await startServer({ pattern, options, limits, seed: 1 });
  onTestFinished(() => server.close());
  const got: Got[] = [];
  const problems: string[] = [];
  let ready = false;
  const at = newLocated();
  const context: LoadContext = {
    endpoint: server.endpoint,
    counters: newCounters(),
    reconnect: { base: 20, cap: 100 },
    random: random(1, 'largest'),
    topicsOf: () => ['a'],
    sourceAddress: () => '127.0.0.1',
    sink: {
      ready: () => void (ready = true),
      lost() {},
      reset() {},
      gone() {},
      event(_subscriber, bytes, from, to) {
        assert.ok(locate(bytes, from, to, at));
        const raw = bytes.subarray(at.bodyFrom, at.bodyTo);
        const body = at.quoted ? Buffer.from(JSON.parse(raw.toString()) as string) : raw; // a JSON string
        got.push({ bytes: body.length, crc: crc32(body), messageBytes: to - from });
        return true;
      },
      problem: (code, message) => problems.push(`${code}: ${message}`),
    },
  };
  // Parsed by this very pattern's schema.
  const load = await (await loads[pattern]()).start(context, options as never);
  onTestFinished(() => load.close(0));
  load.open(0);
  await until(() => ready);
  return { server, load, context, got, problems };
}

async function until(holds: () => boolean): Promise<void> {
  const limitMs = performance.now() + 60_000;
  while (!holds()) {
    assert.ok(performance.now() < limitMs, 'it did not come within a minute');
    await sleep(10);
  }
}

async function publish(url: string, body: string): Promise<number> {
  const response = await fetch(`${url}/topics/a`, { method: 'POST', body });
  await response.text();
  return response.status;
}

for (const [pattern, given] of variants) {
  describe(variantOf(patterns, pattern, patterns[pattern].options.parse(given)).label, () => {
    test('the largest bodies arrive, one behind another; one byte more is refused', async () => {
      const { server, got, problems } = await setUp(pattern, given);
      // An answer to a poll may end with `escaped`, for `almost` alone does not fill it.
      const almost = jsonOf(largestBodyBytes - 1024);
      for (const body of [largest, almost, escaped])
        assert.equal(await publish(server.endpoint.publishUrl, body), 201);
      assert.equal(await publish(server.endpoint.publishUrl, `${largest} `), 413);
      await until(() => got.length >= 3 || problems.length > 0);
      assert.deepEqual(problems, []);
      const bySize = got.toSorted((a, b) => a.messageBytes - b.messageBytes);
      assert.deepEqual(
        bySize.map(({ bytes, crc }) => [bytes, crc]),
        [almost, largest, escaped].map((body) => [Buffer.byteLength(body), crc32(body)]),
      );
      const { messageBytes } = bySize.at(-1)!;
      assert.ok(messageBytes > 6 * largestBodyBytes && messageBytes <= largestMessageBytes);
    });

    // What goes up is never compressed, and goes over HTTP/1.1 or the socket.
    if (given['over'] !== undefined || given['gzip'] === true) return;
    test('as does the largest that a subscriber publishes', async () => {
      const { load, context, got, problems } = await setUp(pattern, given);
      const plan = {
        offsetUs: Float64Array.of(0),
        topic: Uint32Array.of(0),
        body: Int32Array.of(0),
        corpus: [largest],
      };
      const topics = [{ name: 'a', count: 1, follow: 1, first: 0 }];
      const senders = createSenders(
        { kind: 'messages', plan, sender: Int32Array.of(0), topics, seed: 1 },
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
      assert.deepEqual([[...sent.seq], sent.problems], [[1], []]);
      await until(() => got.length > 0);
      assert.deepEqual([got[0]!.bytes, got[0]!.crc, problems], [largestBodyBytes, crc32(largest), []]);
    });
  });
}
