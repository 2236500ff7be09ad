// Tests how the two sides' counts are compared.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
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
