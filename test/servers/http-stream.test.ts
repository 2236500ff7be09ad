// Reads HTTP streams on the wire: the lines, what a resume gets, heartbeats, the end, and clients of other
// versions of HTTP.

import assert from 'node:assert/strict';
import { request as undiciRequest } from 'undici';
import { test, type TestContext } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { httpStream } from '../../servers/http-stream.ts';
import { rawClient, talk, until } from './http/raw-http.ts';
import { bulk, getRequest, serve, slowClient, unchunk } from './streams.ts';

/** Follows the stream with undici; the lines as they have come so far. */
async function follow(t: TestContext, url: string, query: string) {
  const { statusCode, headers, body } = await undiciRequest(`${url}/stream?${query}`, { bodyTimeout: 0 });
  t.onTestFinished(() => void body.destroy());
  let text = '';
  let ended = false;
  let cut = false;
  body.setEncoding('utf8').on('data', (part: string) => (text += part));
  body.on('end', () => (ended = true));
  body.on('error', () => (cut = true));
  const lines = () => text.split('\n').slice(0, -1);
  return {
    statusCode,
    headers,
    body,
    lines,
    ended: () => ended,
    cut: () => cut,
    saw: (count: number) => until(`${count} lines`, () => lines().length >= count),
  };
}

test('an opening line with the cursor, then a line for each event of the topics, as published', async (t) => {
  const { url, publish, at, count, joined } = await serve(t, 'http-stream');
  publish('a', '"before"');
  const { statusCode, headers, lines, saw } = await follow(t, url, 'topics=a,b');
  await joined(1);
  assert.equal(statusCode, 200);
  assert.equal(headers['content-type'], 'application/x-ndjson');
  assert.equal(headers['cache-control'], 'no-cache, no-transform');
  assert.equal(headers['x-accel-buffering'], 'no');
  assert.equal(headers['connection'], 'close');
  const events = publish('b', '{ "x" : 1 }');
  publish('c', '"of no interest"');
  events.push(...publish('a', 'two\nlines', ''));
  await saw(4);
  assert.deepEqual(lines(), [`{"stream":"open","cursor":"${at(1)}"}`, ...events.map(({ json }) => json)]);
  assert.deepEqual(count('handshakes', 'events', 'resets', 'errors', 'refusals'), [1, 3, 0, 0, 0]);
});

test('a resume gets what was missed, and the place it resumes from', async (t) => {
  const { url, publish, at } = await serve(t, 'http-stream');
  const events = publish('a', '1', '2', '3');
  const { lines, saw } = await follow(t, url, `topics=a&since=${at(1)}`);
  await saw(3);
  events.push(...publish('a', '4'));
  await saw(4);
  assert.deepEqual(lines(), [
    `{"stream":"open","cursor":"${at(1)}"}`,
    ...events.slice(1).map(({ json }) => json),
  ]);
});

test(
  'a cursor that comes too late or from elsewhere is told so, ' +
    'gets what is held, and a cursor that leads there',
  async (t) => {
    const { url, publish, at, count } = await serve(t, 'http-stream', {}, { history: 2 });
    const events = publish('a', '1', '2', '3');
    for (const since of [at(0), 'other-3', at(99)]) {
      const { lines, saw } = await follow(t, url, `topics=a&since=${since}`);
      await saw(3);
      assert.deepEqual(
        lines(),
        [`{"stream":"open","cursor":"${at(0)}","reset":true}`, ...events.slice(1).map(({ json }) => json)],
        since,
      );
    }
    assert.deepEqual(count('resets'), [3]);
  },
);

test('a quiet stream gets heartbeats with the cursor to resume from, a busy one does not', async (t) => {
  const { url, publish, at, count } = await serve(t, 'http-stream', { heartbeat: '200ms' });
  publish('b', '1');
  const { lines, saw } = await follow(t, url, 'topics=a');
  await saw(3);
  assert.deepEqual(
    lines().slice(1),
    Array(lines().length - 1).fill(`{"stream":"heartbeat","cursor":"${at(1)}"}`),
  );
  const [before] = count('heartbeats');
  assert.ok(before! >= 2);
  const busy = await follow(t, url, 'topics=busy');
  const timer = setInterval(() => publish('busy', '1'), 20);
  await busy.saw(60);
  clearInterval(timer);
  // In 1.2 s there would be six; a machine that stalls may bring one or two about.
  assert.ok(busy.lines().filter((line) => line.includes('heartbeat')).length < 3);
});

