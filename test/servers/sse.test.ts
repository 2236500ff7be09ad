// Reads Server-Sent Events with other people's clients: `eventsource` and undici for the life of a
// subscription, `eventsource-parser` for what a stream says. HTTP/2 is sse-http2.test.ts, the end of a server
// sse-goodbye.test.ts.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventSource as UndiciEventSource } from 'undici';
import { test } from 'vitest';
import { newCounters } from '../../core/result/counters.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { random } from '../../core/base/random.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { createHub } from '../../servers/hub/hub.ts';
import { sse } from '../../servers/sse.ts';
import { rawClient, until } from './http/raw-http.ts';
import { getRequest, serve, unchunk } from './streams.ts';
import { listen, reader } from './sse-clients.ts';

test('the response opens with the reconnection time, the cursor and a comment', async (t) => {
  const { url, publish, at } = await serve(t, 'sse', { retry: '2500ms' });
  publish('a', '1');
  const { socket, saw } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  const text = await saw(/open\n\n\r\n/);
  const head = text.slice(0, text.indexOf('\r\n\r\n'));
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/);
  for (const field of [
    'content-type: text/event-stream',
    'cache-control: no-cache, no-transform',
    'x-accel-buffering: no',
    'transfer-encoding: chunked',
    'connection: close',
  ]) {
    assert.match(head, new RegExp(`\\r\\n${field}(\\r|$)`, 'i'));
  }
  assert.equal(unchunk(Buffer.from(text)).body.toString(), `retry: 2500\nid: ${at(1)}\n: open\n\n`);
});

test('an EventSource gets each event of its topics, with the cursor as its id', async (t) => {
  const { url, publish, joined, count } = await serve(t, 'sse');
  const { messages, saw } = listen(t, url, 'topics=a,b');
  await joined(1);
  const events = publish('a', '{ "x" : 1 }', 'data: looks\n\nid: 7\n\n', '', ' ', '"\u2028 é 日本語 🎈"');
  publish('c', '"of no interest"');
  events.push(...publish('b', JSON.stringify('x'.repeat(300_000))));
  await saw(6);
  assert.deepEqual(
    messages,
    events.map(({ id, json }) => ({ data: json, lastEventId: id })),
  );
  assert.deepEqual(count('handshakes', 'events', 'errors', 'refusals'), [1, 6, 0, 0]);
});

test(
  'cut off before its first event, behind an event, and ' + 'several times: an EventSource misses nothing',
  async (t) => {
    const { url, publish, joined, disconnect, count } = await serve(t, 'sse', { retry: '20ms' });
    const { messages, saw } = listen(t, url, 'topics=a');
    const events = [];
    for (let round = 0; round < 4; round++) {
      await joined(1);
      if (round % 2 === 1) events.push(...publish('a', `${round}`));
      await saw(events.length);
      disconnect(1);
      events.push(...publish('a', '"while it is away"'));
    }
    await saw(events.length);
    assert.deepEqual(
      messages.map(({ data }) => data),
      events.map(({ json }) => json),
    );
    assert.ok(count('handshakes')[0]! >= 4);
    assert.deepEqual(count('resets'), [0]);
  },
);

test('the EventSource of undici agrees', async (t) => {
  const { url, publish, joined, disconnect } = await serve(t, 'sse', { retry: '20ms' });
  const source = new UndiciEventSource(`${url}/events?topics=a`);
  t.onTestFinished(() => source.close());
  const got: string[] = [];
  source.onmessage = ({ data }) => void got.push(data as string);
  await joined(1);
  const events = publish('a', '1');
  await until('the first', () => got.length === 1);
  disconnect(1);
  events.push(...publish('a', '2', 'three\nlines\r\n'));
  await until('all', () => got.length >= 3);
  assert.deepEqual(
    got,
    events.map(({ json }) => json),
  );
});

test('too late, or from another life of the server: a reset event first, then what is held', async (t) => {
  const { url, publish, at, count } = await serve(t, 'sse', {}, { history: 2 });
  const events = publish('a', '1', '2', '3');
  for (const query of [`topics=a&since=${at(0)}`, 'topics=a&since=other-3']) {
    const { messages, resets, saw, source } = listen(t, url, query);
    await saw(2);
    assert.deepEqual(resets, [{ data: `{"cursor":"${at(0)}"}`, lastEventId: at(0) }], query);
    assert.deepEqual(
      messages.map(({ data }) => data),
      events.slice(1).map(({ json }) => json),
    );
    source.close();
  }
  assert.deepEqual(count('resets'), [2]);
});

