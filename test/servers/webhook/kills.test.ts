// A server that is killed at random moments loses nothing that it confirmed, and repeats exactly what it
// could not store in time. `npm run bench -- webhook-kills` kills 500 times.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import { skipWhen } from '../../skip.ts';
import { killRepeatedly, type KillLedger } from './kills.ts';
import { missingFor } from './kill-stores.ts';

function closes({ kills, lost, unexplained, confirmed, deliveries, endpoints }: KillLedger): void {
  assert.equal(lost, 0);
  assert.equal(unexplained, 0);
  // The one that publishes at the end has an event confirmed, however busy the machine is.
  assert.ok(confirmed > kills, `${confirmed} events were confirmed`);
  assert.ok(deliveries >= confirmed * endpoints);
}

test('5 kills lose nothing, and every repetition is explained', async () => {
  const ledger = await killRepeatedly('sqlite', 5, random(1, 'kills'), 150);
  closes(ledger);
  assert.equal(ledger.duplicates, ledger.foretold);
});

test('3 kills of one of two servers on a Redis lose nothing, and repetitions are explained', async (t) => {
  skipWhen(t, missingFor.redis);
  const ledger = await killRepeatedly('redis', 3, random(2, 'kills'), 300);
  closes(ledger);
  // What the server that lives had under way at that moment was possible, but does not come again.
  assert.ok(ledger.duplicates <= ledger.foretold);
});

test('3 kills of one of three servers on SQS lose nothing, and repetitions are explained', async (t) => {
  skipWhen(t, missingFor.sqs);
  const ledger = await killRepeatedly('sqs', 3, random(3, 'kills'), 300);
  closes(ledger);
  assert.ok(ledger.duplicates <= ledger.foretold);
});

test('3 kills of one of three servers on Kafka lose nothing, and repetitions are explained', async (t) => {
  skipWhen(t, missingFor.kafka);
  const ledger = await killRepeatedly('kafka', 3, random(4, 'kills'), 300);
  closes(ledger);
  assert.ok(ledger.duplicates <= ledger.foretold);
});
