// Decides whether it got slower: readings of a baseline and a candidate go in, a verdict for each metric and
// each variant comes out. Pure: no clock, no files, no randomness. The rule and what is known of its error
// rates: docs/comparison.md.

import type { Gate } from './gate.ts';
import { metrics } from '../metrics/registry.ts';
import type { Judged, JudgedMetric, Rule, Verdict } from './comparison-result.ts';
import { sift, withFigures, type Runs, type Subject } from './counted-runs.ts';
import { holm } from './statistics/holm.ts';
import { mannWhitneyTest, shiftEstimate, shiftInterval } from './statistics/mann-whitney.ts';
import { median } from '../base/median.ts';
import { hodgesLehmann, signedRankInterval, signedRankTest } from './statistics/signed-rank.ts';

/** Level of a whole comparison; every look that was declared gets its share (Bonferroni). */
const level = 0.05;
/** More runs than this are no advice. */
const mostRunsAdvised = 1000;
/** Changes of an exact figure below this are rounding. */
const rounding = 1e-9;

/** The pairs that a comparison starts with, and the one extension that may be declared. */
export const pairsPlanned = { first: 12, extended: 24, least: 10 } as const;

/**
 * The rule for one look at the data.
 * @param look which one, from 1; @param looks how many were declared before the first: 2
 *   where an extension may follow
 */
export function ruleOf({
  strict = false,
  look = 1,
  looks = 1,
}: { strict?: boolean; look?: number; looks?: number } = {}): Rule {
  return { alpha: level / looks, strict, look, looks };
}

/** Whether the declared extension is due: nothing is decided, and a look is left. */
export function mayExtend(verdict: Verdict, rule: Rule): boolean {
  return verdict === 'inconclusive' && rule.look < rule.looks;
}

/**
 * The verdicts of all variants, and of the comparison. Holm's correction goes over all gating metrics of all
 * variants together, so that a comparison of six patterns raises no more false alarms than one of one.
 */
export function judge(
  subjects: readonly Subject[],
  gates: readonly Gate[],
  rule: Rule = ruleOf(),
): { variants: Judged[]; verdict: Verdict } {
  const sifted = subjects.map((subject) => ({ subject, ...sift(subject) }));
  const drafts = sifted.map(({ runs, subject, invalid }) =>
    invalid ? [] : gates.map((gate) => measure(gate, runs, subject.paired, rule)),
  );
  const tested = drafts
    .flat()
    .filter(
      (draft) => (draft.kind === 'ratio' && draft.gating) || (draft.kind === 'loss' && draft.p !== null),
    );
  const adjusted = holm(tested.map((draft) => ('p' in draft ? (draft.p ?? 1) : 1)));
  const pAdjusted = new Map(tested.map((draft, i) => [draft, adjusted[i]!]));
  const variants = sifted.map(({ subject, given, counted, dropped, invalid }, i): Judged => {
    const decided = drafts[i]!.map((draft) =>
      decide(draft, pAdjusted.get(draft) ?? null, rule, tested.length),
    );
    const verdict = invalid ? 'invalid' : gravest(decided.flatMap((one) => one.verdict ?? []));
    return {
      baseline: subject.baseline,
      candidate: subject.candidate,
      paired: subject.paired,
      given,
      counted,
      dropped,
      metrics: decided,
      verdict,
      why: invalid ?? whyOf(verdict, decided),
    };
  });
  return { variants, verdict: gravest(variants.map(({ verdict }) => verdict)) };
}

/** The gravest verdict; without any there is nothing to go by. */
export function gravest(verdicts: readonly Verdict[]): Verdict {
  return (
    (['invalid', 'slower', 'inconclusive', 'not-slower'] as const).find((one) => verdicts.includes(one)) ??
    'inconclusive'
  );
}

