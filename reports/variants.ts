// The variants of one or several results, each with its completed trials: what tables and charts go over.

import { histogramOf } from '../core/metrics.ts';
import { merge, newHistogram, type Histogram } from '../core/histogram.ts';
import type { Completed, Result, Trial } from '../core/result.ts';

export type VariantTrials = {
  /** The variant's label; with several results, led by the scenario's name and the time of the run. */
  label: string;
  pattern: string;
  /** Its place among all variants, for its colour. */
  index: number;
  result: Result;
  trials: Trial[];
  completed: Completed[];
  /** Every trial went through and counts. */
  valid: boolean;
  /** Why trials failed, when all did. */
  failed: string | undefined;
};

/** Variants in the order in which they ran, results in the order given. */
export function variantsOf(results: readonly Result[]): VariantTrials[] {
  const all = results.flatMap((result) => {
    const byLabel = Map.groupBy(result.trials, ({ variant }) => variant.label);
    return [...byLabel].map(([label, trials]) => ({ label: results.length === 1 ? label : `${nameOf(result)} ${label}`, result, trials }));
  });
  return all.map(({ label, result, trials }, index) => {
    const outcomes = trials.map(({ outcome }) => outcome);
    const completed = outcomes.filter((outcome) => outcome.status === 'completed');
    const failure = outcomes.find((outcome) => outcome.status === 'failed');
    return {
      label, pattern: trials[0]!.variant.pattern, index, result, trials, completed,
      valid: outcomes.every(({ valid }) => valid),
      failed: completed.length === 0 ? failure?.message : undefined,
    };
  });
}

/** What to call a result beside another one. */
export function nameOf(result: Result): string {
  return `${result.scenario.name} ${result.createdAt.slice(11, 19)}`;
}

/** All trials' samples of one latency together; percentiles come from the merged bins. */
export function mergedLatency(completed: readonly Completed[], name: keyof Completed['latency']): Histogram {
  const all = newHistogram();
  for (const trial of completed) merge(all, histogramOf(trial.latency[name]));
  return all;
}
