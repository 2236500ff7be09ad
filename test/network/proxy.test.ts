// Holds what the network proxy does to real connections, as their two ends see it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Conditions } from '../../core/network/conditions.ts';
import { windowBytes } from '../../network/lane.ts';
import { inFrontOf, pause, readAll, serve, until } from './stand.ts';

const echo = (socket: Socket) => void socket.pipe(socket);

/** Sends the pieces, ends, and reads what comes back. */
async function throughEcho(socket: Socket, pieces: readonly Buffer[]): Promise<Buffer> {
  const all = readAll(socket);
  for (const piece of pieces) if (!socket.write(piece)) await once(socket, 'drain');
  socket.end();
  return all;
}

describe('bytes come through, in order and whole, to the end', () => {
  const all: [string, Conditions][] = [
    ['as they are', {}],
    ['with latency and jitter', { latencyMs: 3, jitterMs: 3 }],
    ['over a narrow link', { bandwidth: { up: 3e6, down: 2e6 } }],
    ['over a lossy one', { loss: 0.002, latencyMs: 1 }],
    ['looked into', { bufferBytes: 8192 }],
  ];
  for (const [name, conditions] of all)
    test(name, async () => {
      await using server = await serve(echo, { allowHalfOpen: true });
      await using stand = await inFrontOf(server.port, conditions);
      const pieces = fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(pieces, async (sizes) => {
          const sent = sizes.map((size) => randomBytes(size));
          const back = await throughEcho(await stand.connect(), sent);
          assert.ok(back.equals(Buffer.concat(sent)), `${back.length} of ${sizes.join('+')} bytes`);
        }),
        { numRuns: 12 },
      );
      const { bytesUp, bytesDown, accepted } = stand.proxy.traffic();
      assert.equal(bytesUp, bytesDown);
      assert.ok(accepted >= 12);
      await until(() => stand.proxy.traffic().open === 0, 'no connection is left');
    });
});

test('conditions that begin and end in the middle of a stream leave it whole', async () => {
  await using server = await serve(echo, { allowHalfOpen: true });
  await using stand = await inFrontOf(server.port);
  const socket = await stand.connect();
  const back = readAll(socket);
  const sent: Buffer[] = [];
  const changes: Conditions[] = [
    { latencyMs: 20, jitterMs: 20 },
    { silence: 'both' },
    { bandwidth: { up: 1e6, down: 1e6 } },
    { silence: 'down', latencyMs: 5 },
  ];
  for (const conditions of changes) {
    const lift = stand.impose(conditions);
    for (let i = 0; i < 5; i++) {
      const piece = randomBytes(20_000);
      sent.push(piece);
      socket.write(piece);
      await pause(3);
    }
    lift();
  }
  socket.end();
  assert.ok((await back).equals(Buffer.concat(sent)));
});

test('who does not read is not read for: what the proxy holds is bounded', async () => {
  let taken = 0;
  await using server = await serve((socket) => socket.pause());
  await using stand = await inFrontOf(server.port, { latencyMs: 1 });
  const socket = await stand.connect();
  const piece = Buffer.alloc(64 * 1024);
  const most = 64 * 1024 ** 2;
  while (taken < most) {
    taken += piece.length;
    if (socket.write(piece)) continue;
    const drained = await Promise.race([
      once(socket, 'drain').then(() => true),
      pause(500).then(() => false),
    ]);
    if (!drained) break;
  }
  // Kernel buffers of four sockets, the window, and chunks that were read already.
  assert.ok(taken < 32 * 1024 ** 2, `${taken} bytes were taken of a sender whose receiver read none`);
  assert.ok(stand.proxy.traffic().bytesUp <= taken);
  assert.ok(windowBytes < 1024 ** 2);
  // And it goes on as soon as somebody reads.
  const [own] = [...server.sockets];
  let read = 0;
  own!.on('data', (bytes: Buffer) => (read += bytes.length)).resume();
  await until(() => read >= taken, `all ${taken} bytes arrive`);
  socket.destroy();
});

test('a round trip takes twice the latency longer, and connecting another two', async () => {
  await using server = await serve(echo);
  await using stand = await inFrontOf(server.port, { latencyMs: 60 });
  const socket = connect(stand.port, '127.0.0.1');
  const ask = async () => {
    const fromMs = performance.now();
    socket.write('?');
    await once(socket, 'data');
    return performance.now() - fromMs;
  };
  assert.ok((await ask()) >= 239);
  const second = await ask();
  assert.ok(second >= 119 && second < 239, `${second} ms`);
  socket.destroy();
});

test('silence: nothing passes and nobody learns of the end, until it is lifted', async () => {
  await using server = await serve(echo, { allowHalfOpen: true });
  await using stand = await inFrontOf(server.port);
  const socket = await stand.connect();
  socket.write('a');
  await once(socket, 'data');
  const lift = stand.impose({ silence: 'both' });
  let heard = '';
  socket.on('data', (bytes: Buffer) => (heard += String(bytes)));
  socket.write('b');
  socket.end();
  await pause(100);
  assert.equal(heard, '');
  assert.equal([...server.sockets][0]!.readableEnded, false);
  lift();
  await once(socket, 'end');
  assert.equal(heard, 'b');
});

