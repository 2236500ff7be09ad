// Tests what a profile takes of a trial in which a server is stopped and started again.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { Interruption } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import type { TrialFault } from '../../../core/result/trial-fault.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { lifeOf, lifeText, measureLives } from '../../../harness/calibrate/life.ts';
import { thisMachine } from '../../../harness/run/machine.ts';
import { fakeFleet } from '../../fake/fleet.ts';

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

test('who interrupts is not told that something could not be measured', async () => {
  const stop = new AbortController();
  const { lives, leftOut } = await measureLives(['redis-streams'], () => true, {
    registry: patterns,
    fleet: fakeFleet(),
    machine: thisMachine(),
    observer: {
      trialStarted() {},
      progress: () => stop.abort(new Interruption('SIGINT')),
      trialEnded() {},
      note() {},
    },
    signal: stop.signal,
  });
  assert.deepEqual([lives, leftOut], [{}, []]);
});
