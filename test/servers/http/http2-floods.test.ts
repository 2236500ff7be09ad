// Sends floods of HTTP/2 frames from one connection, each written by hand: whether the server ends it, that
// its memory stays bounded, and that another client is served all the while. And clients that do much of the
// same with good reason.

import assert from 'node:assert/strict';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Counters } from '../../../core/result/counters.ts';
import { resetAllowance, mostStreams } from '../../../servers/http/listen-http2.ts';
import { forkFloodServer, type FloodServer } from './flood-server.ts';
import { field, fields, frame, frameClient, frames } from './http2-frames.ts';
import { until } from './raw-http.ts';
import { serve } from '../streams.ts';

type Flood = {
  what: string;
  /** Whether the server ends the connection, at the latest behind `most` frames. */
  ended: boolean;
  most: number;
  settings?: Readonly<Record<number, number>>;
  reads?: boolean;
  first?: Buffer;
  next(i: number): Buffer;
  /** Requests that may have got through, and errors of theirs; those of the other client are among them. */
  mostRequests?: number;
};

const initialWindow = 4; // RFC 9113, section 6.5.2
const events = '/events?topics=a';
// Entry 62, the first of the dynamic table, again and again.
const bomb = Buffer.concat([fields('/'), Buffer.alloc(14_000, 0xbe)]);
const bombFilled = Buffer.concat([
  fields('/'),
  Buffer.from([0x40]),
  field('bomb', 'x'.repeat(4000)).subarray(1),
]);

const floods: Flood[] = [
  {
    what: 'streams that are reset at once',
    ended: true,
    most: 200_000,
    mostRequests: 2000,
    next: (i) => Buffer.concat([frames.get(i, events), frames.reset(i)]),
  },
  {
    what: 'streams that are reset when they are answered',
    ended: true,
    most: 200_000,
    mostRequests: 2000,
    next: (i) => Buffer.concat([frames.get(i, '/'), frames.reset(i)]),
  },
  {
    what: 'streams that are reset without an error',
    ended: true,
    most: 200_000,
    mostRequests: 2000,
    next: (i) => Buffer.concat([frames.get(i, events), frames.reset(i, 0)]),
  },
  {
    what: 'bodies that are reset without an error when they are refused',
    ended: true,
    most: 200_000,
    mostRequests: 2000,
    next: (i) => Buffer.concat([frames.post(i, '/'), frames.reset(i, 0)]),
  },
  {
    what: 'bodies that are reset before they begin',
    ended: true,
    most: 200_000,
    mostRequests: 4000,
    next: (i) => Buffer.concat([frames.post(i, '/messages/a'), frames.reset(i)]),
  },
  {
    what: 'streams that make the server reset them',
    ended: true,
    most: 200_000,
    next: (i) => Buffer.concat([frames.get(i, events), frames.window(2 * i + 1, 0)]),
  },
  {
    what: 'streams without end',
    ended: true,
    most: 200_000,
    mostRequests: mostStreams + 10,
    next: (i) => frames.get(i, events),
  },
  {
    what: 'streams without end, though the limit was acknowledged',
    ended: true,
    most: 200_000,
    mostRequests: mostStreams + 10,
    first: frames.settingsTaken(),
    next: (i) => frames.get(i, events),
  },
  {
    what: 'streams whose answers have no window',
    ended: true,
    most: 200_000,
    settings: { [initialWindow]: 0 },
    next: (i) => frames.get(i, '/'),
  },
  {
    what: 'streams whose answers nobody reads',
    ended: true,
    most: 200_000,
    reads: false,
    next: (i) => frames.get(i, '/'),
  },
  { what: 'bodies without end', ended: true, most: 200_000, next: (i) => frames.post(i, '/messages/a') },
  { what: 'SETTINGS', ended: true, most: 500_000, next: () => frames.settings({ [initialWindow]: 65_535 }) },
  {
    what: 'SETTINGS whose answers nobody reads',
    ended: true,
    most: 500_000,
    reads: false,
    next: () => frames.settings(),
  },
  { what: 'PING', ended: true, most: 500_000, next: frames.ping },
  { what: 'PING whose answers nobody reads', ended: true, most: 500_000, reads: false, next: frames.ping },
  {
    what: 'empty DATA',
    ended: true,
    most: 500_000,
    first: frames.post(0, '/messages/a'),
    next: () => frames.emptyData(0),
  },
  {
    what: 'CONTINUATION',
    ended: true,
    most: 20_000,
    first: frames.beginHeaders(0, fields('/')),
    next: (i) => frame('continuation', 0, 1, field(`x${i}`, 'y'.repeat(1000))),
  },
  {
    what: 'empty CONTINUATION',
    ended: true,
    most: 500_000,
    first: frames.beginHeaders(0, fields('/')),
    next: () => frame('continuation', 0, 1),
  },
  { what: 'PRIORITY', ended: true, most: 500_000, next: frames.priority },
  {
    what: 'trailers of many requests',
    ended: true,
    most: 20_000,
    mostRequests: 500,
    next: (i) =>
      Buffer.concat([frames.post(i, '/messages/a'), frames.trailers(i, field('t', 'y'.repeat(8000)))]),
  },
  {
    what: 'trailers of one request',
    ended: true,
    most: 100_000,
    first: frames.post(0, '/messages/a'),
    next: () => frame('headers', 4, 1, field('t', 'y'.repeat(100))),
  },
  { what: 'GOAWAY', ended: true, most: 500_000, next: frames.goaway },
  { what: 'WINDOW_UPDATE', ended: false, most: 500_000, next: () => frames.window(0, 1) },
  {
    what: 'WINDOW_UPDATE of a stream',
    ended: false,
    most: 500_000,
    first: frames.get(0, events),
    next: () => frames.window(1, 1),
  },
  {
    what: 'fields that grow when they are read',
    ended: false,
    most: 300,
    first: frames.beginHeaders(0, bombFilled).fill(5, 4, 5),
    next: (i) => frame('headers', 5, 2 * i + 3, bomb),
  },
];

