// Joins servers that announce a reconnect window, with other people's clients, and servers that do not.

import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { request } from 'undici';
import { test } from 'vitest';
import { until } from './http/raw-http.ts';
import { listen } from './sse-clients.ts';
import { serve } from './streams.ts';
import { open } from './websocket-clients.ts';

const announcing = { announce: 10_000 };

test('an EventSource gets the window where it listens, and its messages as without', async (t) => {
  const { url, publish, at } = await serve(t, 'sse', {}, announcing);
  const { source, messages, resets, saw } = listen(t, url, 'topics=a&since=k00000-5');
  const windows: string[] = [];
  source.addEventListener('reconnect', ({ data }) => windows.push(data as string));
  await until('the reset', () => resets.length === 1);
  publish('a', '1');
  await saw(1);
  assert.deepEqual(windows, ['{"windowMs":10000}']);
  assert.deepEqual(
    messages.map(({ lastEventId }) => lastEventId),
    [at(1)],
  );
  assert.equal(source.readyState, EventSource.OPEN);
});

test('a socket and a stream say it in their first message', async (t) => {
  const sockets = await serve(t, 'websocket', {}, announcing);
  const { got, saw } = await open(t, sockets.url, 'topics=a&since=k00000-5');
  await saw(1);
  assert.deepEqual(JSON.parse(got[0]!), {
    socket: 'open',
    cursor: sockets.at(0),
    reset: true,
    reconnectMs: 10_000,
  });
  const streams = await serve(t, 'http-stream', {}, announcing);
  const { body } = await request(`${streams.url}/stream?topics=a`);
  for await (const piece of body) {
    assert.deepEqual(JSON.parse(String(piece)), {
      stream: 'open',
      cursor: streams.at(0),
      reconnectMs: 10_000,
    });
    break;
  }
});

test('polls say it with every answer: 200, 204 and 304', async (t) => {
  const held = await serve(t, 'long-polling', {}, announcing);
  const first = await request(`${held.url}/long-poll?topics=a`);
  const nothing = await request(`${held.url}/long-poll?topics=a&since=${held.at(0)}&hold=1`);
  const polled = await serve(t, 'polling', {}, announcing);
  const poll = await request(`${polled.url}/poll?topics=a`);
  const same = await request(`${polled.url}/poll?topics=a`, {
    headers: { 'if-none-match': String(poll.headers['etag']) },
  });
  assert.deepEqual(
    [first, nothing, poll, same].map(({ statusCode, headers }) => [
      statusCode,
      headers['pushbench-reconnect'],
    ]),
    [200, 204, 200, 304].map((status) => [status, '10000']),
  );
  for (const { body } of [first, nothing, poll, same]) await body.dump();
});

test('without a window nothing is said of one', async (t) => {
  const { url } = await serve(t, 'polling');
  const { headers, body } = await request(`${url}/poll?topics=a`);
  await body.dump();
  assert.equal(headers['pushbench-reconnect'], undefined);
  const sockets = await serve(t, 'websocket');
  const { got, saw } = await open(t, sockets.url, 'topics=a');
  await saw(1);
  assert.equal(got[0], `{"socket":"open","cursor":"${sockets.at(0)}"}`);
});
