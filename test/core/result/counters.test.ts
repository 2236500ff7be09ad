// Counters of requests, bytes and errors: how they add, subtract, and sum up to requests.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import {
  addCounters,
  counterNames,
  newCounters,
  requestsOf,
  subtractCounters,
  type Counters,
} from '../../../core/result/counters.ts';

/** Each counter has a value of its own, so that no two can be mistaken for one another. */
function distinct(factor: number): Counters {
  return Object.assign(
    newCounters(),
    Object.fromEntries(counterNames.map((name, i) => [name, factor * (i + 1)])),
  );
}

test('new counters are 0, each of them', () => {
  assert.deepEqual(Object.keys(newCounters()), [...counterNames]);
  assert.ok(Object.values(newCounters()).every((value) => value === 0));
  assert.notEqual(newCounters(), newCounters());
});

test('counters add and subtract name by name, and leave their arguments alone', () => {
  const a = distinct(1);
  const b = distinct(10);
  assert.deepEqual(addCounters(a, b), distinct(11));
  assert.deepEqual(subtractCounters(b, a), distinct(9));
  assert.deepEqual([a, b], [distinct(1), distinct(10)]);
});

test(
  'requests are all that carry events: handshakes, polls, ' + 'registrations, deliveries and their retries',
  () => {
    const counted = {
      handshakes: 1,
      fullPolls: 20,
      emptyPolls: 300,
      registrations: 4000,
      deliveryRequests: 50_000,
      retries: 600_000,
    };
    assert.equal(requestsOf({ ...newCounters(), ...counted }), 654_321);
    // Parts of those, and what is no request, count nothing again.
    assert.equal(
      requestsOf({
        ...newCounters(),
        reconnects: 1,
        rearms: 1,
        upstreamMessages: 1,
        heartbeats: 1,
        events: 1,
        connectionsOpened: 1,
      }),
      0,
    );
  },
);
