// Subscribers that have a list of servers: they spread over it, each request names the server that it goes
// to, one that loses its server goes to another, and one that refuses connections is left.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test, type TestContext } from 'vitest';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import type { PatternLoad, RunningLoad } from '../../load/pattern.ts';
import { loads } from '../../load/registry.ts';
import { serve } from '../servers/streams.ts';
import { listen, testContext, until, type Seen } from './context.ts';

const kinds: [name: string, pattern: PatternName, options: Record<string, unknown>][] = [
  ['polling', 'polling', { every: '20ms' }],
  ['polling, a connection a request', 'polling', { every: '20ms', connection: 'close' }],
  ['long polling', 'long-polling', {}],
  ['HTTP streaming', 'http-stream', {}],
  ['SSE', 'sse', { retry: '0s' }],
  ['SSE over HTTP/2', 'sse', { over: 'h2c', retry: '0s' }],
  ['WebSocket', 'websocket', {}],
];

async function follow(
  t: TestContext,
  [, pattern, options]: (typeof kinds)[number],
  urls: readonly string[],
  subscribers: number,
): Promise<Seen & { load: RunningLoad }> {
  const seen = testContext(urls[0]!, { urls, over: options.over === 'h2c' ? 'h2c' : 'h1' });
  // Each pattern's options are parsed by its own schema.
  const start = (await loads[pattern]()) as PatternLoad<unknown>;
  const load = await start.start(seen.context, patterns[pattern].options.parse(options));
  t.onTestFinished(() => load.close(100));
  for (let i = 0; i < subscribers; i++) load.open(i);
  return { ...seen, load };
}

/** A port of this machine that nothing listens on. */
async function refusingUrl(t: TestContext): Promise<string> {
  const server = createServer();
  const url = await listen(t, server);
  await new Promise((resolve) => server.close(resolve));
  return url;
}

describe('a list of three servers', { concurrent: true }, () => {
  for (const kind of kinds) {
    const [name, pattern, options] = kind;
    test(`${name}: evenly spread, and without the one that closes`, async (t) => {
      const servers = await Promise.all([0, 1, 2].map(() => serve(t, pattern, options)));
      const seen = await follow(
        t,
        kind,
        servers.map(({ url }) => url),
        12,
      );
      const everybody = Array.from({ length: 12 }, (_, i) => i);
      await until(() => new Set(seen.ready).size === 12, 'all subscribed');
      for (const [i, { publish }] of servers.entries()) publish('news', `"of ${i}"`);
      await until(() => seen.bodies.size === 12, 'everybody has had an event');
      assert.deepEqual(
        everybody.map((i) => seen.bodies.get(i)),
        everybody.map((i) => [`"of ${i % 3}"`]),
      );
      const [first, second, third] = servers;
      const closed = second!.close();
      second!.disconnect(1); // who would not leave at once
      await closed;
      for (const { publish } of [first!, third!]) publish('news', '"late"');
      await until(
        () => everybody.every((i) => seen.bodies.get(i)!.includes('"late"')),
        'everybody has had the event of a server that is left',
      );
    });

    test(`${name}: one that refuses connections is left at once`, async (t) => {
      const server = await serve(t, pattern, options);
      const seen = await follow(t, kind, [await refusingUrl(t), server.url], 6);
      await until(() => new Set(seen.ready).size === 6, 'all subscribed');
      server.publish('news', '1');
      await until(() => seen.bodies.size === 6, 'everybody has had the event');
      const refused = seen.problems.filter(({ code }) => code === 'ECONNREFUSED').length;
      // Over HTTP/2 the three share the connection.
      assert.ok(
        refused >= 1 && refused <= 3 && refused === seen.problems.length,
        JSON.stringify(seen.problems),
      );
    });
  }

  test('each request names the server that it goes to', async (t) => {
    for (const [pattern, options] of [
      ['polling', { every: '10ms' }],
      ['long-polling', {}],
      ['http-stream', {}],
      ['sse', {}],
      ['websocket', {}],
    ] as const) {
      const hosts: string[][] = [[], []];
      const urls = await Promise.all(
        hosts.map((seenHosts) => {
          const server = createServer((request, response) => {
            seenHosts.push(request.headers.host!);
            response.writeHead(503).end();
          });
          server.on('upgrade', (request, socket) => {
            seenHosts.push(request.headers.host!);
            socket.end('HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n');
          });
          return listen(t, server);
        }),
      );
      await follow(t, ['', pattern, options], urls, 1);
      // Sent away, it goes from the one to the other and back.
      await until(() => hosts.every(({ length }) => length >= 2), pattern);
      assert.deepEqual(
        hosts.map((all) => [...new Set(all)]),
        urls.map((url) => [new URL(url).host]),
      );
    }
  });

  test('webhooks are registered with the first of the list that answers, and with no other', async (t) => {
    const [second, third] = await Promise.all([0, 1].map(() => serve(t, 'webhook')));
    const seen = await follow(t, ['', 'webhook', {}], [await refusingUrl(t), second!.url, third!.url], 5);
    await until(() => seen.ready.length === 5, 'all registered');
    assert.deepEqual([second!.subscribers(), third!.subscribers()], [5, 0]);
    await seen.load.close(2000);
    assert.equal(second!.subscribers(), 0);
  });
});