test('a server that closes says so in a last line and ends the response whole', async (t) => {
  const { url, joined, close } = await serve(t, 'http-stream');
  const { lines, ended, cut } = await follow(t, url, 'topics=a');
  await joined(1);
  await close();
  await until('ended', ended);
  assert.equal(lines().at(-1), '{"stream":"end"}');
  assert.equal(cut(), false);
});

test('while it closes, nobody else is let in', async (t) => {
  const { url, publish, joined, close, count } = await serve(
    t,
    'http-stream',
    {},
    { slowBuffer: 64 * 1024 ** 2 },
  );
  const { socket } = await rawClient(url);
  socket.pause();
  socket.write(getRequest('/stream?topics=a'));
  await joined(1);
  for (let i = 0; i < 20; i++) publish('a', bulk(1e6)); // keeps the goodbye from being read
  const closed = close();
  const answer = await fetch(`${url}/stream?topics=a`);
  assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [503, 'closing']);
  assert.equal(answer.headers.get('retry-after'), '1');
  await closed;
  assert.deepEqual(count('refusals', 'handshakes'), [1, 2]);
});

test('a disconnect is a cut, not an end: the client can tell', async (t) => {
  const { url, joined, disconnect } = await serve(t, 'http-stream');
  const streams = await Promise.all(Array.from({ length: 10 }, () => follow(t, url, 'topics=a')));
  await joined(10);
  disconnect(0.5);
  await joined(5);
  await until('five are cut', () => streams.filter(({ cut }) => cut()).length === 5);
  assert.equal(streams.filter(({ ended }) => ended()).length, 0);
  assert.ok(streams.every(({ lines }) => !lines().includes('{"stream":"end"}')));
});

