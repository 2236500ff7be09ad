// Opens connections over TLS that say nothing, or half of something: in the handshake, and behind it.

import assert from 'node:assert/strict';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { test, type TestContext } from 'vitest';
import type { ListenOptions } from '../../../servers/http/listen.ts';
import { setUp as setUpListener } from './test-listener.ts';
import { rawClient, until } from './raw-http.ts';

async function setUp(t: TestContext, more: Partial<ListenOptions>) {
  const { url, endpoint, counters, read, close } = await setUpListener(t, 'h1', {
    tls: { resume: true },
    ...more,
  });
  return { plain: url.replace('https', 'http'), endpoint, counters, read, close };
}

/** Over TLS, with all that came by the time it was closed. */
async function shaken(url: string, ca: string): Promise<{ socket: TLSSocket; closed: Promise<string> }> {
  const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(url).port), ca });
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => (text += piece));
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  return { socket, closed };
}

test('a handshake must end in the time for a head, also one that drips', async (t) => {
  const { plain, counters, read } = await setUp(t, { headMs: 150 });
  const [silent, dripping] = [await rawClient(plain), await rawClient(plain)];
  // A TLS record of a hello that does not end.
  dripping.socket.write(Buffer.from('160301010001', 'hex'));
  const drip = setInterval(() => dripping.socket.write(Buffer.of(0)), 20);
  t.onTestFinished(() => clearInterval(drip));
  assert.deepEqual(await Promise.all([silent.closed, dripping.closed]), ['', '']);
  await until('both are counted', () => counters.errors === 2);
  assert.equal(read().connectionsOpened, 0);
});

test('behind the handshake silence is answered 408, and half a head too', async (t) => {
  const { endpoint, counters } = await setUp(t, { headMs: 100, requestMs: 400 });
  const [silent, half] = [
    await shaken(endpoint.url, endpoint.certificate!),
    await shaken(endpoint.url, endpoint.certificate!),
  ];
  half.socket.write('GET /here HTTP/1.1\r\nhost: localhost\r\n');
  for (const { closed } of [silent, half]) assert.match(await closed, /^HTTP\/1\.1 408 Request Timeout/);
  assert.equal(counters.errors, 2);
});

test('a client that is served stays when its time for the first words is over', async (t) => {
  const { endpoint } = await setUp(t, { headMs: 100, requestMs: 150 });
  const one = await shaken(endpoint.url, endpoint.certificate!);
  one.socket.write('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const later = await shaken(endpoint.url, endpoint.certificate!);
  assert.match(await later.closed, / 408 /);
  assert.equal(one.socket.closed, false);
  one.socket.destroy();
});

test('connection: close ends the connection in order', async (t) => {
  const { endpoint, counters, read } = await setUp(t, {});
  const one = await shaken(endpoint.url, endpoint.certificate!);
  let ended = false;
  one.socket.once('end', () => (ended = true));
  one.socket.write('GET /here HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  assert.match(await one.closed, /Connection: close\r\n[^]*xxx$/);
  assert.ok(ended);
  await until('closed on both sides', () => read().connectionsClosed === 1);
  assert.equal(counters.errors, 0);
  // As the application hands them to TLS: records and handshake are in neither.
  assert.deepEqual([read().bytesOut, read().bytesIn], [one.socket.bytesRead, one.socket.bytesWritten]);
});
