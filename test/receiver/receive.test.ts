// The receiver over real sockets: which requests it believes, what it does not read, and that acting twice,
// never and too late are told apart. The signatures are made by somebody else's library.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import express from 'express';
import { Webhook } from 'standardwebhooks';
import Stripe from 'stripe';
import { describe, test, type TestContext, vi } from 'vitest';
import { UserError } from '../../core/base/errors.ts';
import { createReceiver, type Delivery, type ReceiverOptions } from '../../receiver/index.ts';
import { until } from '../servers/receivers.ts';
import { serve } from './serve.ts';

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

async function setUp(t: TestContext, options: Partial<ReceiverOptions> = {}) {
  const got: Delivery[] = [];
  const receiver = createReceiver({
    scheme: 'standard',
    secrets: [secret],
    onDelivery: (delivery) => void got.push(delivery),
    ...options,
  });
  const url = await serve(t, (request, response) => void receiver.handle(request, response));
  const deliver = async (id: string, body: string, more: Record<string, string> = {}) => {
    const response = await fetch(url, { method: 'POST', headers: { ...signed(id, body), ...more }, body });
    return { status: response.status, said: await response.text() };
  };
  return { url, got, receiver, deliver };
}

function signed(id: string, body: string, key = secret): Record<string, string> {
  const at = new Date();
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(key).sign(id, at, body),
  };
}

/** `console.error` is where the receiver speaks to its operator. */
function listenToErrors(): string[] {
  const said: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((thing: unknown) => void said.push(String(thing)));
  return said;
}

test('a signed delivery is handed over byte for byte, once however often it comes', async (t) => {
  const { got, receiver, deliver } = await setUp(t);
  const body = '{"a": "grüße 🎈",  "n": 1.0}';
  for (let i = 0; i < 3; i++) assert.equal((await deliver('msg_1', body)).status, 204);
  await deliver('msg_2', body);
  assert.deepEqual(
    got.map(({ id, body: bytes }) => [id, bytes.toString()]),
    [
      ['msg_1', body],
      ['msg_2', body],
    ],
  );
  assert.deepEqual(receiver.counts(), {
    accepted: 2,
    repeated: 2,
    underWay: 0,
    refused: 0,
    unread: 0,
    failed: 0,
    timedOut: 0,
    challenged: 0,
  });
});

describe('refuses with 401 and the reason,', () => {
  const rows: [what: string, reason: string, headers: Record<string, string>, body?: string][] = [
    ['another secret', 'no-match', signed('msg_1', '{}', `whsec_${Buffer.alloc(32, 1).toString('base64')}`)],
    ['another body', 'no-match', signed('msg_1', '{}'), '{ }'],
    ['no signature', 'missing-header', {}],
    [
      'a signature of ten minutes ago',
      'too-old',
      { ...signed('msg_1', '{}'), 'webhook-timestamp': String(Math.floor(Date.now() / 1000) - 600) },
    ],
  ];
  for (const [what, reason, headers, body = '{}'] of rows) {
    test(what, async (t) => {
      const { url, got, receiver } = await setUp(t);
      const response = await fetch(url, { method: 'POST', headers, body });
      assert.equal(response.status, 401);
      assert.equal(((await response.json()) as { error: string }).error, reason);
      assert.equal(got.length, 0);
      assert.equal(receiver.counts().refused, 1);
    });
  }
});

test('the tolerance is the one given, both ways', async (t) => {
  const nowS = Math.floor(Date.now() / 1000);
  const { deliver } = await setUp(t, { toleranceS: 20, nowS: () => nowS + 30 });
  assert.match((await deliver('msg_1', '{}')).said, /"too-old"/);
  const ahead = await setUp(t, { toleranceS: 20, nowS: () => nowS - 30 });
  assert.match((await ahead.deliver('msg_1', '{}')).said, /"too-new"/);
  const wide = await setUp(t, { toleranceS: 60, nowS: () => nowS + 30 });
  assert.equal((await wide.deliver('msg_1', '{}')).status, 204);
});

test('while one secret replaces the other both are believed', async (t) => {
  const fresh = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  const { url, got } = await setUp(t, { secrets: [fresh, secret] });
  for (const [id, key] of [
    ['msg_1', secret],
    ['msg_2', fresh],
  ] as const) {
    assert.equal(
      (await fetch(url, { method: 'POST', headers: signed(id, '{}', key), body: '{}' })).status,
      204,
    );
  }
  assert.equal(got.length, 2);
});

test('a delivery that the application fails at is answered 500 and is new when it comes again', async (t) => {
  const said = listenToErrors();
  let attempts = 0;
  const { receiver, deliver } = await setUp(t, {
    onDelivery() {
      if (attempts++ === 0) throw new Error('the database is away');
    },
  });
  assert.equal((await deliver('msg_1', '{}')).status, 500);
  assert.equal((await deliver('msg_1', '{}')).status, 204);
  assert.equal(attempts, 2);
  assert.match(said.join(), /the database is away/);
  const { accepted, failed, repeated } = receiver.counts();
  assert.deepEqual({ accepted, failed, repeated }, { accepted: 1, failed: 1, repeated: 0 });
});