function measure(gate: Gate, runs: Runs, paired: boolean, rule: Rule): JudgedMetric {
  const { metric } = gate;
  const { unit } = metrics[metric]!;
  const gating = gate.kind !== 'ratio' || gate.gating;
  const usable = withFigures(metric, runs, paired, gate.kind === 'ratio');
  if ('why' in usable)
    return {
      kind: 'absent',
      metric,
      gating,
      why: usable.why,
      verdict: gating && usable.oneSided ? 'inconclusive' : null,
    };
  const { baseline, candidate } = usable;
  const ranges = { baseline: endsOf(baseline), candidate: endsOf(candidate) };
  if (gate.kind === 'exact') {
    const [from, to] = [median(baseline), median(candidate)];
    return {
      kind: 'exact',
      metric,
      unit,
      tolerance: gate.tolerance,
      baseline: from,
      candidate: to,
      ranges,
      changed: Math.abs(to - from) > rounding,
      verdict: to - from > gate.tolerance + rounding ? 'slower' : 'not-slower',
    };
  }
  if (gate.kind === 'loss') {
    const [from, to] = [meanOf(baseline), meanOf(candidate)];
    // Where a pattern reorders by design, the question is whether it does so more.
    const p =
      from === 0
        ? null
        : paired
          ? signedRankTest(candidate.map((value, i) => value - baseline[i]!)).p
          : mannWhitneyTest(baseline, candidate).p;
    return {
      kind: 'loss',
      metric,
      unit,
      baseline: from,
      candidate: to,
      ranges,
      p,
      pAdjusted: null,
      verdict: to <= from ? 'not-slower' : from === 0 ? 'slower' : 'inconclusive',
    };
  }
  const logs = { x: baseline.map(Math.log), y: candidate.map(Math.log) };
  const differences = paired ? logs.y.map((value, i) => value - logs.x[i]!) : [];
  const estimate = paired ? hodgesLehmann(differences) : shiftEstimate(logs.x, logs.y);
  const interval = paired
    ? signedRankInterval(differences, rule.alpha)
    : shiftInterval(logs.x, logs.y, rule.alpha);
  const { p } = paired ? signedRankTest(differences) : mannWhitneyTest(logs.x, logs.y);
  return {
    kind: 'ratio',
    metric,
    unit,
    gating: gate.gating,
    minimumEffect: gate.minimumEffect,
    baseline: median(baseline),
    candidate: median(candidate),
    ranges,
    ratio: Math.exp(estimate),
    low: interval ? Math.exp(interval[0]) : null,
    high: interval ? Math.exp(interval[1]) : null,
    p,
    pAdjusted: null,
    ratios: differences.map(Math.exp),
    runs: Math.min(baseline.length, candidate.length),
    runsNeeded: null,
    verdict: null,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function endsOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}

function decide(draft: JudgedMetric, pAdjusted: number | null, rule: Rule, tests: number): JudgedMetric {
  const { alpha, strict } = rule;
  if (draft.kind === 'loss' && pAdjusted !== null) {
    return {
      ...draft,
      pAdjusted,
      verdict: draft.candidate > draft.baseline && pAdjusted < alpha ? 'slower' : draft.verdict,
    };
  }
  if (draft.kind !== 'ratio' || pAdjusted === null) return draft;
  const bound = 1 + draft.minimumEffect;
  const beyond = strict ? draft.low !== null && draft.low > bound : draft.ratio > bound;
  if (pAdjusted < alpha && beyond) return { ...draft, pAdjusted, verdict: 'slower' };
  if (draft.high !== null && draft.high < bound) return { ...draft, pAdjusted, verdict: 'not-slower' };
  return { ...draft, pAdjusted, verdict: 'inconclusive', runsNeeded: runsNeeded(draft, bound, rule, tests) };
}

/**
 * About how many runs would have decided: an interval narrows with the square root of their number. Where
 * the estimate is below the minimum effect it must end below that; where it is above, it must come clear
 * of no change at the level that Holm leaves to the smallest of `tests` p-values, and with the strict
 * rule of the minimum effect.
 */
function runsNeeded(
  { ratio, low, high, runs, ratios }: Extract<JudgedMetric, { kind: 'ratio' }>,
  bound: number,
  { alpha, strict }: Rule,
  tests: number,
): number | null {
  if (low === null || high === null) return Math.max(pairsPlanned.least, runs + 1);
  const [estimate, needed] = [Math.log(ratio), Math.log(bound)];
  const number = Math.max(
    runs + 1,
    ...(estimate > needed
      ? [
          runs *
            ((estimate - (signedRankInterval(ratios.map(Math.log), alpha / tests)?.[0] ?? Math.log(low))) /
              estimate) **
              2,
          Math.log2((2 * tests) / alpha), // with fewer pairs no p is that small
          strict ? runs * ((estimate - Math.log(low)) / (estimate - needed)) ** 2 : 0,
        ]
      : [runs * ((Math.log(high) - estimate) / (needed - estimate)) ** 2]),
  );
  return number <= mostRunsAdvised ? Math.ceil(number) : null;
}

function whyOf(verdict: Verdict, decided: readonly JudgedMetric[]): string {
  const named = (which: string) =>
    decided
      .filter((one) => one.verdict === which)
      .map(({ metric }) => metric)
      .join(', ');
  if (verdict === 'slower') return `worse: ${named('slower')}`;
  if (verdict === 'not-slower') return 'no gating metric is worse by more than matters';
  return decided.some((one) => one.verdict === 'inconclusive')
    ? `neither worse nor shown not to be: ${named('inconclusive')}`
    : 'no gating metric has a figure on both sides';
}
