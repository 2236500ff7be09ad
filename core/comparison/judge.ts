// Decides whether it got slower: readings of a baseline and a candidate go in, a verdict for each metric and
// each variant comes out. Pure: no clock, no files, no randomness. The rule and its error rates:
// docs/comparison.md.

import type { Gate } from './gate.ts';
import type { Judged, JudgedMetric, Rule, Verdict } from './comparison-result.ts';
import { droppedOf, sift, type Sifted, type Subject } from './counted-runs.ts';
import { isGating, measure, type Draft } from './measure.ts';
import { enoughRuns, fewestPairs } from './pairs.ts';
import { runsToShow } from './runs-needed.ts';
import { holm } from './statistics/holm.ts';
import { counted } from '../base/counted.ts';
import { metrics } from '../metrics/registry.ts';

/** Level of a whole comparison; every look that was declared gets its share (Bonferroni). */
const level = 0.05;

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

export type Circumstances = {
  /** Timings are only advice: if some could not be judged, the verdict is undecided. */
  advice?: boolean;
  /** Why nothing can be judged, whatever the figures: another scenario was run. */
  spoilt?: string | undefined;
};

/**
 * The verdicts of all variants, and of the comparison. Holm's correction goes over all gating metrics of all
 * variants together, so that a comparison of six patterns raises no more false alarms than one of one. "Not
 * slower" needs none: it is said of a variant only where each of its metrics is shown not to be.
 */
export function judge(
  subjects: readonly Subject[],
  gates: readonly Gate[],
  rule: Rule = ruleOf(),
  { advice = false, spoilt }: Circumstances = {},
): { variants: Judged[]; verdict: Verdict } {
  const drafted = subjects.map((subject) => {
    const sifted = sift(subject);
    return { subject, sifted, drafts: sifted.why ? [] : gates.map((gate) => measure(gate, sifted, rule)) };
  });
  const tested = drafted.flatMap(({ drafts }) => drafts).filter(({ metric }) => isTested(metric));
  const adjusted = holm(tested.map(({ metric }) => ('p' in metric ? (metric.p ?? 1) : 1)));
  const pAdjusted = new Map(tested.map((draft, i) => [draft, adjusted[i]!]));
  const variants = drafted.map(({ subject: { baseline, candidate, paired }, sifted, drafts }): Judged => {
    const decided = withoutLatency(
      drafts.map((draft) =>
        decide(draft, pAdjusted.get(draft) ?? null, rule, { tests: tested.length, paired }),
      ),
    );
    return {
      baseline,
      candidate,
      paired,
      given: sifted.given,
      counted: sifted.given - sifted.dropped.length,
      dropped: droppedOf(
        sifted,
        drafts.flatMap(({ gate, lost }) => (isGating(gate) ? [{ metric: gate.metric, lost }] : [])),
      ),
      ...conclude(decided, sifted, gates, { advice, spoilt }),
    };
  });
  return { variants, verdict: gravest(variants.map(({ verdict }) => verdict)) };
}

/** The worst of these verdicts; "not judged" if there is none. */
export function gravest(verdicts: readonly Verdict[]): Verdict {
  return (
    (['slower', 'not-judged', 'inconclusive', 'not-slower'] as const).find((one) => verdicts.includes(one)) ??
    'not-judged'
  );
}

function isTested(metric: JudgedMetric): boolean {
  return (metric.kind === 'ratio' && metric.gating) || (metric.kind === 'loss' && metric.p !== null);
}

/** Where no latency has a figure, the other metrics say nothing about delivery: latencies are not judged. */
function withoutLatency(decided: readonly JudgedMetric[]): JudgedMetric[] {
  const isLatency = ({ metric }: JudgedMetric) => metric.startsWith('latency.');
  const asked = decided.filter((one) => isLatency(one) && (!('gating' in one) || one.gating));
  if (asked.some(({ kind }) => kind !== 'absent')) return [...decided];
  return decided.map((one) =>
    one.kind === 'absent' && asked.includes(one) ? { ...one, verdict: 'not-judged' } : one,
  );
}

