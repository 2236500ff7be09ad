// HTTP streaming subscribers against servers on real sockets.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'vitest';
import { largestMessageBytes } from '../../core/event/body-size.ts';
import { httpStream } from '../../load/http-stream.ts';
import type { RunningLoad } from '../../load/pattern.ts';
import { chunk, envelope, listen, rawServer, split, testContext, until, type Seen } from './context.ts';

const head =
  'HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson; ' +
  'charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
const notice = (fields: Record<string, unknown>) => `${JSON.stringify(fields)}\n`;
const open = (offset: number) => notice({ stream: 'open', cursor: `abc123-${offset}` });
const event = (offset: number, body?: string) => `${envelope(offset, body)}\n`;

async function start(t: TestContext, seen: Seen, subscribers = 1): Promise<RunningLoad> {
  const running = await httpStream.start(seen.context, { gzip: false, heartbeat: 15_000 });
  for (let i = 0; i < subscribers; i++) running.open(i);
  t.onTestFinished(() => running.close(0));
  return running;
}

test('events arrive whole and in order, however TCP cuts the stream, whatever their size', async (t) => {
  const bodies = Array.from({ length: 30 }, (_, i) => `{"x":"${'é'.repeat(i === 7 ? 200_000 : i)}"}`);
  const bytes = Buffer.from(
    head + chunk(open(0)) + bodies.map((body, i) => chunk(event(i + 1, body))).join(''),
  );
  const url = await rawServer(t, async (socket, _, connection) => {
    for (const piece of split(bytes, [connection * 3 + 1, 40_000, 5])) {
      socket.write(piece);
      await new Promise(setImmediate);
    }
  });
  const seen = testContext(url);
  await start(t, seen, 4);
  await until(() => seen.counters.events === 120);
  for (const got of seen.bodies.values()) assert.deepEqual(got, bodies);
  assert.deepEqual([seen.ready.sort(), seen.problems], [[0, 1, 2, 3], []]);
});

test('a subscriber comes back from the last event, heartbeat or opening that it saw', async (t) => {
  const since: (string | undefined)[] = [];
  const url = await rawServer(t, (socket, request, connection) => {
    assert.match(request, /^GET \/stream\?topics=news(&since=\S+)? HTTP\/1\.1\r\n/);
    since.push(/since=(\S+)/.exec(request)?.[1]);
    if (connection === 0) socket.end(head + chunk(open(7)));
    else if (connection === 1)
      socket.end(head + chunk(open(7) + event(8) + event(9) + event(10).slice(0, 50)));
    else if (connection === 2)
      socket.write(
        `${head}` +
          `${chunk(
            open(9) + notice({ stream: 'heartbeat', cursor: 'abc123-12' }) + notice({ stream: 'end' }),
          )}` +
          '0\r\n\r\n',
      );
    else socket.write(head + chunk(notice({ stream: 'open', cursor: 'def-0', reset: true }) + event(13)));
  });
  const seen = testContext(url);
  await start(t, seen);
  await until(() => seen.counters.events === 3);
  assert.deepEqual(since, [undefined, 'abc123-7', 'abc123-9', 'abc123-12']);
  assert.deepEqual(seen.bodies.get(0), ['{"n":8}', '{"n":9}', '{"n":13}']);
  const { handshakes, reconnects, heartbeats, resets, errors } = seen.counters;
  assert.deepEqual(
    { handshakes, reconnects, heartbeats, resets, errors },
    { handshakes: 4, reconnects: 3, heartbeats: 1, resets: 1, errors: 0 },
  );
  assert.deepEqual(
    [seen.ready, seen.lost],
    [
      [0, 0, 0, 0],
      [0, 0, 0],
    ],
  );
});

test('lines that are neither events nor notices are problems, and the stream goes on', async (t) => {
  const strange = ['hello', 'null', '17', '[]', '{"stream":"what"}', '{"id":"abc-1","topic":5}', '{"id'];
  const url = await rawServer(t, (socket) =>
    socket.write(head + chunk(`${open(0)}${strange.join('\n')}\n\r\n${event(1)}`)),
  );
  const seen = testContext(url);
  await start(t, seen);
  await until(() => seen.counters.events === 1);
  assert.deepEqual(
    seen.problems,
    strange.map(() => ({
      code: 'malformed-event',
      message: 'a line of the stream is neither an event nor a notice',
    })),
  );
});

for (const [what, reply, code, message] of [
  [
    'another status',
    'HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n',
    'http-status',
    'the server answered 404 where a stream was asked for',
  ],
  [
    'another content type',
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n',
    'http-type',
    'the stream has the content type "application/json", not "application/x-ndjson"',
  ],
  [
    'a line without end',
    `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n\r\n${'x'.repeat(largestMessageBytes + 1)}`,
    'too-long',
    `a line is longer than ${largestMessageBytes} bytes`,
  ],
] as const) {
  test(`${what} is a problem, and the subscriber tries again`, async (t) => {
    const url = await rawServer(t, (socket, _, connection) =>
      socket.write(connection === 0 ? reply : head + chunk(open(0) + event(1))),
    );
    const seen = testContext(url);
    await start(t, seen);
    await until(() => seen.counters.events === 1);
    assert.deepEqual(seen.problems, [{ code, message }]);
  });
}

test('closing reads what was sent and leaves no connection', async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    response.write(open(0));
  });
  const seen = testContext(await listen(t, server));
  const running = await start(t, seen, 10);
  await until(() => seen.ready.length === 10);
  await running.close(2000);
  assert.deepEqual(
    [seen.counters.connectionsOpened, seen.counters.connectionsClosed, seen.problems],
    [10, 10, []],
  );
});
