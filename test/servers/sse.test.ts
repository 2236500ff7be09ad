// Server-Sent Events read by other people's clients: `eventsource` and undici for the life of a subscription,
// `eventsource-parser` for what stands on the wire over each version of HTTP.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { EventSource } from 'eventsource';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { EventSource as UndiciEventSource } from 'undici';
import { test, type TestContext } from 'vitest';
import { newCounters } from '../../core/result/counters.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { random } from '../../core/base/random.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { createHub } from '../../servers/hub/hub.ts';
import { sse } from '../../servers/sse.ts';
import { rawClient, until } from './http/raw-http.ts';
import { getRequest, serve, unchunk } from './streams.ts';

type Messages = { data: string; lastEventId: string }[];

/** A client that reconnects by itself, with what it got. */
function listen(t: TestContext, url: string, query: string) {
  const source = new EventSource(`${url}/events?${query}`);
  t.onTestFinished(() => source.close());
  const messages: Messages = [];
  const resets: Messages = [];
  source.onmessage = ({ data, lastEventId }) => void messages.push({ data: data as string, lastEventId });
  source.addEventListener(
    'reset',
    ({ data, lastEventId }) => void resets.push({ data: data as string, lastEventId }),
  );
  return {
    source,
    messages,
    resets,
    saw: (count: number) => until(`${count} messages`, () => messages.length >= count),
  };
}

/** What a parser makes of the bytes. */
function reader() {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const decoder = new TextDecoder();
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onComment: (text) => comments.push(text),
    onRetry: (ms) => retries.push(ms),
    maxBufferSize: 1e8,
  });
  return {
    events,
    comments,
    retries,
    feed: (bytes: Uint8Array) => parser.feed(decoder.decode(bytes, { stream: true })),
  };
}

async function overHttp2(
  t: TestContext,
  { url, certificate }: { url: string; certificate?: string },
): Promise<ClientHttp2Session> {
  const session = connectHttp2(url, certificate === undefined ? {} : { ca: certificate });
  session.on('error', () => {});
  t.onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

async function ask(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  const stream: ClientHttp2Stream = session.request({ ':path': path, ...headers });
  const got = reader();
  stream.on('data', got.feed);
  stream.on('error', () => {});
  const [response] = (await once(stream, 'response')) as [Record<string, string | number>];
  return { stream, response, ...got };
}

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

test('a server that closes ends the streams whole and tells those who come back to stay away', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '50ms' });
  const { source } = listen(t, url, 'topics=a');
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(2);
  const done = close();
  assert.equal(unchunk(Buffer.from(await closed)).ended, true);
  await until('the EventSource has given up', () => source.readyState === source.CLOSED);
  await done;
});

test('it waits no longer than until all have come back', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '1h' });
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(1);
  const from = performance.now();
  const done = close();
  await closed;
  assert.equal((await fetch(`${url}/events?topics=a`)).status, 204);
  await done;
  assert.ok(performance.now() - from < 1500);
});

test('it does not wait for those who do not come back, nor when nobody was there', async (t) => {
  const { url, joined, close } = await serve(t, 'sse', { retry: '1h' });
  const { socket, closed } = await rawClient(url);
  socket.write(getRequest('/events?topics=a'));
  await joined(1);
  await close();
  await closed;
  const empty = await serve(t, 'sse', { retry: '1h' });
  await empty.close();
});

for (const over of ['h2', 'h2c'] as const) {
  test(`${over}: streams of one connection, each with its own topics, framing and end`, async (t) => {
    const { endpoint, publish, joined, at, close, count } = await serve(t, 'sse', { over });
    const session = await overHttp2(t, endpoint);
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(session, `/events?topics=all,own.${i}`)),
    );
    await joined(20);
    for (const { response } of streams) {
      assert.equal(response[':status'], 200);
      assert.equal(response['content-type'], 'text/event-stream');
      assert.equal(response['connection'], undefined);
      assert.equal(response['transfer-encoding'], undefined);
    }
    const [all] = publish('all', '"é"');
    const [own] = publish('own.7', JSON.stringify('x'.repeat(200_000)));
    await until('delivered', () => streams.every(({ events }, i) => events.length === (i === 7 ? 2 : 1)));
    assert.deepEqual(
      streams[7]!.events.map(({ id, data }) => [id, data]),
      [
        [at(1), all!.json],
        [at(2), own!.json],
      ],
    );
    assert.deepEqual(streams[3]!.retries, [1000]);
    const resumed = await ask(session, '/events?topics=own.7', { 'last-event-id': at(1) });
    await until('resumed', () => resumed.events.length === 1);
    assert.deepEqual(count('connectionsOpened', 'handshakes', 'events'), [1, 21, 22]);
    const ended = Promise.all(streams.map(({ stream }) => once(stream, 'end')));
    const done = close();
    await ended;
    const late = await ask(session, '/events?topics=all');
    assert.equal(late.response[':status'], 204);
    await done;
  });

  test(
    `${over}: a disconnect cuts streams, not everybody on the connection; ` +
      'a client that resets one leaves nothing behind',
    async (t) => {
      const { endpoint, hub, publish, joined, disconnect } = await serve(t, 'sse', { over });
      const session = await overHttp2(t, endpoint);
      const streams = await Promise.all(Array.from({ length: 10 }, () => ask(session, '/events?topics=a')));
      await joined(10);
      disconnect(0.5);
      await joined(5);
      await until('five know', () => streams.filter(({ stream }) => stream.closed).length === 5);
      publish('a', '1');
      await until('the others go on', () => streams.filter(({ events }) => events.length === 1).length === 5);
      for (const { stream } of streams) stream.close();
      await joined(0);
      assert.equal(hub.subscriptions(), 0);
    },
  );

  test(
    `${over}: a stream whose client takes nothing is cut off, ` + 'and the others of the connection go on',
    async (t) => {
      const { endpoint, publish, joined, count } = await serve(t, 'sse', { over }, { slowBuffer: 200_000 });
      const session = await overHttp2(t, endpoint);
      const slow = await ask(session, '/events?topics=a');
      const other = await ask(session, '/events?topics=a');
      await joined(2);
      slow.stream.pause();
      for (let i = 0; i < 60; i++) {
        publish('a', JSON.stringify('x'.repeat(20_000)));
        await until('read', () => other.events.length === i + 1);
      }
      await joined(1);
      assert.deepEqual(count('slowDisconnects'), [1]);
    },
  );
}

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
  const commands = (url: string, publishUrl: string) =>
    sse.examples.map(({ command }) => command(url, publishUrl));
  assert.match(commands('http://x', 'http://x')[0]!, /^curl -N 'http:\/\/x\/events\?topics=news'$/);
  assert.match(commands('http://x', 'http://y')[0]!, /^curl -N --http2-prior-knowledge '/);
  assert.match(commands('https://x', 'http://y')[0]!, /^curl -Nk '/);
  const { url } = await serve(t, 'sse');
  const response = await fetch(/'(http[^']+)'/.exec(commands(url, url)[0]!)![1]!);
  assert.equal(response.status, 200);
  await response.body!.cancel();
});