test('over HTTP/1.1 each event is one chunk, and the last chunk ends the stream', async (t) => {
  const { url, publish, at, close } = await serve(t, 'http-stream');
  const { socket, saw, closed } = await rawClient(url);
  socket.write(getRequest('/stream?topics=a'));
  await saw(/"open"/);
  const [event] = publish('a', '"é🎈"');
  await saw(/seq/);
  await close();
  const [head, ...rest] = (await closed).split('\r\n\r\n');
  assert.match(head!, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(head!, /\r\ntransfer-encoding: chunked/i);
  const texts = [`{"stream":"open","cursor":"${at(0)}"}\n`, `${event!.json}\n`, '{"stream":"end"}\n'];
  const chunks = texts.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  assert.equal(rest.join('\r\n\r\n'), Buffer.from(`${chunks.join('')}0\r\n\r\n`).toString('latin1'));
});

test('a client of HTTP/1.0 gets the same lines without chunks, until the connection closes', async (t) => {
  const { url, publish, at, close } = await serve(t, 'http-stream');
  const { socket, saw, closed } = await rawClient(url);
  socket.write('GET /stream?topics=a HTTP/1.0\r\n\r\n');
  await saw(/"open"/);
  const [event] = publish('a', '1');
  await saw(/seq/);
  await close();
  const [head, body] = (await closed).split('\r\n\r\n');
  assert.doesNotMatch(head!, /transfer-encoding/i);
  assert.match(head!, /\r\nconnection: close/i);
  assert.equal(body, `{"stream":"open","cursor":"${at(0)}"}\n${event!.json}\n{"stream":"end"}\n`);
});

test('a client that asks to close the connection gets a stream like others', async (t) => {
  const { url, publish, close } = await serve(t, 'http-stream');
  const { socket, saw, closed } = await rawClient(url);
  socket.write(getRequest('/stream?topics=a', 'Connection: close'));
  await saw(/"open"/);
  publish('a', '1');
  await saw(/seq/);
  await close();
  const { body, ended } = unchunk(Buffer.from(await closed, 'latin1'));
  assert.equal(ended, true);
  assert.equal(body.toString().split('\n').length, 4);
});

test('a stream pipelined behind another request waits for its turn', async (t) => {
  const { url, publish, joined } = await serve(t, 'http-stream');
  const { socket, saw } = await rawClient(url);
  socket.write(getRequest('/') + getRequest('/stream?topics=a'));
  await joined(1);
  publish('a', '1');
  const text = await saw(/seq/);
  assert.ok(text.indexOf('"endpoints"') < text.indexOf('"open"'));
});

test(
  'a client that says goodbye, one that sends a body nobody asked for, ' +
    'and one that vanishes all leave nothing behind',
  async (t) => {
    const { url, hub, joined } = await serve(t, 'http-stream');
    const leaving = await rawClient(url, { allowHalfOpen: true });
    leaving.socket.write(getRequest('/stream?topics=a'));
    const sending = await rawClient(url);
    sending.socket.write(
      `${getRequest('/stream?topics=a', 'Content-Length: 10000000')}${'x'.repeat(1_000_000)}`,
    );
    const vanishing = await rawClient(url);
    vanishing.socket.write(getRequest('/stream?topics=a'));
    await joined(3);
    leaving.socket.end();
    await leaving.closed;
    sending.socket.destroy();
    vanishing.socket.resetAndDestroy();
    await joined(0);
    assert.equal(hub.subscriptions(), 0);
  },
);

test('one that half-closes and does not read what is on the way is let go of', async (t) => {
  const { url, subscribers, publish, joined, count } = await serve(
    t,
    'http-stream',
    { heartbeat: '100ms' },
    { slowBuffer: 64 * 1024 ** 2 },
  );
  const { socket } = await rawClient(url, { allowHalfOpen: true });
  socket.pause();
  socket.write(getRequest('/stream?topics=a'));
  await joined(1);
  for (let i = 0; i < 20; i++) publish('a', bulk(1e6));
  socket.end();
  await until('it is gone', () => publish('a', '"nothing for it"') && subscribers() === 0);
  assert.deepEqual(count('errors'), [0]);
});

test('one that does not read gets no heartbeats on top of what is waiting for it', async (t) => {
  const { url, publish, joined, count } = await serve(
    t,
    'http-stream',
    { heartbeat: '50ms' },
    { slowBuffer: 64 * 1024 ** 2 },
  );
  const { socket, received } = await slowClient(url, getRequest('/stream?topics=a'));
  const other = await follow(t, url, 'topics=b');
  await joined(2);
  socket.pause();
  const before = received().toString().split('heartbeat').length - 1;
  for (let i = 0; i < 20; i++) publish('a', bulk(1e6));
  await other.saw(6);
  const [heartbeats] = count('heartbeats');
  assert.ok(
    heartbeats! <= before + other.lines().length,
    `${heartbeats} heartbeats, ${other.lines().length - 1} of them to the other`,
  );
});

test('what cannot be served is refused with a reason', async (t) => {
  const { url, count } = await serve(t, 'http-stream', {}, { maxTopics: 1 });
  const refusals: [string, number, string][] = [
    ['/stream', 400, 'no-topics'],
    ['/stream?topics=a/b', 400, 'bad-topic'],
    ['/stream?topics=a&since=yesterday', 400, 'bad-cursor'],
    ['/stream?topics=a,b', 503, 'too-many-topics'],
  ];
  for (const [path, status, code] of refusals) {
    const answer = await fetch(`${url}${path}`);
    assert.deepEqual(
      [answer.status, ((await answer.json()) as { error: string }).error],
      [status, code],
      path,
    );
    assert.equal(answer.headers.get('content-type'), 'application/json');
  }
  assert.match(
    await talk(url, 'HEAD /stream?topics=a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 200 OK\r\n[^]*application\/x-ndjson[^]*\r\n\r\n$/,
  );
  assert.deepEqual(count('handshakes', 'refusals'), [4, 1]);
});

test('the examples are requests that work', async (t) => {
  const { url, at, publish } = await serve(t, 'http-stream');
  publish('news', '1');
  const targets = httpStream
    .examples(patterns['http-stream'].options.parse({}))
    .flatMap(({ command }) => /'(http[^']+\?[^']+)'/.exec(command(url, url, at(0), 'pushbench'))?.[1] ?? []);
  assert.equal(targets.length, 2);
  for (const target of targets) {
    const response = await fetch(target);
    assert.equal(response.status, 200, target);
    await response.body!.cancel();
  }
});
