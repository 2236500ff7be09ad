// Requests of the web, and bodies that others have read: the same answers as over `node:http`.

import assert from 'node:assert/strict';
import express from 'express';
import { test, vi } from 'vitest';
import { createReceiver, sign, type ReceiverOptions } from '../../receiver/index.ts';
import { serve } from './serve.ts';
import { good } from './odd-options.ts';

const secret = good.secrets[0]!;
const url = 'http://127.0.0.1/hook';

function setUp(options: Partial<ReceiverOptions<'standard'>> = {}) {
  const got: string[] = [];
  const receiver = createReceiver({
    ...good,
    scheme: 'standard',
    onDelivery: ({ body }) => void got.push(body.toString()),
    onProblem: () => {},
    ...options,
  });
  return { ...receiver, got };
}

function signed(body: string, more: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { ...sign({ scheme: 'standard', secret, body }), ...more },
    ...(body !== '' && { body }),
  };
}

test('a Request is verified and acted upon, byte for byte, an empty one too', async () => {
  const { fetch, got } = setUp();
  for (const body of ['{"a": "grüße 🎈"}', '']) {
    const response = await fetch(new Request(url, signed(body)));
    assert.deepEqual([response.status, await response.text()], [204, '']);
  }
  assert.deepEqual(got, ['{"a": "grüße 🎈"}', '']);
});

test('a Request is refused as over a socket', async () => {
  const { fetch, counts } = setUp({ maxBodyBytes: 10 });
  const read = new Request(url, signed('{}'));
  await read.text();
  const rows: [Request, status: number, error: string][] = [
    [new Request(url), 405, 'method'],
    [new Request(url, { method: 'POST', body: '{}' }), 401, 'missing-header'],
    [new Request(url, signed('{}', { 'content-encoding': 'gzip' })), 415, 'content-coding'],
    [new Request(url, signed('x'.repeat(11))), 413, 'too-large'],
    [read, 500, 'body-gone'],
  ];
  for (const [request, status, error] of rows) {
    const response = await fetch(request);
    assert.deepEqual(
      [response.status, ((await response.json()) as { error: string }).error],
      [status, error],
    );
  }
  assert.deepEqual([counts().unread, counts().refused], [3, 1]);
});

test('of an endless stream no more than the bound is read; one that breaks off is no delivery', async () => {
  const { fetch } = setUp({ maxBodyBytes: 1000 });
  let pulls = 0;
  let isCancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => (pulls++, controller.enqueue(new Uint8Array(100))),
    cancel: () => void (isCancelled = true),
  });
  const stream = (body: ReadableStream) =>
    fetch(new Request(url, { method: 'POST', body, duplex: 'half' } as RequestInit)); // Node asks for duplex
  assert.equal((await stream(endless)).status, 413);
  assert.ok(pulls < 20 && isCancelled);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('cut')) });
  assert.equal((await stream(broken)).status, 400);
});

test('an answer of its own becomes a Response', async () => {
  const { fetch } = setUp({
    onDelivery: ({ answer }) => answer({ status: 200, headers: { 'x-a': 'b' }, body: Buffer.from('ö') }),
  });
  const response = await fetch(new Request(url, signed('{}')));
  assert.deepEqual([response.status, response.headers.get('x-a'), await response.text()], [200, 'b', 'ö']);
});

test('a body that was read elsewhere: text or bytes, headers in any case, as Headers too', async () => {
  const { receive, got } = setUp();
  const pascal = (headers: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [
        name.replace(/\b\w/g, (letter) => letter.toUpperCase()),
        value,
      ]),
    );
  const headersOf = (body: string) => sign({ scheme: 'standard', secret, body });
  assert.equal((await receive({ headers: pascal(headersOf('1')), body: '1' })).status, 204);
  assert.equal((await receive({ headers: new Headers(headersOf('2')), body: Buffer.from('2') })).status, 204);
  assert.deepEqual(got, ['1', '2']);
  const headers = headersOf('3');
  const twice = { ...headers, 'Webhook-Id': headers['webhook-id']! };
  const { status, body } = await receive({ headers: twice, body: '3' });
  assert.deepEqual([status, JSON.parse(String(body)).error], [401, 'repeated-header']);
  const parsed = await receive({ headers, body: { a: 1 } as unknown as string }); // odd on purpose
  assert.equal(parsed.status, 500);
});

test('a set-up that cannot work is told to the application, not to who asks', async () => {
  const onProblem = vi.fn();
  const { receive } = setUp({ onProblem });
  const { body } = await receive({ headers: {}, body: undefined as unknown as string }); // odd on purpose
  assert.doesNotMatch(String(body), /express/);
  assert.match(
    String(onProblem.mock.calls[0]?.[0].message),
    /in front of body parsers such as express\.json\(\)/,
  );
});

test('behind express.raw() the bytes that it read are taken, within the bound', async (t) => {
  const { handle, got } = setUp({ maxBodyBytes: 10 });
  const app = express();
  app.use(express.raw({ type: () => true }));
  app.post('/hook', handle);
  const address = await serve(t, app);
  assert.equal((await globalThis.fetch(address, signed('{"a": 1}'))).status, 204);
  assert.equal((await globalThis.fetch(address, signed('{"a":      1}'))).status, 413);
  assert.deepEqual(got, ['{"a": 1}']);
});
