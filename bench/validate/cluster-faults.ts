// Repeats every fault of several servers at random moments, in short trials: with each, nothing is lost that
// a history and a resume can save, and nothing is left behind.

import { casesUsually, faultCase, faultCases } from './cluster/cases.ts';
import { kinds } from './cluster/kinds.ts';
import { clusterFaultsOutcome } from './cluster/page.ts';
import { runCases } from './cluster/runs.ts';
import type { Part } from './part.ts';

const log = (text: string) => console.log(text);

export const clusterFaults: Part = {
  title: 'Faults of several servers, at random moments',
  cases: `trials of each of ${kinds.length} faults`,
  run: async (quick, cases = quick ? 1 : casesUsually) =>
    clusterFaultsOutcome(await runCases(faultCases(cases), log)),
  repeat: async (number) => clusterFaultsOutcome(await runCases([faultCase(number)], log)),
};
