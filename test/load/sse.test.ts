// SSE subscribers against servers on real sockets: resume, stop, refusals, waits and the end.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'vitest';
import { sse } from '../../load/sse.ts';
import { chunk, envelope, listen, rawServer, split, testContext, until } from './context.ts';
import { event, head, options, start } from './sse-fixture.ts';

test('events arrive whole and in order, however TCP cuts the stream', async (t) => {
  const events = Array.from({ length: 40 }, (_, i) => event(i + 1));
  const bytes = Buffer.from(
    head +
      chunk('retry: 1000\n: open\n\n') +
      chunk(events.slice(0, 20).join('')) +
      events.slice(20).map(chunk).join(''),
  );
  const url = await rawServer(t, async (socket, _, connection) => {
    for (const piece of split(bytes, [connection * 7 + 1, 50, 3])) {
      socket.write(piece);
      await new Promise(setImmediate);
    }
  });
  const seen = testContext(url);
  await start(t, seen, 5);
  await until(() => seen.counters.events === 200);
  for (const bodies of seen.bodies.values())
    assert.deepEqual(
      bodies,
      events.map((_, i) => `{"n":${i + 1}}`),
    );
  assert.deepEqual(seen.ready.sort(), [0, 1, 2, 3, 4]);
  assert.deepEqual(seen.problems, []);
});

