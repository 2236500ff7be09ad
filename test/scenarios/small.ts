// Runs shipped scenarios at a size that a test can afford, over real processes, and holds what must hold of
// every one of them: each trial came to its end, its ledger is closed, and every fault happened.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { RunPlan } from '../../harness/plan/cells.ts';
import { prepare, run } from '../../harness/run/run.ts';
import { completed } from '../fake/run.ts';
import { skipWhen } from '../skip.ts';

type Program = 'redis-server' | 'nats-server' | 'haproxy';

export type Small = {
  result: Result;
  /** Of each trial, in the order of the run. */
  trials: (Completed & { label: string })[];
};

/**
 * Runs `scenarios/NAME.yaml` with these overrides.
 * @param needs programs without which the test is skipped
 * @param adapt changes what was planned
 */
export async function runSmall(
  t: TestContext,
  name: string,
  overrides: readonly string[],
  needs: readonly Program[] = [],
  adapt: (plan: RunPlan) => RunPlan = (plan) => plan,
): Promise<Small> {
  for (const program of needs) skipWhen(t, absent(program));
  const file = `scenarios/${name}.yaml`;
  const { scenario, source } = parseScenario(readFileSync(file, 'utf8'), {
    file,
    registry: patterns,
    overrides,
  });
  const options = {
    registry: patterns,
    folder: 'scenarios',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    signal: t.signal,
  };
  const result = await run(adapt(prepare(scenario, options)), options);
  assert.deepEqual(result.state, { kind: 'finished' });
  const trials = result.trials.map(({ variant, outcome }, i) => {
    assert.equal(outcome.status, 'completed', JSON.stringify(outcome));
    const trial = completed(result, i);
    const { ledger, faults = [] } = trial;
    assert.equal(ledger.delivered + ledger.missed, ledger.expected, variant.label);
    assert.deepEqual([ledger.corrupted, ledger.unexpected], [0, 0], variant.label);
    for (const { did, atUs } of faults) assert.notEqual(atUs, null, `${variant.label}: ${did}`);
    return { ...trial, label: variant.label };
  });
  return { result, trials };
}

function absent(program: Program): string | undefined {
  const flag = program === 'haproxy' ? '-v' : '--version';
  return spawnSync(program, [flag]).status === 0
    ? undefined
    : `${program} is not installed (Debian: apt-get install ${program})`;
}
