// Drains a server of Server-Sent Events whose clients share HTTP/2 connections, with Node's own client and
// with ours.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, constants } from 'node:http2';
import { test } from 'vitest';
import { random } from '../../core/base/random.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { newCounters } from '../../core/result/counters.ts';
import { sse as sseLoad } from '../../load/sse.ts';
import { until } from './http/raw-http.ts';
import { reader } from './sse-clients.ts';
import { serve } from './streams.ts';

for (const over of ['h2', 'h2c'] as const)
  test(`${over}: GOAWAY comes with a session's first goodbye, and its other streams go on`, async (t) => {
    const { endpoint, drain, joined, publish } = await serve(t, 'sse', { over });
    const { url, certificate } = endpoint;
    const session = connectHttp2(url, certificate === undefined ? {} : { ca: certificate });
    t.onTestFinished(() => session.destroy());
    const goaway = once(session, 'goaway');
    const streams = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const stream = session.request({ ':path': '/events?topics=a' });
        const got = reader();
        stream.on('data', got.feed);
        await once(stream, 'response');
        return { ended: once(stream, 'end').then(() => performance.now()), ...got };
      }),
    );
    await joined(4);
    const closed = once(session, 'close');
    const beganMs = performance.now();
    const drained = drain({ windowMs: 600, limitMs: 10_000 });
    const [code] = (await goaway) as [number];
    assert.equal(code, constants.NGHTTP2_NO_ERROR);
    const first = await streams[0]!.ended;
    publish('a', '1');
    const ends = [first, ...(await Promise.all(streams.slice(1).map(({ ended }) => ended)))];
    for (const [i, atMs] of ends.entries())
      assert.ok(atMs - beganMs >= 150 * i - 2, `stream ${i} ended early`);
    assert.deepEqual(
      streams.map(({ events, retries }) => [events.length, retries.length]),
      [0, 1, 1, 1].map((events) => [events, 2]),
    );
    await closed;
    const { told, left, closedAtLimit } = await drained;
    assert.deepEqual([told, left, closedAtLimit], [4, 4, 0]);
  });

test('our clients on a shared connection come back on another, and are refused while it lasts', async (t) => {
  const { endpoint, drain, joined, count } = await serve(t, 'sse', { over: 'h2c', retry: '20ms' });
  const problems = new Set<string>();
  const ready = new Set<number>();
  const counters = newCounters();
  const load = await sseLoad.start(
    {
      endpoint,
      counters,
      reconnect: { base: 20, cap: 50 },
      random: random(1, 'drain'),
      topicsOf: () => ['a'],
      sourceAddress: () => '127.0.0.1',
      sink: {
        ready: (subscriber) => void ready.add(subscriber),
        lost: (subscriber) => void ready.delete(subscriber),
        reset() {},
        gone() {},
        event: () => true,
        problem: (code) => void problems.add(code),
      },
    },
    patterns.sse.options.parse({ over: 'h2c' }),
  );
  t.onTestFinished(() => load.close(100));
  for (let i = 0; i < 10; i++) load.open(i);
  await joined(10);
  await until('all are ready', () => ready.size === 10);
  const { told, left } = await drain({ windowMs: 200, limitMs: 5000 });
  assert.deepEqual([told, left], [10, 10]);
  await until('each was refused', () => count('refusals')[0]! >= 10);
  assert.equal(ready.size, 0, 'a refusal is no subscription');
  // A request that crosses a GOAWAY on the way is refused as a stream (RFC 9113, section 8.7).
  problems.delete('ERR_HTTP2_STREAM_ERROR');
  assert.deepEqual([...problems], ['sse-refused']);
  assert.ok(counters.connectionsOpened > 1);
});
