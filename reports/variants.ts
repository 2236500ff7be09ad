// The variants of one or several results, each with its completed trials: what tables and charts go over.

import { histogramOf } from '../core/metrics.ts';
import { merge, newHistogram, type Histogram } from '../core/histogram.ts';
import type { Completed, Result, Trial } from '../core/result.ts';

export type VariantTrials = {
  /** The variant's label; with several results, led by the scenario's name and the time of the run. */
  label: string;
  pattern: string;
  /** Its place among the variants' own labels, for its colour: the same in all results. */
  index: number;
  /** Which of the results it belongs to, from 0. */
  round: number;
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
  const names = resultNames(results);
  const all = results.flatMap((result, i) => {
    const byLabel = Map.groupBy(result.trials, ({ variant }) => variant.label);
    return [...byLabel].map(([label, trials]) => ({ own: label, label: results.length === 1 ? label : `${names[i]} ${label}`, round: i, result, trials }));
  });
  const places = [...new Set(all.map(({ own }) => own))];
  return all.map(({ own, label, round, result, trials }) => {
    const outcomes = trials.map(({ outcome }) => outcome);
    const completed = outcomes.filter((outcome) => outcome.status === 'completed');
    const failure = outcomes.find((outcome) => outcome.status === 'failed');
    return {
      label, pattern: trials[0]!.variant.pattern, index: places.indexOf(own), round, result, trials, completed,
      valid: outcomes.every(({ valid }) => valid),
      failed: completed.length === 0 ? failure?.message : undefined,
    };
  });
}

/** What to call results beside one another: the scenario and the time, as much of it as tells them apart, or else a number. */
export function resultNames(results: readonly Result[]): string[] {
  const ways: ((result: Result, i: number) => string)[] = [
    ({ scenario, createdAt }) => `${scenario.name} ${createdAt.slice(11, 19)}`,
    ({ scenario, createdAt }) => `${scenario.name} ${createdAt.slice(0, 10)} ${createdAt.slice(11, 19)}`,
    ({ scenario, createdAt }, i) => `${scenario.name} ${createdAt.slice(0, 10)} ${createdAt.slice(11, 19)} (${i + 1})`,
  ];
  const named = ways.map((way) => results.map(way));
  return named.find((names) => new Set(names).size === results.length) ?? named.at(-1)!; // there are three ways
}

/** All trials' samples of one latency together; percentiles come from the merged bins. */
export function mergedLatency(completed: readonly Completed[], name: keyof Completed['latency']): Histogram {
  const all = newHistogram();
  for (const trial of completed) merge(all, histogramOf(trial.latency[name]));
  return all;
}