test('silence one way: what is asked arrives, and no answer comes', async () => {
  const heard: string[] = [];
  await using server = await serve((socket) =>
    socket.on('data', (bytes: Buffer) => {
      heard.push(String(bytes));
      socket.write('answer');
    }),
  );
  await using stand = await inFrontOf(server.port);
  const socket = await stand.connect();
  const lift = stand.impose({ silence: 'down' });
  let answered = false;
  socket.on('data', () => (answered = true));
  socket.write('question');
  await until(() => heard.length > 0, 'the question arrives');
  await pause(50);
  assert.equal(answered, false);
  lift();
  await until(() => answered, 'the answer arrives');
  socket.destroy();
});

test('a reset reaches both ends of as many connections as its share says', async () => {
  const codes: (string | undefined)[] = [];
  await using server = await serve((socket) => {
    socket.resume().on('error', (error: NodeJS.ErrnoException) => codes.push(error.code));
  });
  await using stand = await inFrontOf(server.port);
  const sockets = await Promise.all(Array.from({ length: 20 }, () => stand.connect()));
  await until(() => server.sockets.size === 20, 'the server has them all');
  const seen: (string | undefined)[] = [];
  for (const socket of sockets) socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code));
  stand.reset(0.25);
  await until(() => seen.length === 5 && codes.length === 5, 'five are reset on both sides');
  await pause(20);
  assert.deepEqual(
    [...seen, ...codes],
    Array.from({ length: 10 }, () => 'ECONNRESET'),
  );
  assert.equal(server.sockets.size, 15);
  const { reset, open } = stand.proxy.traffic();
  assert.deepEqual([reset, open], [5, 15]);
  for (const socket of sockets) socket.destroy();
});

test('a partition resets what is there and what comes, until it is over', async () => {
  await using server = await serve(echo);
  await using stand = await inFrontOf(server.port);
  const before = await stand.connect();
  const cut = once(before, 'error');
  const lift = stand.impose({ partition: true });
  assert.equal(((await cut)[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  const during = connect(stand.port, '127.0.0.1');
  assert.equal(((await once(during, 'error'))[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  lift();
  const after = await stand.connect();
  after.write('x');
  assert.equal(String((await once(after, 'data'))[0]), 'x');
  after.destroy();
});

test('a black hole takes new connections and says nothing, and they go on when it is over', async () => {
  await using server = await serve(echo);
  await using stand = await inFrontOf(server.port);
  const before = await stand.connect();
  await until(() => server.sockets.size === 1, 'the first is there');
  const lift = stand.impose({ blackHole: true });
  const during = await stand.connect();
  let heard = '';
  during.on('data', (bytes: Buffer) => (heard += String(bytes)));
  during.write('hello');
  const gone = await stand.connect();
  gone.destroy();
  before.write('x');
  assert.equal(String((await once(before, 'data'))[0]), 'x', 'what was there is as it was');
  await pause(50);
  assert.equal(server.sockets.size, 1);
  assert.equal(heard, '');
  await until(() => stand.proxy.traffic().open === 2, 'who gave up is forgotten');
  lift();
  await until(() => heard === 'hello', 'it goes on');
  before.destroy();
  during.destroy();
});

test('idle: who is silent for so long is cut, and who speaks is not', async () => {
  await using server = await serve(echo);
  await using stand = await inFrontOf(server.port, { idleMs: 300 });
  const [quiet, lively] = [await stand.connect(), await stand.connect()];
  const talk = setInterval(() => lively.write('.'), 50);
  lively.resume();
  const fromMs = performance.now();
  await once(quiet.resume(), 'close');
  assert.ok(performance.now() - fromMs >= 250);
  await pause(100);
  assert.equal(lively.closed, false);
  assert.equal(stand.proxy.traffic().idleCut, 1);
  clearInterval(talk);
  lively.destroy();
});

test('a server that is not there is a connection that is reset', async () => {
  let port: number;
  {
    await using server = await serve(echo);
    port = server.port;
  }
  await using stand = await inFrontOf(port);
  const socket = connect(stand.port, '127.0.0.1');
  assert.equal(((await once(socket, 'error'))[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
  await until(() => stand.proxy.traffic().open === 0, 'nothing is left of it');
});

test('a reset of one end is one of the other', async () => {
  await using server = await serve((socket) => socket.resume());
  await using stand = await inFrontOf(server.port);
  const socket = await stand.connect();
  await until(() => server.sockets.size === 1, 'it is there');
  const reset = once([...server.sockets][0]!, 'error');
  socket.resetAndDestroy();
  assert.equal(((await reset)[0] as NodeJS.ErrnoException).code, 'ECONNRESET');
});

test('of the ways to a broker whole ones are cut off', async () => {
  await using server = await serve(echo);
  await using stand = await inFrontOf(server.port);
  const to = `redis://127.0.0.1:${server.port}`;
  const urls = await stand.proxy.open(
    [1, 2, 3, 4].map((i) => ({ name: `broker of server ${i}`, between: 'broker', to })),
  );
  assert.ok(urls.every((url) => url.startsWith('redis://127.0.0.1:')));
  const open = async (url: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };
  const pairs = await Promise.all(urls.map(async (url) => [await open(url), await open(url)] as const));
  const client = await stand.connect();
  await until(() => server.sockets.size === 9, 'all are there');
  stand.proxy.impose({ conditions: { partition: true }, between: 'broker', share: 0.5 });
  const cut = () => pairs.filter(([a, b]) => a.destroyed && b.destroyed).length;
  await until(() => cut() === 2, 'two of four are cut off');
  assert.equal(pairs.filter(([a, b]) => !a.destroyed && !b.destroyed).length, 2);
  assert.equal(client.destroyed, false);
  for (const socket of [...pairs.flat(), client]) socket.destroy();
});