test(
  'Last-Event-ID is the later word than since; one that is no cursor is ' +
    'answered with a reset, an empty one with neither',
  async (t) => {
    const { url, publish, at } = await serve(t, 'sse');
    const events = publish('a', '1', '2', '3');
    const cases: [string | undefined, string, string, number][] = [
      [at(2), at(1), at(2), 2],
      ['', at(1), at(1), 1],
      [undefined, at(1), at(1), 1],
      ['b\u00fcro', at(1), at(0), 0],
      [`${at(1)}, ${at(2)}`, at(1), at(0), 0],
    ];
    for (const [lastEventId, since, begins, from] of cases) {
      const controller = new AbortController();
      const headers =
        lastEventId === undefined
          ? undefined
          : { 'last-event-id': Buffer.from(lastEventId).toString('latin1') };
      const response = await fetch(`${url}/events?topics=a&since=${since}`, {
        ...(headers && { headers }),
        signal: controller.signal,
      });
      let text = '';
      const decoder = new TextDecoder();
      for await (const part of response.body!) {
        text += decoder.decode(part, { stream: true });
        if (text.includes(`id: ${at(3)}\n`)) break;
      }
      controller.abort();
      const reset = from === 0 ? `event: reset\ndata: {"cursor":"${at(0)}"}\n\n` : '';
      const expected = `retry: 1000\nid: ${begins}\n: open\n\n${reset}${events
        .slice(from)
        .map(({ id, json }) => `id: ${id}\ndata: ${json}\n\n`)
        .join('')}`;
      assert.equal(text, expected, `${lastEventId} and ${since}`);
    }
  },
);

test('a quiet stream gets comments, which no EventSource shows', async (t) => {
  const { url, joined, count } = await serve(t, 'sse', { heartbeat: '100ms' });
  const { messages } = listen(t, url, 'topics=a');
  const { socket, saw } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(2);
  const text = await saw(/(keep-alive[^]*){3}/);
  const { events, comments, feed } = reader();
  feed(unchunk(Buffer.from(text)).body);
  assert.deepEqual([...new Set(comments)], ['open', 'keep-alive']);
  assert.deepEqual([events, messages], [[], []]);
  assert.ok(count('heartbeats')[0]! >= 3);
});

test('pages of this machine may read the stream, pages from elsewhere may not', async (t) => {
  const { url } = await serve(t, 'sse');
  const cases: [string, boolean][] = [
    ['http://localhost:3000', true],
    ['https://127.0.0.1', true],
    ['http://[::1]:80', false],
    ['http://[::1]:8080', true],
    ['http://app.localhost', true],
    ['http://example.org', false],
    ['http://localhost.example.org', false],
    ['null', false],
    ['http://127.0.0.1.example.org', false],
    ['file://', false],
  ];
  for (const [origin, allowed] of cases) {
    const { socket, saw } = await rawClient(url);
    socket.write(getRequest('/events?topics=a', `Origin: ${origin}`));
    const text = await saw(allowed ? /open\n/ : /\n\r\n.*\}\n/s);
    assert.match(text, allowed ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 403 [^]*"cross-origin"/, origin);
    assert.equal(
      /access-control-allow-origin: (.*)\r/i.exec(text)?.[1],
      allowed ? origin : undefined,
      origin,
    );
    if (allowed) assert.match(text, /\r\nvary: origin\r\n/i);
    socket.destroy();
  }
});

test('a line end in an envelope could not break an event in two', async (t) => {
  // The hub makes one-line envelopes only; this one does not.
  const hub = createHub(defaultLimits);
  const event = { id: 'e-1', offset: 1, topic: 'a', seq: 1, json: 'one\ntwo\r\nthree\rfour' };
  const running = await sse.start(
    {
      hub: { ...hub, since: () => ({ events: [event], lost: false }) },
      limits: defaultLimits,
      counters: newCounters(),
      countConnection() {},
      random: random(1, 'sse'),
    },
    patterns.sse.options.parse({}),
  );
  const handler = running.routes['GET /events']!;
  const server = createServer(
    (request, response) => void handler(request, response, new URL(`http://x${request.url}`)),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(() => void server.close());
  const { messages, source, saw } = listen(
    t,
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    'topics=a&since=e-0',
  );
  await saw(1);
  assert.deepEqual(messages, [{ data: 'one\ntwo\nthree\nfour', lastEventId: 'e-1' }]);
  source.close();
  await running.close();
});

test('the examples are commands that fit the version of HTTP', async (t) => {
  const commands = (url: string, publishUrl: string, gzip = false) =>
    sse
      .examples(patterns.sse.options.parse({ gzip }))
      .map(({ command }) => command(url, publishUrl, 'e-0', 'pushbench'));
  assert.match(commands('http://x', 'http://x')[0]!, /^curl -N 'http:\/\/x\/events\?topics=news'$/);
  assert.match(commands('http://x', 'http://y')[0]!, /^curl -N --http2-prior-knowledge '/);
  assert.match(commands('https://x', 'http://y')[0]!, /^curl -Nk '/);
  assert.match(commands('http://x', 'http://x', true)[0]!, /^curl -N -i --compressed '/);
  const { url } = await serve(t, 'sse');
  const response = await fetch(/'(http[^']+)'/.exec(commands(url, url)[0]!)![1]!);
  assert.equal(response.status, 200);
  await response.body!.cancel();
});
