// Speaks TLS with servers of the patterns by other people's clients: openssl, undici, ws and eventsource.
// What the load clients get over it is held by the contract suite.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { EventSource } from 'eventsource';
import { Agent, fetch } from 'undici';
import { test, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import type { ServerOptions } from '../../../servers/start.ts';
import { skipWhen } from '../../skip.ts';
import { serve, type Headers } from './gate-clients.ts';
import { rawClient, until } from './raw-http.ts';

const tls = { resume: true };
const noOpenssl = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

async function secure(
  t: TestContext,
  pattern: Parameters<typeof serve>[1],
  more: Partial<ServerOptions> = {},
) {
  const server = await serve(t, pattern, {}, { tls, ...more });
  const { url, certificate } = server.endpoint;
  const ca = certificate!;
  return { ...server, url, ca, port: Number(new URL(url).port), publishUrl: server.endpoint.publishUrl };
}

const trusting = (t: TestContext, ca: string) => {
  const agent = new Agent({ connect: { ca } });
  t.onTestFinished(() => agent.destroy());
  return agent;
};

/** Shakes hands, and tells how. */
async function shake(at: ConnectionOptions): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', ALPNProtocols: ['h2', 'http/1.1'], ...at });
  socket.resume();
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

test('undici polls over TLS; events are published on a second, plain port, and there alone', async (t) => {
  const { url, ca, publishUrl, counters, hub } = await secure(t, 'polling');
  assert.match(url, /^https:/);
  assert.match(publishUrl, /^http:/);
  const published = await fetch(`${publishUrl}/topics/news`, { method: 'POST', body: '"it works"' });
  assert.equal(published.status, 201);
  const dispatcher = trusting(t, ca);
  const answer = await fetch(`${url}/poll?topics=news&since=${hub.epoch}-0`, { dispatcher });
  const { events } = (await answer.json()) as { events: { body: string }[] };
  assert.deepEqual(
    events.map(({ body }) => body),
    ['it works'],
  );
  const there = await fetch(`${url}/topics/news`, { method: 'POST', body: '1', dispatcher });
  assert.equal(there.status, 404);
  const { connectionsOpened, tlsHandshakes } = counters();
  assert.ok(tlsHandshakes > 0);
  assert.equal(connectionsOpened, tlsHandshakes, 'the publisher is not counted, and everybody else is');
});

test('eventsource and ws get events over TLS, and a message goes back up a socket', async (t) => {
  const sse = await secure(t, 'sse');
  const dispatcher = trusting(t, sse.ca);
  const source = new EventSource(`${sse.url}/events?topics=news`, {
    fetch: (input, init) => fetch(input as string, { ...init, dispatcher } as object) as never,
  });
  t.onTestFinished(() => source.close());
  const first = new Promise<string>((resolve) => source.addEventListener('message', (e) => resolve(e.data)));
  await new Promise((resolve) => source.addEventListener('open', resolve));
  sse.hub.publish('news', '"by SSE"', {});
  assert.match(await first, /"body":"by SSE"/);

  const sockets = await secure(t, 'websocket');
  const socket = new WebSocket(`${sockets.url.replace('https', 'wss')}/ws?topics=news`, { ca: sockets.ca });
  t.onTestFinished(() => socket.terminate());
  const texts: string[] = [];
  socket.on('message', (bytes: Buffer) => texts.push(bytes.toString()));
  await until('open', () => texts.length === 1);
  socket.send('{"publish":"news","ref":1,"body":"up"}');
  await until('acknowledged, and back', () => texts.length === 3);
  assert.ok(texts.some((text) => /"body":"up"/.test(text)) && texts.some((text) => /"ack":1/.test(text)));
});

test('1.3 and 1.2 are spoken, nothing older, and of ALPN http/1.1 alone', async (t) => {
  const { ca, port } = await secure(t, 'polling');
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const socket = await shake({ port, ca, minVersion: version, maxVersion: version });
    assert.deepEqual([socket.getProtocol(), socket.alpnProtocol], [version, 'http/1.1']);
    socket.destroy();
  }
  await assert.rejects(shake({ port, ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
  await assert.rejects(shake({ port, ca, ALPNProtocols: ['h2'] }), /no application protocol/i);
  await assert.rejects(shake({ port, ca: [] }), /self-signed/, 'the certificate is to be trusted by name');
});

test('openssl shakes hands, resumes, and is told goodbye by close_notify when the server goes', async (t) => {
  skipWhen(t, noOpenssl);
  const { port, counters, close } = await secure(t, 'sse');
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-alpn', 'http/1.1', '-ign_eof'];
  const shown = spawnedText([...args.slice(0, -1), '-reconnect', '-no_tls1_3'], 'Q\n');
  assert.match(await shown, /New, TLSv1\.2[^]*Reused, TLSv1\.2/);
  assert.ok(counters().tlsResumed >= 4);
  const talking = spawnedText([...args, '-msg'], 'GET /events?topics=a HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await until('subscribed', () => counters().handshakes === 1);
  await close();
  assert.match(await talking, /200 OK[^]*<<< TLS 1\.3, Alert \[length 0002\], warning close_notify/);
});

function spawnedText(args: string[], input: string): Promise<string> {
  const child = spawn('openssl', args);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stdin.write(input);
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}

test('servers with the same ticket seed resume one another, others their own sessions alone', async (t) => {
  const seeded = { tls: { resume: true, ticketSeed: 5 } };
  const [a, b, other] = [
    await secure(t, 'polling', seeded),
    await secure(t, 'polling', seeded),
    await secure(t, 'polling'),
  ];
  const first = connectTls({ host: '127.0.0.1', port: a.port, ca: a.ca }).resume();
  const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
  const reused = async ({ port, ca }: typeof a) => (await shake({ port, ca, session })).isSessionReused();
  assert.deepEqual([await reused(a), await reused(b), await reused(other)], [true, true, false]);
  assert.deepEqual(
    [a.counters().tlsResumed, b.counters().tlsResumed, other.counters().tlsResumed],
    [1, 1, 0],
  );
});

test('a client that connects and does not shake hands is cut and holds up no close', async (t) => {
  const { url, port, counters, close } = await secure(t, 'polling');
  const plain = url.replace('https', 'http');
  const gone = await rawClient(plain); // a probe of the port
  gone.socket.end();
  await gone.closed;
  const reset = await rawClient(plain);
  reset.socket.resetAndDestroy();
  await reset.closed;
  assert.equal(counters().errors, 0);
  const clear = await rawClient(plain);
  clear.socket.write('GET /poll?topics=a HTTP/1.1\r\nhost: localhost\r\n\r\n');
  assert.doesNotMatch(await clear.closed, /HTTP/);
  await until('counted', () => counters().errors === 1);
  const silent = connectTcp(port, '127.0.0.1');
  await new Promise((resolve) => silent.once('connect', resolve));
  const closed = new Promise((resolve) => silent.on('error', () => {}).once('close', resolve));
  await close();
  await closed;
  assert.deepEqual([counters().connectionsOpened, counters().tlsHandshakes], [0, 0]);
});

test('a request over TLS is judged by https; absolute targets are taken as https alone', async (t) => {
  const { url, ca, port } = await secure(t, 'polling');
  const { host } = new URL(url);
  const ask = (path: string, headers: Headers, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const at = {
        host: '127.0.0.1',
        servername: 'localhost',
        port,
        ca,
        path,
        headers,
        method,
        agent: false,
      };
      httpsRequest(at, (response) => {
        response.resume();
        resolve(response.statusCode!);
      })
        .on('error', reject)
        .end();
    });
  const poll = '/poll?topics=a';
  assert.equal(await ask('/messages/a', { origin: `https://${host}` }, 'POST'), 201, 'its own page');
  assert.equal(await ask('/messages/a', { origin: `http://${host}` }, 'POST'), 403, 'of another scheme');
  assert.equal(await ask(poll, { host: 'evil.example' }), 421);
  assert.equal(await ask(`https://${host}${poll}`, {}), 200);
  assert.equal(await ask(`http://${host}${poll}`, {}), 400);
});
