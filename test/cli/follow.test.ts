// Runs `pushbench follow` against our servers and against those of others: what it prints, how it comes back,
// and how it ends.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { jsonLine, textLine } from '../../cli/follow-lines.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { certificate, key } from '../load/certificate.ts';
import { listen } from '../load/context.ts';
import { httpServer } from '../load/target/fixture.ts';
import { serve } from '../servers/http/gate-clients.ts';
import { until } from '../servers/http/raw-http.ts';
import { call, start, temporaryFolder } from './tools.ts';

const lines = (text: string) => text.split('\n').filter((line) => line !== '');
const parsed = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);

test('a line is one line, however long the body and whatever is in it; JSON has the whole of it', () => {
  const body = `{"a":1e400,\t"b":"${'x'.repeat(5000)}\u009b\u2028"}`;
  const envelope = { id: 'e-1', topic: 'a', seq: 1, plannedUs: 1, sentUs: 1, acceptedUs: 1, body };
  const noted = { latencyUs: 1500, replayed: true, repeated: true };
  const line = textLine({ atUs: 0, text: '', envelope }, noted);
  assert.match(
    line,
    /^[\d:.]{12}  a #1  1\.5 ms replayed again  \{"a":1e400, "b":"x+… \(5,0\d\d characters\)$/,
  );
  assert.ok(line.length < 2100);
  const json = jsonLine({ atUs: 0, text: '', envelope }, noted);
  assert.ok(json.endsWith(`"body":${body.replace('\u009b', '\\u009b')}}`));
  assert.equal(
    Object.keys(JSON.parse(json) as object).join(),
    'at,topic,seq,id,latencyUs,replayed,repeated,body',
  );
  const foreign = { atUs: 0, text: '\u001b]0;title\u0007\r\nsecond', type: 'note', id: '7' };
  const plain = { replayed: false, repeated: false };
  assert.match(textLine(foreign, plain), /^[\d:.]{12}  note  7  ␛\]0;title␇ second$/);
  assert.equal((JSON.parse(jsonLine(foreign, plain)) as { text: string }).text, foreign.text);
});

/** In this process: it ends by itself. */
const follow = (t: TestContext, ...args: string[]) => call(['follow', ...args], temporaryFolder(t));

