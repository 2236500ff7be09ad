// All clients keep one rule when a server sends them away: never earlier than it asked, with a random wait on
// top, and beyond ten minutes not at all, which is counted.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { Socket } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { patterns } from '../../core/pattern/registry.ts';
import type { PatternLoad, RunningLoad } from '../../load/pattern.ts';
import { loads } from '../../load/registry.ts';
import { startTarget } from '../../load/target/loads.ts';
import { chunk, listen, rawServer, testContext, until, type Seen } from './context.ts';
import { access } from './target/fixture.ts';

/** Each request: of which subscriber, and when it came, by the monotonic clock and the wall clock. */
type Asked = { who: number; atMs: number; wallMs: number };
type Refusal = { status: number; retryAfter: string };

/** Refuses each subscriber's first request as told, and then lets it wait. */
async function refusingServer(t: TestContext, refusals: readonly Refusal[], over: 'h1' | 'h2c' = 'h1') {
  const asked: Asked[] = [];
  const take = (text: string): Refusal | undefined => {
    // Each subscriber follows a topic of its own, `own.7`.
    const who = Number(/own\.(\d+)/.exec(text)![1]);
    asked.push({ who, atMs: performance.now(), wallMs: Date.now() });
    return asked.filter((one) => one.who === who).length === 1 ? refusals[who] : undefined;
  };
  if (over === 'h2c') {
    const server = createHttp2Server((request, response) => {
      const refusal = take(request.url);
      if (refusal) response.writeHead(refusal.status, { 'retry-after': refusal.retryAfter }).end();
    });
    return { url: await listen(t, server), asked };
  }
  const server = createServer((request, response) => {
    let body = '';
    request
      .on('data', (bytes: Buffer) => (body += bytes.toString()))
      .on('end', () => {
        const refusal = take(request.url! + body);
        if (refusal) response.writeHead(refusal.status, { 'retry-after': refusal.retryAfter }).end();
      });
  });
  server.on('upgrade', (request, socket: Socket) => {
    const refusal = take(request.url!);
    if (refusal) socket.end(`HTTP/1.1 ${refusal.status} No\r\nretry-after: ${refusal.retryAfter}\r\n\r\n`);
  });
  return { url: await listen(t, server), asked };
}

type Start = (seen: Seen, url: string) => Promise<RunningLoad>;

const own =
  (pattern: keyof typeof loads, over: 'h1' | 'h2c' = 'h1'): Start =>
  async ({ context }) => {
    // Each pattern's options are parsed by its own schema.
    const load = (await loads[pattern]()) as PatternLoad<unknown>;
    return load.start(
      { ...context, endpoint: { ...context.endpoint, over } },
      patterns[pattern].options.parse({}),
    );
  };
const ofTarget =
  (pattern: 'polling' | 'long-polling' | 'http-stream' | 'sse' | 'websocket'): Start =>
  ({ context }, url) =>
    startTarget(pattern, patterns[pattern].options.parse({}), {
      context,
      access: access(url, `subscribe: { ${pattern}: "/feed/{topics}" }\ntopics: fixed`),
      note: () => {},
    });

const clients: [name: string, start: Start, over?: 'h2c'][] = [
  ['polling', own('polling')],
  ['long polling', own('long-polling')],
  ['HTTP streaming', own('http-stream')],
  ['SSE', own('sse')],
  ['SSE over HTTP/2', own('sse', 'h2c'), 'h2c'],
  ['WebSocket handshakes', own('websocket')],
  ["webhooks' registrations", own('webhook')],
  ["a target's polling", ofTarget('polling')],
  ["a target's long polling", ofTarget('long-polling')],
  ["a target's HTTP streaming", ofTarget('http-stream')],
  ["a target's SSE", ofTarget('sse')],
  ["a target's WebSocket handshakes", ofTarget('websocket')],
];

/** Whose random wait is always as long as this share of the longest. */
const share = 0.9;
const reconnect = { base: 10, cap: 400 };

