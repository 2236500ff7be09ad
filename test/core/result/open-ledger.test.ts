// Holds when the ledger of a trial closes, and why it does not.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { openLedger } from '../../../core/result/open-ledger.ts';
import { completed } from './trial.ts';

const base = completed();
const closed = {
  ...base.ledger,
  unconfirmed: 0,
  expected: 1500,
  delivered: 1499,
  missed: 1,
  unexpected: 0,
};

test('closes when what was expected came or was missed, whatever was wrong with what came', () => {
  assert.deepEqual(
    openLedger({ ...base, ledger: { ...closed, duplicated: 9, reordered: 9, resumed: 9, corrupted: 9 } }),
    [],
  );
});

for (const [change, reason] of [
  [{ unconfirmed: 1200 }, '1,200 published events were never confirmed'],
  [{ unconfirmed: 1 }, '1 published event was never confirmed'],
  [{ missed: 0 }, 'delivered and missed do not add up to the 1,500 expected'],
  [{ missed: 2 }, 'delivered and missed do not add up to the 1,500 expected'],
  [{ unexpected: 1 }, '1 event arrived that nobody had asked for'],
  [{ unexpected: 3 }, '3 events arrived that nobody had asked for'],
] as const) {
  test(`${JSON.stringify(change)}: ${reason}`, () => {
    assert.deepEqual(openLedger({ ...base, ledger: { ...closed, ...change } }), [reason]);
  });
}

test('nothing adds up to nothing: a trial without a load process is open', () => {
  const ledger = { ...closed, expected: 0, delivered: 0, missed: 0 };
  const processes = base.processes.filter(({ role }) => role !== 'load');
  assert.deepEqual(openLedger({ ledger, processes }), ['no load process reported']);
});
