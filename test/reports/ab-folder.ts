// A folder as `ab` leaves it, made by formula: two arms of ten trials and their comparison.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compare } from '../../core/comparison/compare-runs.ts';
import { runSetOf } from '../../core/comparison/run-set.ts';
import { fixtureResult } from './fixture.ts';

/** One arm's name would be markup, if it could. */
export function writeAb(folder: string): void {
  const [baseline, candidate] = [
    fixtureResult({ repeat: 10, measureS: 2 }),
    fixtureResult({ repeat: 10, measureS: 2, seed: 3 }),
  ];
  for (const [name, result] of Object.entries({ baseline, candidate })) {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, 'result.json'), JSON.stringify(result));
  }
  const comparison = compare(
    runSetOf('old', [baseline]),
    runSetOf('<b>new', [{ ...candidate, scenario: baseline.scenario, seed: baseline.seed }]),
    { createdAt: new Date(Date.UTC(2026, 0, 3)) },
  );
  writeFileSync(join(folder, 'comparison.json'), JSON.stringify(comparison));
}
