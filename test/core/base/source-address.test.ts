// Holds the addresses that subscribers connect from.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { sourceAddress } from '../../../core/base/source-address.ts';

test('subscribers beyond the ephemeral ports of one address connect from the next', () => {
  assert.deepEqual([0, 24_999, 25_000, 49_999, 50_000].map(sourceAddress), [
    '127.0.0.1',
    '127.0.0.1',
    '127.0.0.2',
    '127.0.0.2',
    '127.0.0.3',
  ]);
});