for (const pattern of ['long-polling', 'http-stream', 'sse', 'websocket'] as const) {
  test(`${pattern} of ours: a line for each event, also for those that came while it was away`, async (t) => {
    const server = await serve(t, pattern);
    const { url } = server.endpoint;
    const done = follow(t, url, '--json', '--events', '3', '--topic', 'a,b');
    await until('it follows', () => server.subscribers() > 0);
    server.hub.publish('a', '{"big":12345678901234567890}', {});
    await until('it has it', () => server.counters().events > 0);
    await sleep(50); // a request that is cut sooner is sent again at once: the two crossed
    server.disconnect(1);
    await until('it is gone', () => server.subscribers() === 0);
    server.hub.publish('other', '0', {});
    server.hub.publish('a', 'two\nlines', {});
    await until('it has that', () => server.counters().events > 1);
    server.hub.publish('b', '3', {});
    const { code, stdout, stderr } = await done;
    assert.equal(code, 0, stderr);
    assert.match(
      lines(stdout)[0]!,
      /^\{"at":"20.*"topic":"a","seq":1,.*"body":\{"big":12345678901234567890\}\}$/,
    );
    const rows = parsed(stdout).map(({ topic, seq, body, text, replayed }) => [
      topic,
      seq,
      body ?? text,
      replayed,
    ]);
    assert.deepEqual(rows[1], ['a', 2, 'two\nlines', true]);
    assert.deepEqual(rows[2]!.slice(0, 3), ['b', 1, 3]); // which may have come with the replay, or behind it
    assert.match(stderr, /^Following a, b at http:.*\nLost the connection; coming back\.\n[^]*Back after /);
    assert.match(stderr, /3 events in .*; 1 reconnection, [12] replayed, 0 missed\. End: as many events as/);
  });
}

test('what the history of our server no longer holds is missing, and told', async (t) => {
  for (const pattern of ['long-polling', 'http-stream', 'sse', 'websocket'] as const) {
    const server = await serve(t, pattern, {}, { limits: { ...defaultLimits, history: 1 } });
    const done = follow(t, server.endpoint.url, '--events', '2');
    await until('it follows', () => server.subscribers() > 0);
    server.hub.publish('news', '1', {});
    await until('it has it', () => server.counters().events > 0);
    await sleep(50);
    server.disconnect(1);
    await until('it is gone', () => server.subscribers() === 0);
    for (const body of ['2', '3', '4']) server.hub.publish('news', body, {});
    const { stdout, stderr } = await done;
    assert.match(stdout, /news #1 .*\n.*news #4 .*\n$/);
    assert.match(
      stderr,
      /no longer had all that was missed\.\n[^]*1 reconnection, 1 replayed, 2 missed/,
      pattern,
    );
  }
});

test('polling of ours: as often as it was told, from one cursor to the next', async (t) => {
  const server = await serve(t, 'polling');
  const done = follow(t, server.endpoint.url, '--events', '2', '--every', '20ms');
  await until('it has its place', () => server.counters().emptyPolls > 1);
  for (const body of ['"a"', '"b"']) server.hub.publish('news', body, {});
  const { code, stdout } = await done;
  assert.equal(code, 0);
  assert.match(stdout, /^.*  news #1  .*"a"\n.*  news #2  .*"b"\n$/);
});

test('servers of others: SSE by Last-Event-ID, NDJSON, polls by ETag, sockets', async (t) => {
  const asked: (string | undefined)[] = [];
  const sse = await httpServer(t, (request, response) => {
    asked.push(request.headers['last-event-id'] as string | undefined);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(`retry: 10\n\nevent: tick\nid: n${asked.length}\ndata: one\ndata: \u001b[2J\n\n`);
  });
  const events = await follow(
    t,
    `${sse}/feed?x=1`,
    '--events',
    '3',
    '--header',
    'Authorization: Bearer abcd',
  );
  assert.equal(events.code, 0, events.stderr);
  assert.match(lines(events.stdout)[2]!, /^\d\d:\d\d:\d\d\.\d{3}  tick  n\d  one ␛\[2J$/);
  assert.deepEqual(asked.slice(1, 4), [undefined, 'n2', 'n3'], 'the first request finds out what it is');

  const feed = await httpServer(t, (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/x-ndjson' }).end('{"a":1}\n{"a":2}\nlast'),
  );
  const ended = await follow(t, feed, '--json');
  assert.equal(ended.code, 0);
  assert.deepEqual(
    parsed(ended.stdout).map(({ body, text }) => body ?? text),
    [{ a: 1 }, { a: 2 }, 'last'],
  );
  assert.match(ended.stderr, /End: the server ended its answer\.\n$/);

  let version = 0;
  const polled = await httpServer(t, (request, response) => {
    const tag = `"${Math.floor(version++ / 2)}"`;
    if (request.headers['if-none-match'] === tag) return response.writeHead(304).end();
    return response.writeHead(200, { 'content-type': 'application/json', etag: tag }).end(`{"v":${tag}}`);
  });
  const polls = await follow(t, polled, '--json', '--events', '3', '--every', '10ms');
  assert.equal(new Set(lines(polls.stdout).map((line) => line.replace(/^.*"body"/, ''))).size, 3);

  const server = createPlain();
  const said: string[] = [];
  new WebSocketServer({ server }).on('connection', (socket) =>
    socket.on('message', (message) => {
      said.push(String(message));
      socket.send('text');
      socket.send(Buffer.from([1, 2, 255]));
      socket.close(1012);
    }),
  );
  const address = (await listen(t, server)).replace('http', 'ws');
  const socket = await follow(t, `${address}/any`, '--json', '--events', '3', '--send', 'hello');
  assert.deepEqual(
    parsed(socket.stdout).map(({ text, base64 }) => text ?? base64),
    ['text', 'AQL/', 'text'],
  );
  assert.deepEqual(said, ['hello', 'hello']);
});

test('over TLS, verified by an authority that was named', async (t) => {
  const server = createServer({ cert: certificate, key }, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end('data: safe\n\n');
  });
  new WebSocketServer({ server }).on('connection', (socket) => socket.send('safe'));
  const { host } = new URL(await listen(t, server));
  const file = join(temporaryFolder(t), 'ca.pem');
  writeFileSync(file, certificate);
  for (const scheme of ['https', 'wss']) {
    const { code, stdout, stderr } = await follow(t, `${scheme}://${host}/`, '--ca', file, '--events', '1');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /  safe\n$/);
    const refused = await follow(t, `${scheme}://${host}/`, '--events', '1');
    assert.equal(refused.code, 3, scheme);
    assert.match(refused.stderr, /certificate/);
  }
});

test('only the address that was named is asked: a redirect is told, not followed', async (t) => {
  let asked = 0;
  const elsewhere = await httpServer(t, (_request, response) => {
    asked++;
    response.end();
  });
  const url = await httpServer(t, (_request, response) =>
    response.writeHead(307, { location: elsewhere }).end(),
  );
  const { code, stderr } = await follow(t, url);
  assert.equal(code, 3);
  assert.ok(stderr.includes(`redirects to ${elsewhere}; redirects are not followed`), stderr);
  assert.equal(asked, 0);
});

test('what cannot be followed is told with what to do, and by the exit code', async (t) => {
  const { url: sse } = (await serve(t, 'sse')).endpoint;
  const { url: webhook } = (await serve(t, 'webhook')).endpoint;
  const page = await httpServer(t, (_request, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
  );
  const rows: [args: string[], code: number, message: RegExp][] = [
    [['ftp://127.0.0.1'], 2, /is not an address: give one such as http/],
    [['http://a:b@127.0.0.1'], 2, /go into --header/],
    [[sse, '--pattern', 'websockets'], 2, /did you mean "websocket"\?/],
    [[sse, '--pattern', 'polling'], 2, /serves sse, not polling/],
    [[sse, '--topic', 'a/b'], 2, /is not a topic name/],
    [[sse, '--events', '0'], 2, /is not a number of events/],
    [[sse, '--for', '10'], 2, /write it as 10s/],
    [[sse, '--header', 'Host: x'], 2, /sets the header Host itself/],
    [[webhook], 2, /webhooks\/stream/],
    [[`${sse}/nowhere`], 3, /answered 404: there is nothing at \/nowhere/],
    [[`${sse}/events`], 3, /answered 400: name the topics/],
    [[page], 3, /answered with text\/html, which does not show the pattern\. Name it: --pattern/],
    [[page, '--pattern', 'sse'], 3, /content type "text\/html", not "text\/event-stream"/],
    [['127.0.0.1:1'], 3, /Nothing listens at 127\.0\.0\.1:1/],
    [[sse, '--for', '50ms', '--events', '1'], 1, /0 events in .*End: the time is over/],
    [[sse, '--for', '50ms'], 0, /End: the time is over/],
  ];
  for (const [args, code, message] of rows) {
    const end = await follow(t, ...args);
    assert.equal(end.code, code, `${args.join(' ')}: ${end.stderr}`);
    assert.match(end.stderr, message);
    assert.equal(end.stdout, '');
  }
});

test('Ctrl-C ends it with a summary, and with 130 before an end that was asked for', async (t) => {
  const server = await serve(t, 'sse');
  for (const [more, code] of [
    [[], 0],
    [['--events', '5'], 130],
  ] as const) {
    const running = start(['follow', server.endpoint.url, ...more], temporaryFolder(t));
    await running.saw(/Following news at .* \(SSE\)\. Ctrl-C ends it\./);
    server.hub.publish('news', '{"n":1}', {});
    await running.saw(/  news #\d  [\d.]+ (?:µs|ms)  \{"n":1\}\n/);
    running.child.kill('SIGINT');
    const end = await running.ended;
    assert.equal(end.code, code);
    assert.match(end.stderr, /\n1 event in .* each at the median; 0 missed\. End: ended by SIGINT\.\n$/);
  }
});

test('our server says goodbye for good: the end, and no failure', async (t) => {
  for (const pattern of ['sse', 'websocket'] as const) {
    const server = await serve(t, pattern, pattern === 'sse' ? { retry: '50ms' } : {});
    const done = follow(t, server.endpoint.url);
    await until('it follows', () => server.subscribers() > 0);
    await server.close();
    const { code, stderr } = await done;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /End: the server /);
  }
});
