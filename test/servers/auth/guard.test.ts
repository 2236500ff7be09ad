// Asks servers that want tokens, with other people's clients: with the right token, both ways of sending one,
// without, with a wrong one and with two. Publishing and the list of endpoints take none.

import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { fetch } from 'undici';
import { describe, test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { createTokens } from '../../../core/secrets/token.ts';
import type { AuthSetup } from '../../../core/scenario/server-options.ts';
import { serve as serveAny } from '../http/gate-clients.ts';
import { rawClient, until } from '../http/raw-http.ts';

const wants = (more: Partial<AuthSetup> = {}): AuthSetup => ({
  takes: 0,
  concurrency: 8,
  queue: 100,
  seed: 3,
  ...more,
});
const wait = { lookup: { kind: 'wait', ms: 5 } } as const;
const right = createTokens(3).of('subscriber-0');
const wrong = createTokens(4).of('subscriber-0');

async function serve(t: TestContext, pattern: PatternName, auth = wants(), options: object = {}) {
  const server = await serveAny(t, pattern, options, { auth });
  const { url } = server.endpoint;
  const path = `${patterns[pattern].path}?topics=news`;
  return { ...server, url, path, address: `${url}${path}` };
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

for (const [name, auth] of [
  ['in process', wants()],
  ['looked up', wants(wait)],
] as const) {
  describe(`tokens that are checked ${name}`, () => {
    for (const pattern of ['polling', 'long-polling', 'http-stream', 'sse'] as const)
      test(`${pattern}: 200 with one, in a field or in the address; else 401, 400 with two`, async (t) => {
        const { address, url, counters, subscribers, hub } = await serve(t, pattern, auth);
        const ask = async (to: string, init: object = {}) => {
          const answer = await fetch(to, init);
          const told = answer.headers.get('www-authenticate');
          if (answer.status !== 200) assert.match(await answer.text(), /^\{"error":/);
          else await answer.body?.cancel();
          return [answer.status, told];
        };
        const realm = 'Bearer realm="pushbench"';
        assert.deepEqual(await ask(address, bearer(right)), [200, null]);
        assert.deepEqual(await ask(`${address}&access_token=${right}`), [200, null]);
        await until('both have gone', () => pattern === 'polling' || subscribers() === 0);
        const before = subscribers();
        assert.deepEqual(await ask(address), [401, realm]);
        assert.deepEqual(await ask(address, { headers: { authorization: `Basic ${right}` } }), [401, realm]);
        for (const token of [wrong, `${right}A`, 'A', `x${right}`])
          assert.deepEqual(await ask(address, bearer(token)), [401, `${realm}, error="invalid_token"`]);
        const twice = [400, `${realm}, error="invalid_request"`];
        assert.deepEqual(await ask(`${address}&access_token=${right}`, bearer(right)), twice);
        assert.deepEqual(await ask(`${address}&access_token=${right}&access_token=${right}`), twice);
        assert.equal(subscribers(), before, 'the pattern has not heard of them');
        const { authChecks, authRefused } = counters();
        assert.deepEqual([authChecks, authRefused], [10, 6]);

        assert.equal((await fetch(url)).status, 200, 'the list of endpoints');
        for (const path of ['/topics/news', '/messages/news'])
          assert.equal((await fetch(`${url}${path}`, { method: 'POST', body: '1' })).status, 201, path);
        assert.equal(hub.published(), 2);
        assert.equal(counters().authChecks, 10);
      });

    test('websocket: a socket with one, and 401 before the upgrade without', async (t) => {
      const { address, counters, subscribers } = await serve(t, 'websocket', auth);
      const open = (to: string, headers: Record<string, string> = {}) =>
        new Promise<number | string>((resolve) => {
          const socket = new WebSocket(to.replace('http', 'ws'), { headers });
          t.onTestFinished(() => socket.terminate());
          socket.once('message', (bytes: Buffer) => resolve(bytes.toString().slice(0, 16)));
          socket.once('unexpected-response', (_request, response) => {
            assert.match(response.headers['www-authenticate']!, /^Bearer realm/);
            resolve(response.statusCode!);
            socket.terminate();
          });
          socket.on('error', () => {});
        });
      assert.equal(await open(address, bearer(right).headers), '{"socket":"open"');
      assert.equal(await open(`${address}&access_token=${right}`), '{"socket":"open"');
      assert.deepEqual([await open(address), await open(address, bearer(wrong).headers)], [401, 401]);
      assert.deepEqual([subscribers(), counters().handshakes, counters().authRefused], [2, 4, 2]);
    });
  });
}

test('with fallbacks a token is checked once for each request, whichever way it comes', async (t) => {
  const fallback = ['sse', 'long-polling'];
  const { url, counters, subscribers } = await serve(t, 'websocket', wants(wait), { fallback });
  const upgrade = (token: string) =>
    new Promise<unknown>((resolve) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=news`, bearer(token));
      t.onTestFinished(() => socket.terminate());
      socket.once('open', () => resolve('open'));
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode));
      socket.on('error', () => {});
    });
  const ask = async (path: string, token: string) => {
    const { status, body } = await fetch(`${url}${path}?topics=news`, bearer(token));
    await body?.cancel();
    return status;
  };
  const each = async (token: string) => [
    await upgrade(token),
    await ask('/events', token),
    await ask('/long-poll', token),
  ];
  assert.deepEqual(await each(right), ['open', 200, 200]);
  await until('the stream has gone', () => subscribers() === 1);
  const { authChecks, authRefused } = counters();
  assert.deepEqual([authChecks, authRefused], [3, 0]);
  assert.deepEqual(await each(wrong), [401, 401, 401]);
  const after = counters();
  assert.deepEqual([after.authChecks, after.authRefused, after.handshakes], [6, 3, 4]);
});

test('eventsource, which sets no fields, brings its token in the address and comes back', async (t) => {
  const { address, disconnect, hub, counters } = await serve(t, 'sse', wants(wait), { retry: '20ms' });
  const source = new EventSource(`${address}&access_token=${right}`);
  t.onTestFinished(() => source.close());
  const got: string[] = [];
  source.addEventListener('message', ({ data }) => got.push(String(data)));
  await new Promise((resolve) => source.addEventListener('open', resolve));
  disconnect(1);
  hub.publish('news', '"meanwhile"', {});
  await until('it came back and has it', () => got.length === 1);
  assert.ok(counters().authChecks >= 2);
});

test('what is published while a token is looked up is not lost', async (t) => {
  const { address, hub } = await serve(t, 'sse', wants({ lookup: { kind: 'wait', ms: 200 } }));
  const before = hub.publish('news', '"before"', {});
  const answer = fetch(address, { headers: { ...bearer(right).headers, 'last-event-id': before.id } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  hub.publish('news', '"during"', {});
  const { body } = await answer;
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (!text.includes('during')) text += (await reader.read()).value;
  assert.doesNotMatch(text, /before|reset/);
  await reader.cancel();
});

test('who goes while its token is looked up never becomes a subscriber', async (t) => {
  const auth = wants({ concurrency: 1, lookup: { kind: 'wait', ms: 100 } });
  for (const pattern of ['sse', 'websocket'] as const) {
    const { url, path, counters, subscribers } = await serve(t, pattern, auth);
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const clients = [await rawClient(url), await rawClient(url), await rawClient(url)];
    for (const { socket } of clients)
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${right}\r\n` +
          `${pattern === 'websocket' ? upgrade : ''}\r\n`,
      );
    await until('all are checked', () => counters().authChecks === 3);
    clients[0]!.socket.resetAndDestroy();
    clients[2]!.socket.resetAndDestroy();
    await clients[1]!.saw(/HTTP\/1\.1 (?:200|101)/);
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.deepEqual([subscribers(), counters().handshakes], [1, 1], `${pattern} has not heard of them`);
  }
});

test('closing, the server lets nobody in whose token is still looked up', async (t) => {
  const { address, close, counters } = await serve(t, 'sse', wants({ lookup: { kind: 'wait', ms: 300 } }));
  const answer = fetch(address, bearer(right)).catch(() => undefined);
  await until('checked', () => counters().authChecks === 1);
  await close();
  assert.notEqual((await answer)?.status, 200);
  assert.equal(counters().handshakes, 0);
});

test('takes is CPU that is really burnt, on every check', async (t) => {
  const { address } = await serve(t, 'polling', wants({ takes: 5 }));
  const cpuOf = async (token: string) => {
    const from = process.cpuUsage();
    for (let i = 0; i < 20; i++) await (await fetch(address, bearer(token))).text();
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1000;
  };
  await cpuOf(right); // warm
  for (const token of [right, wrong]) {
    const cpuMs = await cpuOf(token);
    assert.ok(cpuMs > 40, `20 checks of 5 ms took ${cpuMs} ms of CPU`);
  }
});
