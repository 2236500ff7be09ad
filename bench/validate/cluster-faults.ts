// Repeats every fault of several servers at random moments, several times a trial: with each, nothing is
// lost that a history and a resume can save, and nothing is left behind.

import { faultsUsually, faultCase, faultCases, type ClusterCase } from './cluster/cases.ts';
import { families, kinds, type Family } from './cluster/kinds.ts';
import { clusterFaultsOutcome } from './cluster/page.ts';
import { runCases } from './cluster/runs.ts';
import type { Part } from './part.ts';

const log = (text: string) => console.log(text);

/**
 * The part of one family of faults.
 * @param name of the part
 */
export function clusterFaults(family: Family, name: string): Part {
  const groups = kinds.filter((kind) => kind.family === family).map((kind) => kind.name);
  const outcome = async (cases: readonly ClusterCase[]) =>
    clusterFaultsOutcome(await runCases(cases, log), name);
  return {
    title: `Faults at random moments: ${families[family]}`,
    cases: `times each of ${groups.length} faults`,
    run: (quick, cases = quick ? 1 : faultsUsually) =>
      outcome(faultCases(cases).filter(({ group }) => groups.includes(group))),
    repeat: (number) => outcome([faultCase(number)]),
  };
}