test('a subscriber that is cut off comes back with the last event id it saw', async (t) => {
  const requests: string[] = [];
  const url = await rawServer(t, (socket, request, connection) => {
    requests.push(request);
    socket.write(head);
    // The response ends, the connection does not.
    if (connection === 0) socket.end(chunk(event(1)) + chunk(event(2)) + chunk(event(3).slice(0, 30)));
    else if (connection === 1) socket.write(chunk(event(3)) + '0\r\n\r\n');
    else socket.write(chunk(event(4)));
  });
  const seen = testContext(url, { topicsOf: () => ['a', 'b'] });
  await start(t, seen);
  await until(() => seen.counters.events === 4);
  assert.match(
    requests[0]!,
    /^GET \/events\?topics=a,b HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\naccept: text\/event-stream\r\ncache-control: no-store\r\n\r\n$/,
  );
  assert.deepEqual(
    requests.map((request) => /last-event-id: (.*)\r/.exec(request)?.[1]),
    [undefined, 'abc123-2', 'abc123-3'],
  );
  assert.deepEqual(seen.bodies.get(0), ['{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
  assert.deepEqual(
    [seen.ready, seen.lost],
    [
      [0, 0, 0],
      [0, 0],
    ],
  );
  const { handshakes, reconnects, connectionsOpened, errors } = seen.counters;
  assert.deepEqual(
    { handshakes, reconnects, connectionsOpened, errors },
    { handshakes: 3, reconnects: 2, connectionsOpened: 3, errors: 0 },
  );
});

for (const [what, id, sent] of [
  ['that is not of our form', 'größe 7', 'größe 7'],
  ['that was reset', '', undefined],
  ['with leading noughts', 'abc-007', 'abc-007'],
  ['with leading noughts in the same epoch', 'abc123-007', 'abc123-007'],
  ['whose epoch begins as the one before', 'abc1234-7', 'abc1234-7'],
  ['of a new epoch', 'zzz9-1', 'zzz9-1'],
] as const) {
  test(`an event id ${what} is sent back as it came`, async (t) => {
    const requests: string[] = [];
    const url = await rawServer(t, (socket, request, connection) => {
      requests.push(Buffer.from(request, 'latin1').toString());
      if (connection === 0) socket.end(head + chunk(event(5)) + chunk(`id: ${id}\ndata: ${envelope(6)}\n\n`));
    });
    await start(t, testContext(url));
    await until(() => requests.length === 2);
    assert.equal(/last-event-id: (.*)\r/.exec(requests[1]!)?.[1], sent);
  });
}

test('204 is the end: no reconnection', async (t) => {
  let requests = 0;
  const url = await listen(
    t,
    createServer((_, response) => void (requests++, response.writeHead(204).end())),
  );
  const seen = testContext(url);
  await start(t, seen);
  await until(() => seen.counters.connectionsClosed === 1);
  await new Promise((resolve) => setTimeout(resolve, 150)); // three times the longest wait
  assert.equal(requests, 1);
  assert.deepEqual(seen.problems, [
    { code: 'sse-stopped', message: 'the server told a subscriber to stop and not to reconnect (204)' },
  ]);
  assert.deepEqual(seen.ready, []);
});

const refusals: [what: string, reply: string, code: string, message: string][] = [
  [
    'another status',
    'HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n',
    'http-status',
    'the server answered 500 where a stream was asked for',
  ],
  [
    'too many subscribers',
    'HTTP/1.1 503 Busy\r\nretry-after: 0\r\ncontent-length: 0\r\n\r\n',
    'http-status',
    'the server answered 503 where a stream was asked for',
  ],
  [
    'another content type',
    'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n',
    'http-type',
    'the stream has the content type "text/html", not "text/event-stream"',
  ],
  [
    'no content type',
    'HTTP/1.1 200 OK\r\n\r\n',
    'http-type',
    'the stream has the content type "", not "text/event-stream"',
  ],
  ['a malformed chunk', `${head}5\r\nabcdefgh`, 'http-chunk', 'a chunk is longer than its size says'],
  [
    'an oversized head',
    `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(20_000)}`,
    'http-head-too-large',
    "the response's head is larger than 16384 bytes",
  ],
];
for (const [what, reply, code, message] of refusals) {
  test(`${what} is a problem, and the subscriber tries again`, async (t) => {
    const url = await rawServer(t, (socket, _, connection) =>
      socket.write(connection < 2 ? reply : head + chunk(event(1))),
    );
    const seen = testContext(url);
    await start(t, seen);
    await until(() => seen.counters.events === 1);
    assert.deepEqual(seen.problems, [
      { code, message },
      { code, message },
    ]);
    assert.deepEqual([seen.counters.errors, seen.counters.handshakes, seen.counters.reconnects], [2, 3, 2]);
  });
}

test("Retry-After, and the stream's own retry, set the wait", async (t) => {
  const atMs: number[] = [];
  const url = await rawServer(t, (socket, _, connection) => {
    atMs.push(performance.now());
    if (connection === 0) socket.end('HTTP/1.1 503 Busy\r\nretry-after: 1\r\n\r\n');
    else if (connection === 1) socket.end(`${head}${chunk('retry: 1\n\n')}`);
  });
  const seen = testContext(url, { reconnect: { base: 0, cap: 60_000 } });
  await start(t, seen);
  await until(() => atMs.length === 3);
  assert.ok(atMs[1]! - atMs[0]! >= 990, 'it waited the second that the server asked for');
});

test("the stream's own reconnection time replaces the scenario's base", async (t) => {
  let connections = 0;
  const url = await rawServer(t, (socket) =>
    socket.end(connections++ === 0 ? head + chunk('retry: 1\n\n') : head),
  );
  await start(t, testContext(url, { reconnect: { base: 3_600_000, cap: 3_600_000 } }));
  await until(() => connections > 2);
});

test('resets, keep-alives and what is no event are told from events', async (t) => {
  const url = await rawServer(t, (socket) =>
    socket.write(
      head +
        chunk('retry: 1000\n: open\n\n') +
        chunk('event: reset\ndata: {"cursor":"abc123-9"}\n\n') +
        chunk(': keep-alive\n\n') +
        chunk(': keep-alive\n\n') +
        chunk('event: other\ndata: x\n\n') +
        chunk('data: {"what":1}\n\n') +
        chunk(event(1)),
    ),
  );
  const seen = testContext(url);
  await start(t, seen);
  await until(() => seen.counters.events === 1);
  assert.deepEqual([seen.counters.resets, seen.counters.heartbeats, seen.resets], [1, 2, [0]]);
  assert.deepEqual(seen.problems, [
    { code: 'malformed-event', message: "an SSE event's data is not an event envelope" },
  ]);
});

test('closing reads what was sent, leaves no connection and reports nothing', async (t) => {
  const sockets: Socket[] = [];
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(event(1));
    sockets.push(response.socket!);
  });
  const seen = testContext(await listen(t, server));
  const running = await sse.start(seen.context, options);
  for (let i = 0; i < 20; i++) running.open(i);
  await until(() => seen.counters.events === 20);
  await running.close(2000);
  const { connectionsOpened, connectionsClosed, bytesIn, bytesOut } = seen.counters;
  assert.deepEqual([connectionsOpened, connectionsClosed], [20, 20]);
  await until(() => sockets.every((socket) => socket.destroyed));
  assert.equal(
    bytesIn,
    sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0),
  );
  assert.equal(
    bytesOut,
    sockets.reduce((sum, socket) => sum + socket.bytesRead, 0),
  );
  assert.deepEqual([seen.lost, seen.problems], [[], []]);
});

test('closing ends waits for a reconnection, and connections that the server will not close', async (t) => {
  let connections = 0;
  const url = await rawServer(t, (socket, _, connection) => {
    connections++;
    if (connection === 0) socket.destroy();
    else socket.write(head);
  });
  const seen = testContext(url, { reconnect: { base: 400, cap: 400 }, random: () => 1 });
  const running = await sse.start(seen.context, options);
  running.open(0);
  await until(() => seen.counters.connectionsClosed === 1);
  running.open(1);
  await until(() => seen.ready.length === 1);
  await running.close(50);
  assert.equal(seen.counters.connectionsClosed, 2);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(connections, 2);
});
