// Tests that what was simulated is held against a measurement only where that is asked for, and then said.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { ofOneKind } from '../../../core/comparison/history.ts';
import { runSetOf, type RunSet } from '../../../core/comparison/run-set.ts';
import type { Result } from '../../../core/result/result.ts';
import { modelVersion } from '../../../simulation/model.ts';
import { simulatedResult } from '../../simulation/result.ts';
import { fixtureResult } from '../../reports/fixture.ts';

const measured = () => runSetOf('ours', [fixtureResult({ measureS: 2 })]);
const simulated = async (profile = 'test machine'): Promise<RunSet> => {
  const result = await simulatedResult();
  const mark = { ...result.simulated!, profile: { ...result.simulated!.profile, name: profile } };
  return runSetOf('theirs', [{ ...result, simulated: mark }]);
};
const at = { createdAt: new Date() };

test('measured against simulated is refused, with what each is and what to do', async () => {
  const theirs = await simulated();
  assert.throws(
    () => compare(measured(), theirs, at),
    /ours was measured, and theirs was simulated from the profile "test machine" by models of version \d+: .*--simulated-too/,
  );
  const comparison = compare(measured(), theirs, { ...at, simulatedToo: true });
  assert.ok(comparison.advisory.some(({ code, message }) => code === 'machine' && /origin/.test(message)));
  assert.deepEqual(comparison.differences[0], {
    what: 'origin',
    baseline: 'measured',
    candidate: `simulated from the profile "test machine" by models of version ${modelVersion}`,
  });
});

test('two simulations compare where they are from one profile, as what the models say', async () => {
  const [one, other] = [await simulated(), await simulated('another')];
  const { advisory } = compare(one, { ...one, name: 'again' }, at);
  assert.match(advisory.find(({ code }) => code === 'simulated')!.message, /nothing was measured/);
  assert.throws(() => compare(one, other, at), /--simulated-too/);
});

test('one side is of one kind', async () => {
  const result = await simulatedResult();
  const { simulated: _, ...same } = result;
  assert.throws(
    () => runSetOf('mixed', [result, same as Result]),
    /mixed holds results that were made in different ways/,
  );
});

test('a history takes measured runs alone, unless asked or where there are none', async () => {
  const [ours, theirs] = [measured(), await simulated()];
  const names = (sets: readonly RunSet[]) => sets.map(({ name }) => name);
  const alone = ofOneKind([theirs, ours], false);
  assert.deepEqual([names(alone.sets), alone.simulated], [['ours'], ['theirs']]);
  const both = ofOneKind([theirs, ours], true);
  assert.deepEqual([names(both.sets), both.simulated], [['theirs (simulated)', 'ours'], []]);
  assert.deepEqual(names(ofOneKind([theirs], false).sets), ['theirs']);
});
