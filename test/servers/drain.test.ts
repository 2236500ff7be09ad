// Drains servers of each pattern while other people's clients follow: when and with which words they are let
// go, who is refused meanwhile, what a straggler meets. Our own clients are drain-moves.test.ts.

import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { EventSource } from 'eventsource';
import { request } from 'undici';
import { describe, test } from 'vitest';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { newCounters } from '../../core/result/counters.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { createTokens } from '../../core/secrets/token.ts';
import type { AuthSetup } from '../../core/scenario/server-options.ts';
import { createHub } from '../../servers/hub/hub.ts';
import { longPolling } from '../../servers/long-polling.ts';
import { startServerOn } from '../../servers/start.ts';
import { clientsOf, joinAll, keptAlive } from './drain-clients.ts';
import { serve as serveAny } from './http/gate-clients.ts';
import { rawClient, until } from './http/raw-http.ts';
import { bulk, getRequest, serve, slowClient } from './streams.ts';
import { handshake, open, rawSocket } from './websocket-clients.ts';

const streaming = Object.keys(clientsOf) as PatternName[];
const optionsFor: Partial<Record<PatternName, Record<string, unknown>>> = {
  polling: { every: '5ms' },
  sse: { retry: '10s' },
};
const windowMs = 500;
const count = 50;

for (const pattern of streaming) {
  test(`${pattern}: ${count} clients are told in their order, spread over the window`, async (t) => {
    const { join, words } = clientsOf[pattern]!;
    const server = await serve(t, pattern, optionsFor[pattern]);
    const clients = await joinAll(t, join, server, count);
    const beganMs = performance.now();
    const drained = server.drain({ windowMs, limitMs: 10_000 });
    const published = await request(`${server.url}/topics/b`, { method: 'POST', body: '1' });
    assert.equal(published.statusCode, 201, 'what is published is taken until the end');
    await published.body.dump();
    const goodbyes = await Promise.all(clients.map(({ goodbye }) => goodbye));
    for (const [i, goodbye] of goodbyes.entries()) {
      const afterMs = goodbye.atMs - beganMs;
      assert.ok(afterMs >= (windowMs * i) / count - 2, `client ${i} was told after ${afterMs} ms, too early`);
      assert.deepEqual(goodbye.words, words);
    }
    // A late machine may tell the last ones late, but not a window late.
    assert.ok(goodbyes.at(-1)!.atMs - beganMs < 2 * windowMs + 1000);
    const { tookMs, ...counted } = await drained;
    assert.deepEqual(counted, { told: count, left: count, closedAtLimit: 0 });
    assert.ok(tookMs >= (windowMs * (count - 1)) / count - 2);
    assert.equal(server.subscribers(), 0);
  });
}

