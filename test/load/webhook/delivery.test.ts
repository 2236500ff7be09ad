// Deliveries to webhook subscribers, signed by somebody else's library, and all that a receiver must refuse.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'vitest';
import { largestMessageBytes } from '../../../core/event/body-size.ts';
import { envelope, until } from '../context.ts';
import { talk } from '../../servers/http/raw-http.ts';

import { type Registered, setUpOne } from './fixture.ts';

describe('a delivery', () => {
  test('that is signed goes to the ledger, byte for byte, and is answered with 204', async (t) => {
    const { signed, deliver, bodies, counters, problems } = await setUpOne(t);
    const body = '{"a": "grüße 🎈",  "b":1}';
    assert.equal(await deliver(signed('abc123-1', envelope(1, body)), envelope(1, body)), 204);
    assert.deepEqual(bodies.get(7), [body]);
    assert.deepEqual(problems, []);
    const { deliveryRequests, retries, events, deduplicated } = counters;
    assert.deepEqual(
      { deliveryRequests, retries, events, deduplicated },
      { deliveryRequests: 1, retries: 0, events: 1, deduplicated: 0 },
    );
  });

  test('that comes again is counted on both sides of the dedupe store', async (t) => {
    const { signed, deliver, bodies, counters } = await setUpOne(t);
    for (const attempt of ['1', '2', '3']) {
      assert.equal(
        await deliver({ ...signed('abc123-1', envelope(1)), 'pushbench-attempt': attempt }, envelope(1)),
        204,
      );
    }
    await deliver(signed('abc123-2', envelope(2)), envelope(2));
    assert.equal(bodies.get(7)!.length, 4, 'the ledger gets them all');
    const { deliveryRequests, retries, events, deduplicated } = counters;
    assert.deepEqual(
      { deliveryRequests, retries, events, deduplicated },
      { deliveryRequests: 2, retries: 2, events: 4, deduplicated: 2 },
    );
  });

  test('is recognised for each subscriber by itself', async (t) => {
    const { load, ready, registered, signed, deliver, counters } = await setUpOne(t);
    load.open(8);
    await until(() => ready.length === 2, 'ready');
    const [, other] = registered as [Registered, Registered];
    await deliver(signed('abc123-1', envelope(1)), envelope(1));
    assert.equal(
      await deliver(signed('abc123-1', envelope(1), { key: other.secret }), envelope(1), other.url),
      204,
    );
    assert.equal(counters.deduplicated, 0);
  });

  const body = envelope(1);
  type Tools = Awaited<ReturnType<typeof setUpOne>>;
  const rows: [what: string, reason: string, send: (tools: Tools) => Promise<number>][] = [
    ['without a signature', 'missing-header', ({ deliver }) => deliver({}, body)],
    [
      'signed with another secret',
      'no-match',
      ({ deliver, signed }) =>
        deliver(signed('a-1', body, { key: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }), body),
    ],
    [
      'changed on its way',
      'no-match',
      ({ deliver, signed }) => deliver(signed('a-1', body), body.replace('"n":1', '"n":2')),
    ],
    [
      'with another id',
      'no-match',
      ({ deliver, signed }) => deliver({ ...signed('a-1', body), 'webhook-id': 'a-2' }, body),
    ],
    [
      'signed six minutes ago',
      'too-old',
      ({ deliver, signed }) => deliver(signed('a-1', body, { ageS: 360 }), body),
    ],
    [
      'signed six minutes ahead',
      'too-new',
      ({ deliver, signed }) => deliver(signed('a-1', body, { ageS: -360 }), body),
    ],
  ];
  for (const [what, reason, send] of rows) {
    test(`${what} is refused with 401 and never reaches the ledger`, async (t) => {
      const tools = await setUpOne(t);
      assert.equal(await send(tools), 401);
      assert.deepEqual(tools.problems, [
        { code: 'bad-signature', message: `a delivery's signature was refused: ${reason}` },
      ]);
      assert.equal(tools.bodies.size, 0);
      assert.deepEqual([tools.counters.events, tools.counters.errors], [0, 1]);
    });
  }

  test('that is no event is refused with 400', async (t) => {
    const { deliver, signed, problems, counters } = await setUpOne(t);
    assert.equal(await deliver(signed('a-1', '{"no":"event"}'), '{"no":"event"}'), 400);
    assert.deepEqual(problems, [{ code: 'malformed-event', message: 'an event is not an envelope' }]);
    assert.equal(counters.events, 0);
  });

  test('to the wrong address is refused with 404', async (t) => {
    const { deliver, signed, url, problems } = await setUpOne(t);
    const elsewhere = (path: string) => new URL(path, url).href;
    assert.equal(await deliver(signed('a-1', body), body, elsewhere('/hook/8')), 404);
    assert.equal(await deliver(signed('a-1', body), body, elsewhere('/other')), 404);
    assert.equal((await fetch(url)).status, 404);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['unknown-subscriber', 'not-a-delivery', 'not-a-delivery'],
    );
    assert.equal(problems[0]!.message, 'a delivery came for a subscriber that was never registered');
    assert.equal(
      problems[1]!.message,
      'the receiver got a request that is not a POST to the address of a subscriber',
    );
  });

  test('with a content coding is refused with 415, whatever it is signed with', async (t) => {
    const { deliver, signed, problems, counters } = await setUpOne(t);
    assert.equal(await deliver({ ...signed('a-1', '{}'), 'content-encoding': 'gzip' }, '{}'), 415);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['encoded-delivery'],
    );
    assert.equal(counters.events, 0);
  });

  test('that is malformed is refused, and what came behind it on the connection is not read', async (t) => {
    const { url, problems, counters } = await setUpOne(t);
    const { pathname } = new URL(url);
    const asked = (fields: string, body: string) =>
      `POST ${pathname} HTTP/1.1\r\nhost: a\r\n${fields}\r\n\r\n${body}`;
    for (const [fields, status] of [
      ['host: b', 400],
      ['transfer-encoding: gzip, chunked', 501],
    ] as const) {
      const text = await talk(
        url,
        asked(fields, status === 501 ? '0\r\n\r\n' : '') + asked('content-length: 2', '{}'),
      );
      assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.doesNotMatch(text, /HTTP\/1\.1 [^]*HTTP\/1\.1 /);
    }
    assert.ok(
      problems.every(({ code }) => code === 'malformed-delivery'),
      JSON.stringify(problems),
    );
    assert.equal(counters.events, 0);
  });

  test('that is too large is refused with 413, and its rest is not kept', async (t) => {
    const { deliver, problems, counters } = await setUpOne(t);
    assert.equal(await deliver({}, 'x'.repeat(largestMessageBytes + 1)), 413);
    assert.deepEqual(problems[0], {
      code: 'delivery-too-large',
      message: `a delivery's body is larger than ${largestMessageBytes} bytes`,
    });
    assert.deepEqual([problems.length, counters.events], [1, 0]);
  });

  test('that breaks off, or is no HTTP, is a problem and nothing more', async (t) => {
    const { deliver, signed, url, problems } = await setUpOne(t);
    const { port } = new URL(url);
    const cut = connect(Number(port), '127.0.0.1', () =>
      cut.write('POST /hook/7 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf'),
    );
    setTimeout(() => cut.destroy(), 50);
    await until(() => problems.length === 1, 'the first problem');
    const noise = connect(Number(port), '127.0.0.1', () => noise.write('EHLO there\r\n\r\n'));
    noise.on('error', () => {});
    await until(() => problems.length === 2, 'the second problem');
    assert.deepEqual(problems[0], { code: 'delivery-cut', message: 'a delivery was cut off before its end' });
    assert.match(problems[1]!.message, /^a connection to the receiver failed: Parse Error/);
    assert.equal(await deliver(signed('a-1', body), body), 204);
  });
});
