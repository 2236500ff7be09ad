// Holds what the proxies do that look into HTTP: clients of other people's libraries meet a refused Upgrade,
// one whose header was taken away, and responses that are held until they end or a buffer is full.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { EventSource } from 'eventsource';
import fc from 'fast-check';
import { request } from 'undici';
import { describe, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { realClock } from '../../core/base/clock.ts';
import type { Conditions } from '../../core/network/conditions.ts';
import { openConnection } from '../../network/connection.ts';
import { createGate } from '../../network/http-gate.ts';
import type { Budget } from '../../network/lane.ts';
import { noTraffic } from '../../network/proxy.ts';
import { inFrontOf, pause, serve, until } from './stand.ts';

async function http(listener: RequestListener, sockets = false) {
  const server: Server = createServer(listener);
  const wss = sockets ? new WebSocketServer({ server }) : undefined;
  wss?.on('connection', (socket) => socket.on('message', (text) => socket.send(String(text))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of wss?.clients ?? []) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

describe('a proxy that refuses Upgrade', () => {
  for (const status of [400, 403, 502] as const)
    test(`answers a WebSocket ${status}, and lets requests through`, async () => {
      await using server = await http((_, response) => response.end('here'), true);
      await using stand = await inFrontOf(server.port, { upgrade: status });
      const socket = new WebSocket(`ws://127.0.0.1:${stand.port}/`);
      const [error] = (await once(socket, 'error')) as [Error];
      assert.equal(error.message, `Unexpected server response: ${status}`);
      const { body } = await request(`http://127.0.0.1:${stand.port}/`);
      assert.equal(await body.text(), 'here');
      const { upgradesRefused, unreadable } = stand.proxy.traffic();
      assert.deepEqual([upgradesRefused, unreadable], [1, 0]);
    });

  test('does so to connections that open while it lasts', async () => {
    await using server = await http(() => {}, true);
    await using stand = await inFrontOf(server.port);
    const address = `ws://127.0.0.1:${stand.port}/`;
    const before = new WebSocket(address);
    await once(before, 'open');
    const lift = stand.impose({ upgrade: 403 });
    await once(new WebSocket(address), 'error');
    before.send('still here');
    assert.equal(String((await once(before, 'message'))[0]), 'still here');
    lift();
    const after = new WebSocket(address);
    await once(after, 'open');
    before.terminate();
    after.terminate();
  });
});

test('a proxy that knows no Upgrade takes the header away, and nothing else', async () => {
  let headers: IncomingHttpHeaders = {};
  await using server = await http((message, response) => {
    headers = message.headers;
    response.writeHead(426).end();
  });
  await using stand = await inFrontOf(server.port, { upgrade: 'stripped' });
  const socket = new WebSocket(`ws://127.0.0.1:${stand.port}/?a=1`);
  const [error] = (await once(socket, 'error')) as [Error];
  assert.equal(error.message, 'Unexpected server response: 426');
  assert.equal(headers.upgrade, undefined);
  assert.equal(headers.connection, undefined);
  assert.equal(headers['sec-websocket-version'], '13');
  assert.equal(headers.host, `127.0.0.1:${stand.port}`);
  assert.equal(stand.proxy.traffic().upgradesStripped, 1);
});

describe('a proxy that buffers', () => {
  test('lets no event of a stream through until its buffer is full', async () => {
    let send: (bytes: number) => void = () => {};
    await using server = await http((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      send = (bytes) => void response.write(`data: ${'x'.repeat(bytes)}\n\n`);
      send(100);
    });
    await using stand = await inFrontOf(server.port, { bufferBytes: 8192 });
    const source = new EventSource(`http://127.0.0.1:${stand.port}/`);
    let opened = false;
    const lengths: number[] = [];
    source.onopen = () => (opened = true);
    source.onmessage = ({ data }) => lengths.push(String(data).length);
    await pause(150);
    send(200);
    await pause(100);
    assert.deepEqual([opened, lengths], [false, []]);
    send(8000);
    await until(() => lengths.length === 3, 'the buffer is full');
    assert.deepEqual([opened, lengths], [true, [100, 200, 8000]]);
    send(300);
    await pause(100);
    assert.equal(lengths.length, 3);
    source.close();
  });

  test('lets a response through that has ended, however its end is told', async () => {
    await using server = await http((message, response) => {
      if (message.url === '/length') response.setHeader('content-length', 5).write('he');
      if (message.url === '/chunks') response.write('he');
      if (message.url === '/close')
        response.setHeader('connection', 'close').useChunkedEncodingByDefault = false;
      if (message.url === '/none') response.writeHead(204).end();
      else setTimeout(() => response.end(message.url === '/close' ? 'hello' : 'llo'), 30);
    });
    await using stand = await inFrontOf(server.port, { bufferBytes: 8192 });
    for (const [path, text] of [
      ['/length', 'hello'],
      ['/chunks', 'hello'],
      ['/close', 'hello'],
      ['/none', ''],
    ] as const) {
      const { body } = await request(`http://127.0.0.1:${stand.port}${path}`);
      assert.equal(await body.text(), text, path);
    }
    const head = await request(`http://127.0.0.1:${stand.port}/length`, { method: 'HEAD' });
    assert.equal(head.statusCode, 200);
  });

  test('keeps what it holds from a client that has ended its side', () => {
    const { gate, out } = buffering();
    gate.fromServer(Buffer.from('HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n'));
    gate.clientEnded();
    gate.fromServer(Buffer.from('data: 2\n\n'));
    gate.serverEnded();
    assert.equal(out.down, '');
  });

  test('loses nothing of a head that it had begun to read when responses pass again', () => {
    const { gate, out } = buffering();
    gate.fromServer(Buffer.from('HTTP/1.1 200 OK\r\ncontent-le'));
    gate.open();
    gate.fromServer(Buffer.from('ngth: 2\r\n\r\nok'));
    assert.equal(out.down, 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  });

  test('counts what all connections hold, and holds nothing back beyond the most', () => {
    const budget: Budget = { heldBytes: 0, mostBytes: 100 };
    const [ended, gone, full] = [buffering(budget), buffering(budget), buffering(budget)];
    const begun = 'HTTP/1.1 200 OK\r\n\r\n';
    for (const { gate } of [ended, gone, full]) gate.fromServer(Buffer.from(begun));
    assert.equal(budget.heldBytes, 3 * begun.length);
    full.gate.fromServer(Buffer.alloc(100 - 3 * begun.length, 'x'));
    assert.match(full.out.down, /^HTTP.*\r\n\r\nx+$/s);
    assert.deepEqual([ended.out.down, gone.out.down, budget.heldBytes], ['', '', 2 * begun.length]);
    ended.gate.serverEnded();
    assert.deepEqual([ended.out.down, budget.heldBytes], [begun, begun.length]);
    gone.gate.stop();
    gone.gate.fromServer(Buffer.from('data: 1'));
    assert.deepEqual([gone.out.down, budget.heldBytes], ['', 0]);
  });

  test('holds nothing any more of a connection that is over', async () => {
    const budget: Budget = { heldBytes: 0, mostBytes: 1e9 };
    await using server = await serve((socket) => void socket.write('HTTP/1.1 200 OK\r\n\r\ndata: 1\n\n'));
    let isClosed = false;
    await using proxy = await serve(
      (client) =>
        void openConnection({
          client,
          to: { host: '127.0.0.1', port: server.port },
          others: 0,
          conditions: { bufferBytes: 8192 },
          budget,
          clock: realClock,
          random: Math.random,
          traffic: { ...noTraffic },
          closed: () => (isClosed = true),
        }),
      { allowHalfOpen: true },
    );
    const client = connect(proxy.port, '127.0.0.1').on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => budget.heldBytes > 0, 'a response is held');
    client.resetAndDestroy();
    await until(() => isClosed, 'the connection is over');
    assert.equal(budget.heldBytes, 0);
  });

  test('lets a WebSocket through that was accepted', async () => {
    await using server = await http(() => {}, true);
    await using stand = await inFrontOf(server.port, { bufferBytes: 8192 });
    const socket = new WebSocket(`ws://127.0.0.1:${stand.port}/`);
    await once(socket, 'open');
    socket.send('hello');
    assert.equal(String((await once(socket, 'message'))[0]), 'hello');
    assert.equal(stand.proxy.traffic().unreadable, 0);
    socket.terminate();
  });
});

/** What comes out at either end of a gate that is to do this. */
function gateOf(conditions: Conditions, budget: Budget = { heldBytes: 0, mostBytes: 1e9 }) {
  const out = { up: '', down: '', unreadable: 0 };
  const ends = {
    toServer: (bytes: Buffer) => (out.up += bytes.toString('latin1')),
    toClient: (bytes: Buffer) => (out.down += bytes.toString('latin1')),
    refuse: (answer: Buffer) => (out.down += answer.toString('latin1')),
    stripped() {},
    unreadable: () => out.unreadable++,
  };
  return { gate: createGate(conditions, ends, budget), out };
}

/** One that holds responses back and was asked for one. */
function buffering(budget?: Budget) {
  const made = gateOf({ bufferBytes: 8192 }, budget);
  made.gate.fromClient(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'));
  return made;
}

/** What comes out at either end of a gate that bytes are given to in these pieces. */
function through(conditions: Conditions, up: readonly Buffer[], down: readonly Buffer[]) {
  const { gate, out } = gateOf(conditions);
  for (const bytes of up) gate.fromClient(bytes);
  for (const bytes of down) gate.fromServer(bytes);
  gate.serverEnded();
  gate.clientEnded();
  return out;
}

/** Cuts a text at random places. */
const cut = (text: string) =>
  fc.array(fc.nat(text.length), { maxLength: 8 }).map((places) => {
    const at = [0, ...places.sort((a, b) => a - b), text.length];
    return at.slice(1).map((to, i) => Buffer.from(text.slice(at[i], to), 'latin1'));
  });

describe('a gate', () => {
  const requests =
    'GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET ' +
    'HEAD /c HTTP/1.1\r\nHost: x\r\n\r\nPOST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\nGET /e HTTP/1.1\r\nHost: x\r\n\r\n';
  const responses =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc' +
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\nHTTP/1.0 200 OK\r\n\r\nrest';

  test('loses no byte, wherever they are cut', () => {
    fc.assert(
      fc.property(
        cut(requests),
        cut(responses),
        fc.integer({ min: 1, max: 200 }),
        (up, down, bufferBytes) => {
          const out = through({ bufferBytes, upgrade: 403 }, up, down);
          assert.deepEqual(out, { up: requests, down: responses, unreadable: 0 });
        },
      ),
    );
  });

  test('finds an Upgrade behind other requests, wherever they are cut', () => {
    const upgrade =
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUPGRADE: websocket\r\nA: b\r\n\r\n';
    fc.assert(
      fc.property(cut(requests + upgrade), (up) => {
        const refused = through({ upgrade: 502 }, up, []);
        assert.equal(refused.up, requests);
        assert.match(refused.down, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
        const stripped = through({ upgrade: 'stripped' }, up, []);
        assert.equal(stripped.up, `${requests}GET /ws HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n`);
      }),
    );
  });

  test('hands on what is no HTTP/1.1 in clear text, and says so once', () => {
    for (const text of [
      '\x16\x03\x01\x02\0',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'SSH-2.0-x\r\n\r\n',
      'GET',
    ]) {
      const out = through({ upgrade: 403, bufferBytes: 100 }, [Buffer.from(text, 'latin1')], []);
      assert.deepEqual(out, { up: text, down: '', unreadable: 1 }, text);
    }
  });

  test('holds a head of 64 KiB at most', () => {
    const long = `GET /${'x'.repeat(70_000)}`;
    assert.equal(through({ upgrade: 403 }, [Buffer.from(long)], []).up, long);
  });
});
