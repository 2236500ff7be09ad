// Tests that no loopback address carries more connections than it has ports for without a search.

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  connectionsFromUsual,
  connectionsPerAddress,
  freshAddresses,
  sourceAddress,
} from '../../../core/base/source-address.ts';

test('subscribers that fit on one address come from 127.0.0.1, whichever trial it is', () => {
  assert.equal(freshAddresses(10_000, 1, randomInt), undefined);
  assert.equal(freshAddresses(5000, 2, randomInt), undefined);
  assert.equal(sourceAddress(9999), '127.0.0.1');
});

test('every 2,500 of more have an address of their own', () => {
  const addresses = freshAddresses(10_001, 1, (from) => from);
  assert.deepEqual(
    [0, 2499, 2500, 7499, 7500].map((subscriber) => sourceAddress(subscriber, addresses)),
    ['127.1.0.0', '127.1.0.0', '127.1.0.1', '127.1.0.2', '127.1.0.3'],
  );
  assert.equal(sourceAddress(10_000, { first: 65_535, each: 10_000 }), '127.1.0.0', 'octets carry over');
});

test('whatever is drawn, addresses are of 127.0.0.0/8, above those in use, and hold at most 2,500', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.integer({ min: 1, max: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (subscribers, connectionsEach, drawn) => {
        const addresses = freshAddresses(
          subscribers,
          connectionsEach,
          (from, to) => from + Math.min(to - from - 1, Math.floor(drawn * (to - from))),
        );
        if (!addresses) return assert.ok(subscribers * connectionsEach <= connectionsFromUsual);
        assert.ok(addresses.each * connectionsEach <= connectionsPerAddress);
        for (const subscriber of [0, addresses.each - 1, addresses.each, subscribers - 1]) {
          const address = sourceAddress(subscriber, addresses);
          assert.ok(isIPv4(address) && /^127\.[1-9]/.test(address), address);
        }
        assert.equal(sourceAddress(0, addresses), sourceAddress(addresses.each - 1, addresses));
        assert.notEqual(sourceAddress(0, addresses), sourceAddress(addresses.each, addresses));
      },
    ),
  );
});

test('two trials in a row do not share addresses', () => {
  const places = Array.from({ length: 20 }, () => freshAddresses(100_000, 1, randomInt)!.first);
  const apart = places.flatMap((one, i) => places.slice(i + 1).map((other) => Math.abs(one - other)));
  // 190 pairs that overlap with a chance of one in a million each.
  assert.ok(Math.min(...apart) >= 10, String(places));
});