/** A flood that is held takes a few MiB, one that is not several hundred. */
const mostGrowthBytes = 100 * 1024 ** 2;

let server: FloodServer;
let other: ClientHttp2Session;
beforeAll(async () => {
  server = await forkFloodServer({ over: 'h2c' });
  other = connectHttp2(server.endpoint.url);
  assert.equal(await ask(), 200);
});
afterAll(async () => {
  other.destroy();
  await server.close();
});

/** A request of the other client's. */
function ask(): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = other.request({ ':path': '/' });
    let status = 0;
    stream.on('response', (fields) => (status = Number(fields[':status'])));
    stream
      .resume()
      .on('end', () => resolve(status))
      .on('error', reject);
  });
}

describe('a flood of', () => {
  for (const { what, ended, most, settings, reads = true, first, next, mostRequests = Infinity } of floods) {
    test(`${what} ${ended ? 'is ended' : 'hurts nobody'}`, async () => {
      const before = await server.read();
      const client = await frameClient(server.endpoint.url, { ...(settings && { settings }), reads });
      if (first) client.socket.write(first);
      const flooding = client.flood((i) => (i < most ? next(i) : undefined));
      assert.equal(await ask(), 200, 'during the flood');
      const written = await flooding;
      if (ended) await until('the connection is closed', client.closed);
      else assert.deepEqual([client.closed(), written], [false, most]);
      client.socket.destroy();
      assert.equal(await ask(), 200, 'behind the flood');
      const read = await server.read();
      assert.ok(
        read.rssBytes - before.rssBytes < mostGrowthBytes,
        `resident memory grew by ${read.rssBytes - before.rssBytes} bytes`,
      );
      const requests = requestsIn(read.counters) - requestsIn(before.counters);
      assert.ok(requests <= mostRequests, `${requests} requests`);
      if (ended && what !== 'GOAWAY') await errorsAbove(before.counters.errors);
      await subscribers(0);
    });
  }
});

const requestsIn = ({ handshakes, pageRequests, messageRequests, errors }: Counters) =>
  handshakes + pageRequests + messageRequests + errors;

async function errorsAbove(count: number): Promise<void> {
  await eventually('it is counted', async () => (await server.read()).counters.errors > count);
}

async function subscribers(count: number): Promise<void> {
  await eventually(`${count} subscribers`, async () => (await server.read()).subscribers === count);
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 15_000;
  while (!(await holds())) assert.ok(performance.now() < limit, `not within 15 s: ${what}`);
}

test('who resets too many streams is told to calm down', async () => {
  const client = await frameClient(server.endpoint.url);
  const pairs = Array.from({ length: resetAllowance + 50 }, (_, i) =>
    Buffer.concat([frames.get(i, events), frames.reset(i)]),
  );
  client.socket.write(Buffer.concat(pairs));
  await until('the connection is closed', client.closed);
  assert.equal(client.goaway(), 11); // ENHANCE_YOUR_CALM, RFC 9113, section 7
});

test('as many subscribers as a session may have can all leave at once, and the session goes on', async () => {
  const client = await frameClient(server.endpoint.url);
  await client.flood((i) => (i < mostStreams ? frames.get(i, events) : undefined));
  await subscribers(mostStreams);
  await client.flood((i) => (i < mostStreams ? frames.reset(i) : undefined));
  await subscribers(0);
  client.socket.write(frames.get(mostStreams, events));
  await subscribers(1);
  await until('the last one is answered', () => client.answers() > mostStreams);
  assert.deepEqual([client.closed(), client.answers(), client.goaway()], [false, mostStreams + 1, -1]);
  client.socket.destroy();
  await subscribers(0);
});

test("streams that the server cuts off are not the client's resets", async (t) => {
  const { url, joined, disconnect, count } = await serve(t, 'sse', { over: 'h2c' });
  const client = await frameClient(url);
  const rounds = 5;
  for (let round = 0; round < rounds; round++) {
    await client.flood((i) =>
      i < resetAllowance ? frames.get(round * resetAllowance + i, events) : undefined,
    );
    await joined(resetAllowance);
    disconnect(1);
    await joined(0);
  }
  client.socket.write(frames.get(rounds * resetAllowance, events));
  await joined(1);
  assert.deepEqual([client.closed(), count('errors')], [false, [0]]);
  client.socket.destroy();
});

test('more streams than a session may have are refused one by one, and those it has go on', async () => {
  const client = await frameClient(server.endpoint.url);
  await client.flood((i) => (i < mostStreams + 20 ? frames.get(i, events) : undefined));
  await until('the last 20 are refused', () => client.resets() === 20);
  await subscribers(mostStreams);
  assert.equal(client.closed(), false);
  client.socket.destroy();
  await subscribers(0);
});
