// Tests how the two sides' counts are compared.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { newCounters, type Counters } from '../../../core/result/counters.ts';
import { crossCheck } from '../../../harness/trial/cross-check.ts';

test('what one side sent is what the other got, bytes crosswise', () => {
  const server = { ...newCounters(), handshakes: 5, events: 100, bytesOut: 9000, bytesIn: 500 };
  const client = { ...newCounters(), handshakes: 5, events: 100, bytesIn: 9000, bytesOut: 500 };
  const checks = crossCheck(server, client);
  assert.deepEqual(
    checks.map(({ name }) => name),
    ['handshakes', 'events', 'bytes to the subscribers', 'bytes from the subscribers'],
  );
  assert.ok(checks.every(({ agree, note }) => agree && note === ''));
});

test('with a proxy between them that reads requests, bytes are not compared, and all else is', () => {
  const server = { ...newCounters(), handshakes: 5, events: 100, bytesOut: 9000, bytesIn: 500 };
  const client = { ...newCounters(), handshakes: 5, events: 99, bytesIn: 9900, bytesOut: 450 };
  assert.deepEqual(
    crossCheck(server, client, 'reads-requests').map(({ name, agree }) => [name, agree]),
    [
      ['handshakes', true],
      ['events', false],
    ],
  );
  const held = { ...newCounters(), emptyPolls: 100, rearms: 90 };
  const [check] = crossCheck({ ...newCounters(), emptyPolls: 102 }, held, 'reads-requests');
  assert.match(check!.note, /holds ended while their subscribers left/);
  assert.equal(crossCheck({ ...newCounters(), emptyPolls: 120 }, held, 'reads-requests')[0]!.note, '');
});

test('a difference of one is a difference', () => {
  const [check] = crossCheck({ ...newCounters(), events: 100 }, { ...newCounters(), events: 99 });
  assert.deepEqual(check, { name: 'events', server: 100, client: 99, agree: false, note: '' });
});

test('cut connections explain a difference, but do not hide it', () => {
  const [check] = crossCheck(
    { ...newCounters(), events: 100 },
    { ...newCounters(), events: 99, reconnects: 2 },
  );
  assert.equal(check!.agree, false);
  assert.match(check!.note, /connections were cut/);
});

test(
  'a few holds that end while their subscribers leave are ' + 'explained, a lost event beside them is not',
  () => {
    const server = { ...newCounters(), emptyPolls: 1000, bytesOut: 90_500, events: 10 };
    const client = { ...newCounters(), emptyPolls: 997, bytesIn: 90_000, events: 9, rearms: 900 };
    const unexplained = (a = server, b = client) =>
      crossCheck(a, b)
        .filter(({ agree, note }) => !agree && note === '')
        .map(({ name }) => name);
    assert.deepEqual(unexplained(), ['events']);
    assert.deepEqual(
      unexplained({ ...server, emptyPolls: 1100 }),
      ['empty polls', 'events', 'bytes to the subscribers'],
      'more than a few',
    );
    assert.deepEqual(
      unexplained({ ...server, bytesOut: 99_000 }),
      ['empty polls', 'events', 'bytes to the subscribers'],
      'more than empty answers',
    );
    assert.deepEqual(
      unexplained(server, { ...client, rearms: 0 }),
      ['empty polls', 'events', 'bytes to the subscribers'],
      'polling holds nothing',
    );
  },
);

test.each<[name: string, server: Partial<Counters>, client: Partial<Counters>]>([
  ['handshakes', { handshakes: 7 }, { handshakes: 5 }],
  ['full polls', { fullPolls: 7 }, { fullPolls: 5 }],
  ['empty polls', { emptyPolls: 7 }, { emptyPolls: 5 }],
  ['registrations', { registrations: 7 }, { registrations: 5 }],
  ['webhook requests', { deliveryRequests: 4, retries: 3 }, { deliveryRequests: 5 }],
  ['messages to the server', { upstreamMessages: 7 }, { upstreamMessages: 5 }],
  ['requests with a message', { messageRequests: 7 }, { messageRequests: 5 }],
  ['other requests', { pageRequests: 7 }, { pageRequests: 5 }],
  ['events', { events: 7 }, { events: 5 }],
  ['bytes to the subscribers', { bytesOut: 7 }, { bytesIn: 5 }],
  ['bytes from the subscribers', { bytesIn: 7 }, { bytesOut: 5 }],
])('%s: seven at the server and five at the subscribers', (name, server, client) => {
  assert.deepEqual(crossCheck({ ...newCounters(), ...server }, { ...newCounters(), ...client }), [
    { name, server: 7, client: 5, agree: false, note: '' },
  ]);
});

test('what neither side counted is no check', () =>
  assert.deepEqual(crossCheck(newCounters(), newCounters()), []));

test.each<[Partial<Counters>, Partial<Counters>, RegExp]>([
  [{ slowDisconnects: 1 }, {}, /^slow subscribers were cut off with data under way$/],
  [{}, { errors: 1 }, /^there were errors, listed below$/],
  [
    { errors: 1 },
    { reconnects: 1 },
    /^connections were cut with data under way; there were errors, listed below$/,
  ],
])('each reason explains by itself, from either side', (server, client, note) => {
  const [check] = crossCheck(
    { ...newCounters(), ...server, events: 2 },
    { ...newCounters(), ...client, events: 1 },
  );
  assert.match(check!.note, note);
});

describe('holds that ended while their subscribers left: both sides of each limit', () => {
  const explained = (unread: number, bytes: number, polls = 100) => {
    const server = { ...newCounters(), emptyPolls: polls, bytesOut: 50_000 + bytes };
    const client = { ...newCounters(), emptyPolls: polls - unread, bytesIn: 50_000, rearms: 1 };
    return crossCheck(server, client).every(
      ({ agree, note }) => agree || /while their subscribers left/.test(note),
    );
  };
  test.each([
    // One and a twentieth of 100 holds.
    ['as many as there may be', 6, 6000, 100, true],
    ['one more', 7, 6000, 100, false],
    ['of no holds at all, one', 1, 100, 1, true],
    // 1,024 bytes each.
    ['as large as they may be', 2, 2048, 100, true],
    ['a byte larger', 2, 2049, 100, false],
    ['without a byte', 2, 0, 100, false],
  ])('%s', (_what, unread, bytes, polls, is) => assert.equal(explained(unread, bytes, polls), is));

  test('one that the subscribers counted and the server did not is no such hold', () =>
    assert.equal(explained(-1, -100), false));
});
