// A server that is killed at random moments loses nothing that it confirmed, and repeats exactly what it could not
// store in time. `npm run bench -- webhook-kills` does it some hundred times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../../core/random.ts';
import { killRepeatedly } from './kills.ts';

test('25 kills lose nothing, and every repetition is explained', { timeout: 180_000 }, async () => {
  const ledger = await killRepeatedly(25, random(1, 'kills'), 150);
  assert.equal(ledger.lost, 0);
  assert.equal(ledger.unexplained, 0);
  assert.equal(ledger.duplicates, ledger.foretold);
  assert.ok(ledger.confirmed > 100, `${ledger.confirmed} events were confirmed`);
  assert.ok(ledger.deliveries >= ledger.confirmed * ledger.endpoints);
});