test('a repetition that comes while the first is being acted upon is told to come back', async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { deliver, receiver } = await setUp(t, { onDelivery: () => promise });
  const first = deliver('msg_1', '{}');
  await until(
    'the second is told',
    () => receiver.counts().underWay > 0 || (void deliver('msg_1', '{}'), false),
  );
  resolve();
  assert.equal((await first).status, 204);
  assert.equal((await deliver('msg_1', '{}')).status, 204);
  assert.equal(receiver.counts().accepted, 1);
});

test('acted upon, but the 200 was lost: the next attempt is a repetition', async (t) => {
  const { url, got, receiver, deliver } = await setUp(t);
  const request = httpRequest(url, { method: 'POST', headers: signed('msg_1', '{}') });
  request.on('error', () => {}).on('response', (response) => response.destroy());
  request.end('{}');
  await until('it was acted upon', () => got.length === 1);
  request.destroy();
  assert.equal((await deliver('msg_1', '{}')).status, 204);
  assert.equal(got.length, 1);
  assert.equal(receiver.counts().repeated, 1);
});

describe('a body', () => {
  test('above the bound is answered 413, also when it never says how long it is', async (t) => {
    const { url, got, receiver } = await setUp(t, { maxBodyBytes: 1000 });
    const large = 'x'.repeat(1001);
    assert.equal(
      (await fetch(url, { method: 'POST', headers: signed('msg_1', large), body: large })).status,
      413,
    );
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    let answered = '';
    socket.on('data', (piece) => (answered += String(piece)));
    socket.write('POST /hook HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n');
    const timer = setInterval(() => socket.writable && socket.write(`1f4\r\n${'x'.repeat(500)}\r\n`), 5);
    await until('it was refused', () => answered.startsWith('HTTP/1.1 413'));
    clearInterval(timer);
    socket.destroy();
    assert.equal(got.length, 0);
    assert.equal(receiver.counts().unread, 2);
  });

  test('of exactly the bound is read', async (t) => {
    const { deliver } = await setUp(t, { maxBodyBytes: 1000 });
    assert.equal((await deliver('msg_1', 'x'.repeat(1000))).status, 204);
  });

  test('with a content coding is not read, even when it is signed', async (t) => {
    const { url, got, receiver } = await setUp(t);
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...signed('msg_1', '{}'), 'content-encoding': 'gzip' },
      body: '{}',
    });
    assert.deepEqual([response.status, response.headers.get('accept-encoding')], [415, 'identity']);
    assert.deepEqual([got.length, receiver.counts().unread], [0, 1]);
  });

  test('that is cut off is not acted upon', async (t) => {
    const { url, got, receiver } = await setUp(t);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('POST /hook HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf', () => socket.destroy());
    await until('it was noticed', () => receiver.counts().unread === 1);
    assert.equal(got.length, 0);
  });
});

test('a request that is not a POST is told so', async (t) => {
  const { url } = await setUp(t);
  const response = await fetch(url);
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'POST');
});

describe('in Express', () => {
  const accepting = () => createReceiver({ scheme: 'standard', secrets: [secret], onDelivery: () => {} });
  const post = (url: string) =>
    fetch(url, {
      method: 'POST',
      headers: { ...signed('msg_1', '{"a":1}'), 'content-type': 'application/json' },
      body: '{"a":1}',
    });

  test('in front of a body parser it verifies', async (t) => {
    const receiver = accepting();
    const app = express();
    app.post('/hook', (request, response) => receiver.handle(request, response));
    app.use(express.json());
    assert.equal((await post(await serve(t, app))).status, 204);
  });

  test('behind a body parser it says what is wrong', async (t) => {
    const said = listenToErrors();
    const receiver = accepting();
    const app = express();
    app.use(express.json());
    app.post('/hook', (request, response) => receiver.handle(request, response));
    assert.equal((await post(await serve(t, app))).status, 500);
    assert.match(
      said.join(),
      /read before the receiver got it.*in front of body parsers such as express\.json/,
    );
  });
});

test(
  'another scheme: what Stripe’s library signs is verified ' + 'and recognised by the id in the body',
  async (t) => {
    const key = 'whsec_test';
    const { url, got } = await setUp(t, { scheme: 'stripe', secrets: [key] });
    const payload = '{"id":"evt_1"}';
    const header = new Stripe('sk_test_none').webhooks.generateTestHeaderString({ payload, secret: key });
    for (let i = 0; i < 2; i++)
      assert.equal(
        (await fetch(url, { method: 'POST', headers: { 'stripe-signature': header }, body: payload })).status,
        204,
      );
    assert.deepEqual(
      got.map(({ id }) => id),
      ['evt_1'],
    );
  },
);

test('without a secret, or with a broken one, none is made', () => {
  const make = (secrets: string[]) => () =>
    createReceiver({ scheme: 'standard', secrets, onDelivery: () => {} });
  assert.throws(make([]), (error) => error instanceof UserError && /at least one secret/.test(error.message));
  assert.throws(
    make(['whsec_']),
    (error) => error instanceof UserError && /this one holds 0/.test(error.message),
  );
});
