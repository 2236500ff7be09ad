// Makes figures of the runs for one gate: both sides, the change, and what the tests say of it. Verdicts are
// judge.ts.

import { median } from '../base/median.ts';
import { metrics } from '../metrics/registry.ts';
import type { JudgedMetric, Rule } from './comparison-result.ts';
import { figuresFor, type Sifted } from './counted-runs.ts';
import type { Gate } from './gate.ts';
import type { Contrary } from './runs-needed.ts';
import { mannWhitneyTest, shiftAbove, shiftEstimate, shiftInterval } from './statistics/mann-whitney.ts';
import { roundedDifference } from './statistics/ranks.ts';
import {
  hodgesLehmann,
  signedRankAbove,
  signedRankInterval,
  signedRankTest,
} from './statistics/signed-rank.ts';

/** Changes of an exact figure below this are rounding. */
const rounding = 1e-9;

export type Draft = {
  gate: Gate;
  /** Has no verdict yet if that needs the p-values of all tests. */
  metric: JudgedMetric;
  lost: readonly { run: number; why: string }[];
  /** Runs of either side that have the figure; of pairs, as many on both. */
  runs: { baseline: number; candidate: number };
  /** For a ratio: what contradicts "worse than this ratio" and "better than this ratio". */
  contrary?: { toAbove(ratio: number): Contrary; toBelow(ratio: number): Contrary };
};

export function isGating(gate: Gate): boolean {
  return gate.kind !== 'ratio' || gate.gating;
}

export function measure(gate: Gate, sifted: Sifted, rule: Rule): Draft {
  const { metric: name } = gate;
  const { unit } = metrics[name]!; // gates are checked
  const figures = figuresFor(name, sifted, gate.kind === 'ratio');
  const { lost } = figures;
  if (figures.kind !== 'figures') {
    const gating = isGating(gate);
    // What does not apply here is not part of the verdict, unless the scenario asked for it by name.
    const asked = figures.kind === 'lacking' || gate.asked === true;
    const metric: JudgedMetric = {
      kind: 'absent',
      metric: name,
      gate: gate.kind,
      gating,
      why: figures.why,
      verdict: gating && asked ? 'not-judged' : null,
    };
    return { gate, metric, lost, runs: { baseline: 0, candidate: 0 } };
  }
  const { baseline, candidate } = figures;
  const runs = { baseline: baseline.length, candidate: candidate.length };
  const sides = { baseline, candidate, ranges: { baseline: endsOf(baseline), candidate: endsOf(candidate) } };
  const about = {
    metric: name,
    unit,
    ranges: sides.ranges,
    ...(figures.came && { ofWhatCame: true as const }),
  };
  if (gate.kind === 'exact') {
    const [from, to] = [median(baseline), median(candidate)];
    const metric: JudgedMetric = {
      kind: 'exact',
      ...about,
      tolerance: gate.tolerance,
      baseline: from,
      candidate: to,
      changed: Math.abs(to - from) > rounding,
      verdict: to - from > gate.tolerance + rounding ? 'slower' : 'not-slower',
    };
    return { gate, metric, lost, runs };
  }
  if (gate.kind === 'loss') {
    const [from, to] = [meanOf(baseline), meanOf(candidate)];
    // Where a pattern reorders by design, the question is whether it does so more.
    const p =
      from === 0
        ? null
        : sifted.paired
          ? signedRankTest(candidate.map((value, i) => value - baseline[i]!)).pGreater
          : mannWhitneyTest(baseline, candidate).pGreater;
    const metric: JudgedMetric = {
      kind: 'loss',
      ...about,
      baseline: from,
      candidate: to,
      p,
      pAdjusted: null,
      verdict: to <= from ? 'not-slower' : from === 0 ? 'slower' : 'inconclusive',
    };
    return { gate, metric, lost, runs };
  }
  const logs = { baseline: baseline.map(Math.log), candidate: candidate.map(Math.log) };
  const tested = sifted.paired ? inPairs(logs, rule) : inHeaps(logs, rule);
  const metric: JudgedMetric = {
    kind: 'ratio',
    ...about,
    gating: gate.gating,
    minimumEffect: gate.minimumEffect,
    baseline: median(baseline),
    candidate: median(candidate),
    ratio: Math.exp(tested.estimate),
    low: tested.interval ? Math.exp(tested.interval[0]) : null,
    high: tested.interval ? Math.exp(tested.interval[1]) : null,
    p: tested.p,
    pAdjusted: null,
    ratios: tested.differences.map(Math.exp),
    runs: Math.min(runs.baseline, runs.candidate),
    runsNeeded: null,
    verdict: null,
  };
  return { gate, metric, lost, runs, contrary: tested.contrary };
}

type Logs = { baseline: readonly number[]; candidate: readonly number[] };
type Tested = {
  estimate: number;
  /** Each end is a bound of its own, with a chance of at most alpha to be passed. */
  interval: readonly [low: number, high: number] | undefined;
  p: number;
  differences: readonly number[];
  contrary: NonNullable<Draft['contrary']>;
};

function inPairs({ baseline, candidate }: Logs, { alpha }: Rule): Tested {
  const differences = candidate.map((value, i) => roundedDifference(value - baseline[i]!));
  const turned = differences.map((difference) => -difference);
  return {
    estimate: hodgesLehmann(differences),
    interval: signedRankInterval(differences, 2 * alpha),
    p: signedRankAbove(differences).p,
    differences,
    contrary: {
      toAbove: (ratio) => signedRankAbove(differences, Math.log(ratio)),
      toBelow: (ratio) => signedRankAbove(turned, -Math.log(ratio)),
    },
  };
}

function inHeaps({ baseline, candidate }: Logs, { alpha }: Rule): Tested {
  return {
    estimate: shiftEstimate(baseline, candidate),
    interval: shiftInterval(baseline, candidate, 2 * alpha),
    p: shiftAbove(baseline, candidate).p,
    differences: [],
    contrary: {
      toAbove: (ratio) => shiftAbove(baseline, candidate, Math.log(ratio)),
      toBelow: (ratio) => shiftAbove(candidate, baseline, -Math.log(ratio)),
    },
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function endsOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
