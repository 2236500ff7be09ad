// Raw connections: what arrives is what was sent, everything is counted, every end has its cause.

import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test } from 'vitest';
import { createDialer, type Cause, type Dialer } from '../../../load/wire/connection.ts';
import { ProtocolError } from '../../../load/wire/protocol-error.ts';
import { listen, rawServer, testContext, until } from '../context.ts';

type Peer = { got: string; causes: Cause[]; socket: Socket | undefined };
const newPeer = (): Peer => ({ got: '', causes: [], socket: undefined });

function dialerTo(context: ReturnType<typeof testContext>['context'], hello = 'hello'): Dialer<Peer> {
  const dialer = createDialer<Peer>(context, {
    opened: (peer) => dialer.send(peer.socket!, Buffer.from(hello)),
    read(peer, bytes, to, atUs) {
      assert.ok(atUs > 0);
      peer.got += bytes.toString('latin1', 0, to);
      if (peer.got.includes('bad')) throw new ProtocolError('test', 'the peer said bad');
    },
    closed: (peer, cause) => void peer.causes.push(cause),
  });
  return dialer;
}

test('connections get what their own server sent, and every byte is counted', async (t) => {
  const peers = Array.from({ length: 50 }, newPeer);
  const url = await rawServer(t, (socket, request, number) => {
    assert.equal(request, 'hello');
    socket.write(`${number}:`);
    setTimeout(() => socket.end('x'.repeat(100_000)), 5);
  });
  const { context, counters, problems } = testContext(url);
  const dialer = dialerTo(context);
  peers.forEach((peer, i) => (peer.socket = dialer.dial(peer, i)));
  await until(() => peers.every((peer) => peer.causes.length === 1));
  const numbers = peers.map(({ got }) => Number(/^(\d+):x{100000}$/.exec(got)?.[1])).sort((a, b) => a - b);
  assert.deepEqual(numbers, [...peers.keys()]);
  assert.equal(
    counters.bytesIn,
    peers.reduce((sum, { got }) => sum + got.length, 0),
  );
  assert.equal(counters.bytesOut, 50 * 5);
  assert.deepEqual([counters.connectionsOpened, counters.connectionsClosed, counters.errors], [50, 50, 0]);
  assert.deepEqual(problems, []);
  assert.equal(peers[0]!.causes[0]!.code, 'ended');
});

test('a refused connection is reported and counted, and was never open', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const { context, counters, problems } = testContext(`http://127.0.0.1:${port}`);
  const peer = newPeer();
  peer.socket = dialerTo(context).dial(peer, 0);
  await until(() => peer.causes.length > 0);
  assert.equal(peer.causes[0]!.code, 'ECONNREFUSED');
  assert.deepEqual(problems, [{ code: 'ECONNREFUSED', message: `connect ECONNREFUSED 127.0.0.1:${port}` }]);
  assert.deepEqual([counters.connectionsOpened, counters.connectionsClosed, counters.errors], [0, 0, 1]);
});

test('a reset connection is reported; one after quiet is not', async (t) => {
  const url = await rawServer(t, (socket) => socket.resetAndDestroy());
  const { context, problems } = testContext(url);
  const dialer = dialerTo(context);
  const [first, second] = [newPeer(), newPeer()];
  first.socket = dialer.dial(first, 0);
  await until(() => first.causes.length > 0);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['ECONNRESET'],
  );
  dialer.quiet();
  second.socket = dialer.dial(second, 1);
  await until(() => second.causes.length > 0);
  assert.equal(second.causes[0]!.code, 'ECONNRESET');
  assert.equal(problems.length, 1);
});

test('a peer that breaks the protocol is reported and dropped, and the others go on', async (t) => {
  let badClosed = false;
  const url = await rawServer(t, (socket, _, number) => {
    if (number === 0) socket.on('close', () => (badClosed = true));
    socket.write(number === 0 ? 'bad' : 'good');
  });
  const { context, problems } = testContext(url);
  const dialer = dialerTo(context);
  const [bad, good] = [newPeer(), newPeer()];
  bad.socket = dialer.dial(bad, 0);
  await until(() => bad.causes.length > 0 && badClosed);
  good.socket = dialer.dial(good, 1);
  await until(() => good.got === 'good');
  assert.deepEqual(problems, [{ code: 'test', message: 'the peer said bad' }]);
  assert.equal(bad.causes[0]!.code, 'test');
  assert.equal(good.causes.length, 0);
  good.socket.destroy();
});

test('each subscriber connects from its source address', async (t) => {
  const from: string[] = [];
  const server = createServer((socket) => {
    from.push(socket.remoteAddress!);
    socket.end();
  });
  const { context } = testContext(await listen(t, server), {
    sourceAddress: (subscriber) => `127.0.0.${subscriber + 1}`,
  });
  const dialer = dialerTo(context);
  const peers = [newPeer(), newPeer(), newPeer()];
  peers.forEach((peer, i) => (peer.socket = dialer.dial(peer, i)));
  await until(() => peers.every((peer) => peer.causes.length > 0));
  assert.deepEqual(from.sort(), ['127.0.0.1', '127.0.0.2', '127.0.0.3']);
});
