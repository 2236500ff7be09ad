// Runs several servers in one process: by themselves, so that none notices another, and on hubs that share
// their events through a broker that is late, with each pattern as it is.

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, test, type TestContext } from 'vitest';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { random } from '../../core/base/random.ts';
import { newCounters } from '../../core/result/counters.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { loads } from '../../load/registry.ts';
import { RequestError } from '../../servers/http/request.ts';
import { TooManyTopics } from '../../servers/hub/hub.ts';
import { startServer, startServerOn } from '../../servers/start.ts';
import { placeNumbers, type SharedHubs } from './hub/shared-brokers.ts';
import { until } from './http/raw-http.ts';
import { serve } from './streams.ts';
import { open } from './websocket-clients.ts';

const given: Partial<Record<PatternName, Record<string, unknown>>> = {
  polling: { every: '20ms' },
  sse: { retry: '0s' },
};
const optionsOf = (pattern: PatternName) => patterns[pattern].options.parse(given[pattern] ?? {});

/** Subscribers of the pattern's own client, with the bodies that each got. */
async function follow(
  t: TestContext,
  pattern: PatternName,
  { endpoint }: { endpoint: Awaited<ReturnType<typeof startServer>>['endpoint'] },
  count: number,
) {
  const got = Array.from({ length: count }, (): string[] => []);
  const ready = new Set<number>();
  const load = await (
    await loads[pattern]()
  ).start(
    {
      endpoint,
      counters: newCounters(),
      reconnect: { base: 20, cap: 100 },
      random: random(1, 'several'),
      topicsOf: () => ['a'],
      sourceAddress: () => '127.0.0.1',
      sink: {
        ready: (subscriber) => void ready.add(subscriber),
        lost() {},
        reset() {},
        gone() {},
        event(subscriber, bytes, from, to) {
          got[subscriber]!.push(decodeEnvelope(bytes.toString('utf8', from, to)).body);
          return true;
        },
        problem() {},
      },
    },
    optionsOf(pattern) as never, // parsed by this very pattern's schema
  );
  t.onTestFinished(() => load.close(100));
  for (let i = 0; i < count; i++) load.open(i);
  await until('all subscribed', () => ready.size === count);
  return got;
}

async function post(url: string, body: string): Promise<{ id: string; seq: number }> {
  const response = await fetch(`${url}/topics/a`, { method: 'POST', body });
  assert.equal(response.status, 201);
  return (await response.json()) as { id: string; seq: number };
}

/** Two servers on shared hubs; the second gets what is published late and one event a turn. */
async function serveTwo(t: TestContext, pattern: PatternName, shared: SharedHubs) {
  const limits = defaultLimits;
  const servers = await Promise.all(
    shared.hubs.map((hub, i) =>
      startServerOn(hub, { pattern, options: optionsOf(pattern), limits, seed: i }),
    ),
  );
  for (const server of servers)
    t.onTestFinished(() => {
      server.disconnect(1);
      return server.close();
    });
  return servers;
}

const lateHubs = () =>
  placeNumbers(2, {}, (deliver) => {
    void turn().then(() => deliver(0));
    void turn()
      .then(() => turn())
      .then(() => deliver(1));
  });

for (const pattern of ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'] as const)
  describe(pattern, () => {
    test('two servers in a process share nothing, and one may end while the other goes on', async (t) => {
      const one = await serve(t, pattern, given[pattern]);
      const other = await serve(t, pattern, given[pattern]);
      assert.notEqual(one.hub.epoch, other.hub.epoch);
      const gotOne = await follow(t, pattern, one, 2);
      const gotOther = await follow(t, pattern, other, 2);
      await post(one.endpoint.publishUrl, 'one');
      await post(other.endpoint.publishUrl, 'other');
      await until('both got theirs', () => [...gotOne, ...gotOther].every(({ length }) => length === 1));
      one.disconnect(1);
      await one.close();
      await post(other.endpoint.publishUrl, 'alone');
      await until('the other goes on', () => gotOther.every(({ length }) => length === 2));
      assert.deepEqual(gotOther, [
        ['other', 'alone'],
        ['other', 'alone'],
      ]);
      assert.deepEqual(gotOne, [['one'], ['one']]);
      assert.equal(one.hub.published(), 1);
    });

    test('subscribers of two servers that share events get all, wherever they are published', async (t) => {
      const servers = await serveTwo(t, pattern, lateHubs());
      const got = [await follow(t, pattern, servers[0]!, 2), await follow(t, pattern, servers[1]!, 2)].flat();
      const placed = [];
      for (let i = 0; i < 10; i++) placed.push(await post(servers[i % 2]!.endpoint.publishUrl, `${i}`));
      assert.deepEqual(
        placed.map(({ seq }) => seq),
        placed.map((_, i) => i + 1),
      );
      await until('all delivered', () => got.every(({ length }) => length >= 10));
      for (const bodies of got)
        assert.deepEqual(
          bodies,
          placed.map((_, i) => `${i}`),
        );
      // What one server said is a place in the other's log too.
      const [first, second] = servers;
      assert.deepEqual(second!.hub.since(['a'], placed[3]!.id), first!.hub.since(['a'], placed[3]!.id));
    });
  });

test('what a broker refuses is answered so, over HTTP and over a socket, and is no event', async (t) => {
  const shared = lateHubs();
  const [server] = await serveTwo(t, 'websocket', shared);
  const { ws, got, saw } = await open(t, server!.endpoint.url, 'topics=a');
  await saw(1);
  const failures = [new RequestError(503, 'broker-down', 'the broker is down'), new TooManyTopics('full')];
  for (const [i, error] of failures.entries()) {
    shared.fail(error);
    const response = await fetch(`${server!.endpoint.publishUrl}/topics/a`, { method: 'POST', body: '1' });
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), { error: (error as RequestError).code, message: error.message });
    shared.fail(error);
    ws.send(`{"publish":"a","ref":${i},"body":1}`);
    await saw(2 + i);
    assert.deepEqual(JSON.parse(got.at(-1)!), { refused: i, reason: error.message });
  }
  assert.equal(server!.hub.published(), 0);
  ws.send('{"publish":"a","ref":7,"body":"taken"}');
  await saw(5);
  assert.equal(decodeEnvelope(got[3]!).body, '"taken"');
  assert.deepEqual(JSON.parse(got[4]!), { ack: 7, id: 'e-1', seq: 1 });
  assert.equal(server!.counters().refusals, 4);
});