describe('while it is drained, a server', () => {
  test('refuses with 503 and Retry-After, closes the connection, and still serves its index', async (t) => {
    for (const [pattern, path] of [
      ['polling', '/poll?topics=a'],
      ['long-polling', '/long-poll?topics=a'],
      ['http-stream', '/stream?topics=a'],
    ] as const) {
      const { url, drain } = await serve(t, pattern);
      await drain({ windowMs: 0, limitMs: 1000 });
      const { statusCode, headers, body } = await request(`${url}${path}`);
      const { error } = (await body.json()) as { error: string };
      assert.deepEqual(
        [statusCode, error, headers['retry-after'], headers['connection']],
        [503, 'draining', '1', 'close'],
        pattern,
      );
      const index = await request(url);
      await index.body.dump();
      assert.equal(index.statusCode, 200);
    }
    const { url, drain, count: counted } = await serve(t, 'websocket');
    await drain({ windowMs: 0, limitMs: 1000 });
    const { socket, closed } = await rawClient(url);
    socket.write(handshake('/ws?topics=a'));
    const text = await closed;
    assert.match(text, /^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: 1\r\n/);
    assert.equal(text.match(/^connection:/gim)?.length, 1);
    assert.deepEqual(counted('refusals', 'errors'), [1, 0]);
  });

  test('gives an EventSource a stream that ends, so that it comes to the successor', async (t) => {
    const hub = createHub(defaultLimits);
    const given = {
      pattern: 'sse',
      options: patterns.sse.options.parse({ retry: '20ms' }),
      limits: defaultLimits,
    };
    const first = await startServerOn(hub, { ...given, seed: 1 });
    const { url } = first.endpoint;
    const source = new EventSource(`${url}/events?topics=a`);
    t.onTestFinished(() => source.close());
    const got: string[] = [];
    source.onmessage = ({ data }) => void got.push(decodeEnvelope(data as string).body);
    await until('it is there', () => first.subscribers() === 1);
    hub.publish('a', '1', {});
    await until('the first', () => got.length === 1);
    await first.drain({ windowMs: 0, limitMs: 1000 });
    hub.publish('a', '2', {});
    await until('it was refused', () => first.counters().refusals >= 2);
    assert.notEqual(source.readyState, source.CLOSED);
    await first.close();
    const second = await startServerOn(hub, { ...given, seed: 2, port: Number(new URL(url).port) });
    t.onTestFinished(() => second.close());
    await until('it has what it missed', () => got.length === 2);
    hub.publish('a', '3', {});
    await until('it goes on', () => got.length === 3);
    assert.deepEqual(got, ['1', '2', '3']);
  });

  test('advises each client to wait, over a window of their own', async (t) => {
    const plan = { windowMs: 0, limitMs: 2000, adviseMs: 60_000 };
    const sockets = await serve(t, 'websocket');
    const { got, closed, saw } = await open(t, sockets.url, 'topics=a');
    await saw(1);
    await sockets.drain(plan);
    assert.equal((await closed).code, 1012);
    const restart = JSON.parse(got[1]!) as { socket: string; waitMs: number };
    const lines = await serve(t, 'http-stream');
    const { socket, closed: ended, saw: sawLine } = await rawClient(lines.url);
    socket.write(getRequest('/stream?topics=a'));
    await sawLine(/"open"/);
    await lines.drain(plan);
    const line = /"comeBack":true,"waitMs":(\d+)/.exec(await ended);
    const events = await serve(t, 'sse');
    const waits: number[] = [];
    const clients = await Promise.all(Array.from({ length: 5 }, () => rawClient(events.url)));
    for (const one of clients) one.socket.write(getRequest('/events?topics=a'));
    await events.joined(5);
    await events.drain(plan);
    for (const one of clients) waits.push(Number(/.*retry: (\d+)\n\n/s.exec(await one.closed)![1]));
    const polls = await serve(t, 'long-polling');
    const answer = request(`${polls.url}/long-poll?topics=a&since=${polls.at(0)}`);
    await polls.joined(1);
    await polls.drain(plan);
    const { headers, body } = await answer;
    await body.dump();
    for (const waitMs of [restart.waitMs, Number(line![1]), Number(headers['pushbench-wait']), ...waits])
      assert.ok(Number.isInteger(waitMs) && waitMs < plan.adviseMs, `${waitMs}`);
    assert.equal(restart.socket, 'restart');
    assert.equal(new Set(waits).size, 5, 'each has a wait of its own');
  });
});

describe('those who do not go are closed at the limit:', () => {
  test('a WebSocket that does not answer the close', async (t) => {
    const { url, drain, joined } = await serve(t, 'websocket');
    const { socket, closed } = await rawSocket(url);
    socket.pause();
    const { tookMs, ...counted } = await drain({ windowMs: 0, limitMs: 300 });
    assert.deepEqual(counted, { told: 1, left: 0, closedAtLimit: 1 });
    assert.ok(tookMs >= 299);
    await joined(0);
    socket.resume();
    await closed;
  });

  test('a stream whose client does not read', async (t) => {
    const { url, drain, publish, subscribers } = await serve(t, 'sse', {}, { slowBuffer: 2 ** 26 });
    const { socket } = await slowClient(url, getRequest('/events?topics=a'));
    socket.pause();
    for (let i = 0; i < 32; i++) publish('a', bulk(500_000));
    const { told, closedAtLimit } = await drain({ windowMs: 0, limitMs: 300 });
    assert.deepEqual([told, closedAtLimit, subscribers()], [1, 1, 0]);
    socket.destroy();
  });
});

