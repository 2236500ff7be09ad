// Holds simulations to their seed: the same seed gives the same trial, byte for byte, of every pattern, and
// nothing is left over from one trial for the next.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { everyTrial, trialOf } from './every-trial.ts';

test('the same seed gives the same trial, whatever was simulated before it, and another one another', () => {
  const first = new Map(everyTrial(1).map((one) => [one.name, JSON.stringify(trialOf(one))]));
  for (const one of everyTrial(2)) {
    const other = JSON.stringify(trialOf(one));
    assert.ok(other !== first.get(one.name), `${one.name}: the seed makes no difference`);
  }
  for (const one of everyTrial(1).toReversed())
    assert.ok(JSON.stringify(trialOf(one)) === first.get(one.name), `${one.name} differs`);
});