function conclude(
  decided: readonly JudgedMetric[],
  { why: nothing }: Sifted,
  gates: readonly Gate[],
  { advice, spoilt }: Circumstances,
): Pick<Judged, 'metrics' | 'verdict' | 'why'> {
  const stop =
    nothing ??
    (gates.some(isGating)
      ? undefined
      : 'nothing gates: the gate section of the scenario turns every metric off') ??
    spoilt;
  if (stop !== undefined) {
    const metrics = decided.map((one) =>
      one.verdict === null ? one : { ...one, verdict: 'not-judged' as const },
    );
    return { metrics, verdict: 'not-judged', why: stop };
  }
  const isAdvice = (one: JudgedMetric) => advice === true && (one.kind === 'ratio' || isTiming(one));
  const verdict = gravest(
    decided.flatMap((one): Verdict[] =>
      one.verdict === null
        ? []
        : one.verdict === 'not-judged' && isAdvice(one)
          ? ['inconclusive']
          : [one.verdict],
    ),
  );
  return { metrics: [...decided], verdict, why: whyOf(verdict, decided) };
}

function isTiming(metric: JudgedMetric): boolean {
  return metric.kind === 'absent' && metric.gate === 'ratio';
}

function decide(
  draft: Draft,
  pAdjusted: number | null,
  { alpha, strict }: Rule,
  { tests, paired }: { tests: number; paired: boolean },
): JudgedMetric {
  const { metric } = draft;
  if (pAdjusted === null) return metric;
  const of = { tests, alpha };
  const tooFew = tooFewText(draft.runs, paired, of);
  if (metric.kind === 'loss') {
    const base = { ...metric, pAdjusted };
    if (metric.verdict !== 'inconclusive') return base;
    if (pAdjusted < alpha) return { ...base, verdict: 'slower' };
    return tooFew === undefined ? base : { ...base, verdict: 'not-judged', why: tooFew };
  }
  if (metric.kind !== 'ratio') return metric;
  const base = { ...metric, pAdjusted };
  const bound = 1 + metric.minimumEffect;
  const beyond = strict ? metric.low !== null && metric.low > bound : metric.ratio > bound;
  if (pAdjusted < alpha && beyond) return { ...base, verdict: 'slower' };
  // Where a change could hardly have shown, that none did says nothing.
  if (tooFew !== undefined) return { ...base, verdict: 'not-judged', why: tooFew };
  if (metric.high !== null && metric.high < bound) return { ...base, verdict: 'not-slower' };
  const { contrary, runs } = draft;
  const whole = { runs: Math.min(runs.baseline, runs.candidate), paired };
  const each = { ...whole, of: { tests: 1, alpha } };
  const asked =
    metric.ratio > bound
      ? [
          runsToShow(contrary!.toAbove(1), { ...whole, of }),
          ...(strict ? [runsToShow(contrary!.toAbove(bound), each)] : []),
        ]
      : [runsToShow(contrary!.toBelow(bound), each)];
  const runsNeeded = asked.every((number) => number !== undefined) ? Math.max(...asked) : null;
  return { ...base, verdict: 'inconclusive', runsNeeded };
}

function tooFewText(
  { baseline, candidate }: Draft['runs'],
  paired: boolean,
  of: { tests: number; alpha: number },
): string | undefined {
  const tests = `${of.tests} test${of.tests === 1 ? '' : 's'}`;
  if (!paired)
    return enoughRuns(baseline, candidate, of)
      ? undefined
      : `${baseline} and ${candidate} runs are too few for ${tests}`;
  const least = fewestPairs(of);
  if (baseline >= least) return undefined;
  return `${counted(baseline, 'pair')}, but ${tests} ${of.tests === 1 ? 'needs' : 'need'} at least ${least}`;
}

function whyOf(verdict: Verdict, decided: readonly JudgedMetric[]): string {
  const those = (which: string) => decided.filter((one) => one.verdict === which);
  const named = (which: string) =>
    those(which)
      .map(({ metric }) => metrics[metric]?.title ?? metric)
      .join(', ');
  switch (verdict) {
    case 'slower':
      return `worse: ${named('slower')}`;
    case 'not-slower':
      return 'no gating metric got worse by more than its minimum effect';
    case 'inconclusive':
      return `undecided: ${named('inconclusive') || named('not-judged')}`;
    case 'not-judged': {
      // Each reason once, with the metrics that it is of.
      const reasons = Map.groupBy(those('not-judged'), (one) => ('why' in one && one.why) || 'no figure');
      const texts = [...reasons].map(([why, of]) => `${of.map(({ metric }) => metric).join(', ')}: ${why}`);
      return texts.length === 0 ? 'no gating metric has a figure on both sides' : texts.join('; ');
    }
  }
}