describe('who is sent away by Retry-After', { concurrent: true }, () => {
  for (const [name, start, over] of clients) {
    test(`${name}: never comes back earlier, and not at all beyond ten minutes`, async (t) => {
      const inMs = (ms: number) => Math.ceil((Date.now() + ms) / 1000) * 1000;
      const notBeforeMs = inMs(2000);
      const { url, asked } = await refusingServer(
        t,
        [
          { status: 503, retryAfter: '1' },
          { status: 503, retryAfter: new Date(notBeforeMs).toUTCString() },
          { status: 503, retryAfter: '2592000' }, // more than a timer of Node takes
          { status: 503, retryAfter: new Date(inMs(86_400_000)).toUTCString() },
          { status: 429, retryAfter: '601' },
          { status: 503, retryAfter: 'soon' },
        ],
        over,
      );
      const seen = testContext(url, {
        reconnect,
        random: () => share,
        topicsOf: (subscriber) => [`own.${subscriber}`],
      });
      const load = await start(seen, url);
      t.onTestFinished(() => load.close(0));
      for (let i = 0; i < 6; i++) load.open(i);
      const of = (who: number) => asked.filter((one) => one.who === who);
      await until(() => [0, 1, 5].every((who) => of(who).length === 2), 'who may come back');

      const mostMs = share * reconnect.cap;
      const [first, second] = of(0);
      assert.ok(second!.atMs - first!.atMs >= 1000 + mostMs, `${second!.atMs - first!.atMs} ms`);
      // How much is left of it when the answer is read depends on the machine, and with it what comes on top.
      assert.ok(of(1)[1]!.wallMs >= notBeforeMs, `${of(1)[1]!.wallMs - notBeforeMs} ms`);
      // One that cannot be read asks for nothing.
      assert.ok(of(5)[1]!.atMs < second!.atMs);
      assert.deepEqual([of(2).length, of(3).length, of(4).length], [1, 1, 1]);
      const gaveUp = seen.problems.filter(({ code }) => code === 'gave-up');
      assert.deepEqual(
        gaveUp,
        gaveUp.map(() => ({
          code: 'gave-up',
          message: 'a client gave up, as the server asked it to stay away for more than 10 min',
        })),
      );
      assert.equal(gaveUp.length, 3);
    });
  }

  test('and leaves meanwhile, is back no earlier for that', async (t) => {
    for (const pattern of ['polling', 'sse'] as const) {
      const { url, asked } = await refusingServer(t, [{ status: 503, retryAfter: '1' }]);
      const seen = testContext(url, { reconnect, topicsOf: (subscriber) => [`own.${subscriber}`] });
      const load = await own(pattern)(seen, url);
      t.onTestFinished(() => load.close(0));
      load.open(0);
      await until(() => seen.counters.refusals + seen.problems.length === 1);
      load.leave!(0);
      load.comeBack!(0);
      await until(() => asked.length === 2);
      assert.ok(asked[1]!.atMs - asked[0]!.atMs >= 1000, pattern);
    }
  });
});

for (const [name, start] of [
  ['a WebSocket', own('websocket')],
  ["a target's WebSocket", ofTarget('websocket')],
] as const) {
  test(`${name} that is closed with 1013: not back before the longest wait of its own is over`, async (t) => {
    const connectedMs: number[] = [];
    const server = createServer();
    new WebSocketServer({ server }).on('connection', (socket) => {
      connectedMs.push(performance.now());
      if (connectedMs.length === 1) socket.close(1013);
    });
    const url = await listen(t, server);
    const load = await start(testContext(url, { reconnect, random: () => 0 }), url);
    t.onTestFinished(() => load.close(0));
    load.open(0);
    await until(() => connectedMs.length === 2);
    const [first, second] = connectedMs;
    assert.ok(second! - first! >= reconnect.cap, `${second! - first!} ms`);
  });
}

describe("who was given a reconnection time by a stream's `retry`", () => {
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  for (const [name, start] of [
    ['SSE', own('sse')],
    ["a target's SSE", ofTarget('sse')],
  ] as const) {
    test(`${name}: keeps to it in the place of its own base, and gives up beyond ten minutes`, async (t) => {
      const atMs: number[] = [];
      const url = await rawServer(t, (socket, _request, connection) => {
        atMs.push(performance.now());
        const retryMs = [500, 20, 3_600_000][connection]!;
        socket.end(head + chunk(`retry: ${retryMs}\n\n`));
      });
      const seen = testContext(url, {
        reconnect: { base: 300_000, cap: 300_000 },
        random: () => 0.01,
      });
      const load = await start(seen, url);
      t.onTestFinished(() => load.close(0));
      load.open(0);
      await until(() => seen.problems.length === 1);
      assert.equal(seen.problems[0]!.code, 'gave-up');
      assert.ok(atMs[1]! - atMs[0]! >= 500 * 1.01);
      // With the scenario's base it would have been three seconds at least.
      assert.ok(atMs[2]! - atMs[1]! >= 20 * 1.01);
      assert.equal(atMs.length, 3);
    });
  }
});