test('a connection on which no poll comes is closed soon after everybody had their turn', async (t) => {
  const { url, drain, subscribers } = await serve(t, 'polling', { every: '1h' });
  const client = keptAlive(t, url);
  await (await client.request({ path: '/poll?topics=a', method: 'GET' })).body.dump();
  const { tookMs, ...counted } = await drain({ windowMs: 100, limitMs: 60_000 });
  assert.deepEqual(counted, { told: 0, left: 1, closedAtLimit: 0 });
  assert.equal(subscribers(), 0);
  assert.ok(tookMs < 10_000);
});

test('a poll whose token is being looked up is answered, and then its connection is closed', async (t) => {
  const lookup = { kind: 'wait', ms: 1500 } as const; // longer than idle connections are kept
  const auth: AuthSetup = { takes: 0, lookup, concurrency: 8, queue: 8, seed: 3 };
  const headers = { authorization: `Bearer ${createTokens(3).of('subscriber-0')}` };
  await Promise.all(
    (['polling', 'long-polling'] as const).map(async (pattern) => {
      const { endpoint, drain, counters } = await serveAny(t, pattern, {}, { auth });
      const client = keptAlive(t, endpoint.url);
      const path = `${patterns[pattern].path}?topics=a`;
      const ask = () => client.request({ path, method: 'GET', headers });
      await (await ask()).body.dump();
      const second = ask();
      await until('it has come', () => counters().authChecks === 2);
      const { tookMs: _, ...counted } = await drain({ windowMs: 0, limitMs: 30_000 });
      const { statusCode, headers: told, body } = await second;
      await body.dump();
      assert.deepEqual([statusCode, told['connection']], [200, 'close'], pattern);
      assert.deepEqual(counted, { told: 1, left: 1, closedAtLimit: 0 });
    }),
  );
});

test('held polls are told each by its own connection, without a look at all others', async () => {
  const count = 500;
  let looks = 0;
  const context = {
    hub: createHub(defaultLimits),
    limits: defaultLimits,
    counters: newCounters(),
    countConnection() {},
    random: () => 0.5,
  };
  const { routes, drain, subscribers } = await longPolling.start(
    context,
    patterns['long-polling'].options.parse({}),
  );
  const url = new URL(`http://localhost/long-poll?topics=a&since=${context.hub.cursor()}`);
  const responses = Array.from({ length: count }, () => {
    const socket = new Socket();
    const asked = new IncomingMessage(socket);
    asked.method = 'GET';
    Object.defineProperty(asked, 'socket', { get: () => (looks++, socket) });
    const response = new ServerResponse(asked);
    void routes['GET /long-poll']!(asked, response, url);
    return response;
  });
  assert.equal(subscribers(), count);
  looks = 0;
  const { told } = await drain({ windowMs: 0, limitMs: 50 });
  assert.equal(told, count);
  assert.ok(responses.every(({ statusCode, writableEnded }) => statusCode === 204 && writableEnded));
  assert.ok(looks <= 20 * count, `${looks} looks at connections`);
});

test('a server that closes in the middle of a drain says goodbye to those who are left', async (t) => {
  const { join } = clientsOf.websocket!;
  const server = await serve(t, 'websocket');
  const clients = await joinAll(t, join, server, 4);
  const drained = server.drain({ windowMs: 60_000, limitMs: 60_000 });
  await clients[0]!.goodbye;
  await server.close();
  const words = await Promise.all(clients.map(async ({ goodbye }) => (await goodbye).words));
  assert.deepEqual(words, [[1012], [1001], [1001], [1001]]);
  const { told, left, closedAtLimit } = await drained;
  assert.deepEqual([told, left, closedAtLimit], [1, 4, 0]);
});
