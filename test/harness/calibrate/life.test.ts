// Tests what a profile takes of a trial in which a server is stopped and started again.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import type { TrialFault } from '../../../core/result/trial-fault.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { lifeOf, lifeText } from '../../../harness/calibrate/life.ts';

const fault = (kind: string, tookUs: number, more: Partial<TrialFault> = {}): TrialFault => ({
  kind,
  did: kind,
  atMs: 0,
  atUs: 5,
  tookUs,
  ...more,
});

const six = [30, 10, 20].flatMap((ms) => [fault('stop', ms * 1000), fault('restart', ms * 10_000)]);

test('the trial is one that can run, and stops and starts three times', () => {
  const { scenario } = parseScenario(lifeText('redis-streams'), {
    file: 'a.yaml',
    registry: patterns,
    overrides: [],
  });
  assert.deepEqual(
    scenario.faults.map(({ kind }) => kind),
    ['stop', 'restart', 'stop', 'restart', 'stop', 'restart'],
  );
});

test('the medians are taken, and nothing where one could not be done', () => {
  assert.deepEqual(lifeOf({ faults: six }), { startUs: 200_000, stopUs: 20_000 });
  assert.equal(lifeOf({ faults: six.with(0, fault('stop', 1, { unfinished: true })) }), undefined);
  assert.equal(lifeOf({ faults: six.with(1, fault('restart', 1, { atUs: null })) }), undefined);
  assert.equal(lifeOf({}), undefined);
});
