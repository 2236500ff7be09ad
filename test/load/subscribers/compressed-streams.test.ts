// Subscribers of streams that come compressed: against node:zlib's own compressor, which remembers what it
// sent before, and against servers that end badly. That our own server's bytes are read is the contract's.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { constants, createGzip, gzipSync } from 'node:zlib';
import { describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { httpStream } from '../../../load/http-stream.ts';
import { sse } from '../../../load/sse.ts';
import { envelope, listen, rawServer, split, testContext, until, type Seen } from '../context.ts';

const streams = {
  'http-stream': {
    start: (seen: Seen) =>
      httpStream.start(seen.context, { ...patterns['http-stream'].options.parse({}), gzip: true }),
    type: 'application/x-ndjson',
    open: '{"stream":"open","cursor":"abc123-0"}\n',
    event: (offset: number, body?: string) => `${envelope(offset, body)}\n`,
    since: /since=(\S+)/,
    thing: 'a line',
  },
  sse: {
    start: (seen: Seen) => sse.start(seen.context, { ...patterns.sse.options.parse({}), gzip: true }),
    type: 'text/event-stream',
    open: 'retry: 5\nid: abc123-0\n: open\n\n',
    event: (offset: number, body?: string) => `id: abc123-${offset}\ndata: ${envelope(offset, body)}\n\n`,
    since: /last-event-id: (\S+)/,
    thing: 'an SSE line',
  },
};

for (const [name, { start, type, open, event, since, thing }] of Object.entries(streams)) {
  describe(name, () => {
    const head =
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-encoding: ` +
      'gzip\r\ntransfer-encoding: chunked\r\n\r\n';
    const chunk = (bytes: Buffer) =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    const flushed = (text: string) => gzipSync(text, { finishFlush: constants.Z_SYNC_FLUSH });

    async function follow(t: TestContext, url: string, subscribers = 1): Promise<Seen> {
      const seen = testContext(url);
      const running = await start(seen);
      t.onTestFinished(() => running.close(0));
      for (let i = 0; i < subscribers; i++) running.open(i);
      return seen;
    }

    test('asks for gzip, and reads what a server compresses that remembers what it has sent', async (t) => {
      const bodies = Array.from({ length: 40 }, (_, i) => `{"x":"${'é'.repeat(i === 7 ? 100_000 : i % 5)}"}`);
      const asked: unknown[] = [];
      const seen = await follow(
        t,
        await listen(
          t,
          createServer((request, response) => {
            asked.push(request.headers['accept-encoding']);
            response.writeHead(200, { 'content-type': type, 'content-encoding': 'gzip' });
            const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
            gzip.pipe(response);
            gzip.write(open);
            bodies.forEach((body, i) => gzip.write(event(i + 1, body)));
          }),
        ),
        3,
      );
      await until(() => seen.counters.events === 120);
      for (const got of seen.bodies.values()) assert.deepEqual(got, bodies);
      assert.deepEqual([asked, seen.problems], [['gzip', 'gzip', 'gzip'], []]);
      assert.ok(seen.counters.bytesIn < 30_000, `bytes are counted as they came: ${seen.counters.bytesIn}`);
    });

    test('neither packets nor chunks need be events', async (t) => {
      const bytes = flushed(open + event(1) + event(2) + event(3));
      const seen = await follow(
        t,
        await rawServer(t, async (socket) => {
          socket.write(head);
          for (const piece of split(Buffer.concat(split(bytes, [3, 11]).map(chunk)), [1, 7, 2])) {
            socket.write(piece);
            await new Promise(setImmediate);
          }
        }),
      );
      await until(() => seen.counters.events === 3);
      assert.deepEqual([seen.bodies.get(0), seen.problems], [['{"n":1}', '{"n":2}', '{"n":3}'], []]);
    });

    test('a server that does not compress is understood, too', async (t) => {
      const seen = await follow(
        t,
        await rawServer(t, (socket) =>
          socket.write(
            head.replace(/content-encoding: gzip\r\n/, '') + chunk(Buffer.from(open + event(1))).toString(),
          ),
        ),
      );
      await until(() => seen.counters.events === 1);
      assert.deepEqual(seen.problems, []);
    });

    test('the end of a stream comes behind its events; who comes back has had them', async (t) => {
      const asked: (string | undefined)[] = [];
      const seen = await follow(
        t,
        await rawServer(t, (socket, request, connection) => {
          asked.push(since.exec(request)?.[1]);
          const whole = gzipSync(open + event(1) + event(2));
          socket.write(
            Buffer.concat([
              Buffer.from(head),
              chunk(connection === 0 ? whole : flushed(open.replace('-0', '-2') + event(3))),
              ...(connection === 0 ? [Buffer.from('0\r\n\r\n')] : []),
            ]),
          );
        }),
      );
      await until(() => seen.counters.events === 3);
      assert.deepEqual(
        [seen.bodies.get(0), asked, seen.problems],
        [['{"n":1}', '{"n":2}', '{"n":3}'], [undefined, 'abc123-2'], []],
      );
    });

    for (const [what, body, problem] of [
      [
        'what is no gzip',
        Buffer.from(open),
        { code: 'gzip', message: 'a compressed answer cannot be read: incorrect header check' },
      ],
      [
        'a line that inflates beyond the limit',
        gzipSync(Buffer.alloc(largestMessageBytes + 1, 'x')),
        { code: 'too-long', message: `${thing} is longer than ${largestMessageBytes} bytes` },
      ],
      [
        'an end that is missing',
        Buffer.concat([flushed(open), Buffer.from('END')]),
        { code: 'gzip', message: 'a compressed answer cannot be read: unexpected end of file' },
      ],
    ] as const) {
      test(`${what} is a problem, and the subscriber tries again`, async (t) => {
        const cut = body.subarray(-3).toString() === 'END';
        const seen = await follow(
          t,
          await rawServer(t, (socket, _, connection) => {
            if (connection > 0)
              socket.write(Buffer.concat([Buffer.from(head), chunk(flushed(open + event(1)))]));
            else
              socket.write(
                Buffer.concat([
                  Buffer.from(head),
                  chunk(cut ? body.subarray(0, -3) : body),
                  Buffer.from(cut ? '0\r\n\r\n' : ''),
                ]),
              );
          }),
        );
        await until(() => seen.counters.events === 1);
        assert.deepEqual(seen.problems, [problem]);
        assert.deepEqual([seen.counters.errors, seen.counters.reconnects], [1, 1]);
      });
    }

    test('another coding is a problem', async (t) => {
      const seen = await follow(
        t,
        await rawServer(t, (socket, _, connection) => {
          if (connection === 0) socket.write(head.replace('gzip', 'br'));
          else socket.write(Buffer.concat([Buffer.from(head), chunk(flushed(open + event(1)))]));
        }),
      );
      await until(() => seen.counters.events === 1);
      assert.deepEqual(
        [seen.problems, seen.ready],
        [
          [
            {
              code: 'http-coding',
              message: 'the answer has the content coding "br", which was not asked for',
            },
          ],
          [0],
        ],
      );
    });
  });
}
