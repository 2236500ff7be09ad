// Compares two sides: decides which variants and runs belong together and whether timings prove anything, and
// tells what the sides were run with. The verdicts come from judge.ts.

import {
  comparisonFormat,
  comparisonVersion,
  type Advisory,
  type Comparison,
  type Judged,
  type Rule,
} from './comparison-result.ts';
import { connectionsDiffer } from './connections-differ.ts';
import { gatesOfSource, type Gate } from './gate.ts';
import type { Pair, Subject } from './counted-runs.ts';
import { gravest, judge, ruleOf } from './judge.ts';
import { planPairs } from './pairs.ts';
import type { Reading } from './reading.ts';
import { withAway } from './away.ts';
import { sameVariants, withNames, type RunSet } from './run-set.ts';
import { differencesOf, type Difference } from './differences.ts';
import { originText, refuseMixed } from './origin.ts';

export type CompareOptions = {
  createdAt: Date;
  rule?: Rule;
  /** What to decide on; by default what the candidate's scenario says. */
  gates?: readonly Gate[];
  /** Labels to compare with each other, if they are not the same on both sides. */
  labels?: readonly (readonly [baseline: string, candidate: string])[];
  /** What is missing of a run that was cut short: then there is no verdict. */
  cut?: string;
  /** Also compares a simulation with a measurement, or with a simulation from another profile. */
  simulatedToo?: boolean;
};

/**
 * Compares two sides, variant by variant.
 * @throws UserError `simulated` where one was simulated and the other not, or not alike
 */
export function compare(
  baseline: RunSet,
  candidate: RunSet,
  {
    createdAt,
    rule = ruleOf(),
    gates = gatesOfSource(candidate.scenario.source),
    labels,
    cut,
    simulatedToo = false,
  }: CompareOptions,
): Comparison {
  if (!simulatedToo) refuseMixed(baseline, candidate);
  const runsOf = (side: RunSet, wanted: string) => side.variants.find(({ label }) => label === wanted)?.runs;
  const wanted = labels ?? sameVariants(baseline, candidate);
  const matched: ReturnType<typeof subjectOf>[] = [];
  const missing: Judged[] = [];
  const held: Comparison['differences'] = [];
  for (const [from, to] of wanted) {
    const [baselineRuns, candidateRuns] = [runsOf(baseline, from), runsOf(candidate, to)];
    if (baselineRuns && candidateRuns) {
      matched.push(subjectOf(from, to, baselineRuns, candidateRuns));
      held.push(...connectionsDiffer(to, baselineRuns, candidateRuns));
    } else missing.push(missingVariant(from, to, baselineRuns ? candidate.name : baseline.name));
  }
  const unmatched = (side: RunSet, own: 'baseline' | 'candidate') =>
    (labels ? [] : side.variants)
      .map(({ label }) => label)
      .filter((label) => !matched.some(({ subject }) => subject[own] === label));
  const differences = differencesOf(baseline, candidate);
  const advisory = advisoriesOf(
    matched.map(({ order }) => order),
    differences,
    baseline.simulated && candidate.simulated ? originText(baseline) : undefined,
    planPairs(gates, matched.length, rule.alpha).pairs,
  );
  const judged = judge(
    matched.map(({ subject }) => subject),
    gates,
    rule,
    {
      advice: advisory.length > 0,
      spoilt: advisory.find(({ code }) => code === 'scenario')?.message,
    },
  );
  const sides = { baseline, candidate };
  const { variants: named, variant } = withNames([...judged.variants, ...missing], sides);
  const variants = withAway(named, sides);
  return {
    format: comparisonFormat,
    version: comparisonVersion,
    createdAt: createdAt.toISOString(),
    scenario: candidate.scenario.name,
    baseline: sideOf(baseline),
    candidate: sideOf(candidate),
    advisory,
    differences: [
      ...differences.map(({ what, baseline: from, candidate: to }) => ({
        what,
        baseline: from,
        candidate: to,
      })),
      ...held,
    ],
    unmatched: { baseline: unmatched(baseline, 'baseline'), candidate: unmatched(candidate, 'candidate') },
    rule,
    ...(variant !== undefined && { variant }),
    variants,
    verdict: cut === undefined ? gravest(variants.map(({ verdict }) => verdict)) : 'not-judged',
    ...(cut !== undefined && { cut }),
  };
}

/** A variant that is to be compared and that one side does not have. */
function missingVariant(baseline: string, candidate: string, side: string): Judged {
  return {
    baseline,
    candidate,
    paired: false,
    given: 0,
    counted: 0,
    dropped: [],
    metrics: [],
    verdict: 'not-judged',
    why: `${side} has no runs of it`,
  };
}

function sideOf({ name, createdAt, pushbench, environment }: RunSet): Comparison['baseline'] {
  return { name, createdAt, pushbench, commit: environment.commit };
}

/** How the runs of the two sides stood to one another in time. */
type Order = 'interleaved' | 'unbalanced' | 'apart' | 'single';

function subjectOf(
  baseline: string,
  candidate: string,
  baselineRuns: readonly Reading[],
  candidateRuns: readonly Reading[],
): { subject: Subject; order: Order } {
  const pairs = pairsInTime(baselineRuns, candidateRuns);
  if (pairs)
    return {
      subject: { baseline, candidate, paired: true, pairs: pairs.pairs },
      order: pairs.balanced ? 'interleaved' : 'unbalanced',
    };
  const single = Math.min(baselineRuns.length, candidateRuns.length) === 1;
  return {
    subject: { baseline, candidate, paired: false, baselineRuns, candidateRuns },
    order: single ? 'single' : 'apart',
  };
}

/**
 * Runs that took turns: every two in a row are one of each side. Balanced when either side
 * went first about as often.
 * @returns `undefined` where they did not, or there is only one of each
 */
export function pairsInTime(
  baseline: readonly Reading[],
  candidate: readonly Reading[],
): { pairs: Pair[]; balanced: boolean } | undefined {
  if (baseline.length !== candidate.length || baseline.length < 2) return undefined;
  const inTime = [
    ...baseline.map((run) => ({ arm: 'baseline', run })),
    ...candidate.map((run) => ({ arm: 'candidate', run })),
  ].sort((a, b) => Date.parse(a.run.startedAt) - Date.parse(b.run.startedAt));
  const pairs: Pair[] = [];
  let baselineFirst = 0;
  for (let i = 0; i < inTime.length; i += 2) {
    const [first, second] = [inTime[i]!, inTime[i + 1]!];
    if (first.arm === second.arm || first.run.startedAt === second.run.startedAt) return undefined;
    if (first.arm === 'baseline') baselineFirst++;
    pairs.push(
      first.arm === 'baseline'
        ? { baseline: first.run, candidate: second.run }
        : { baseline: second.run, candidate: first.run },
    );
  }
  return {
    pairs,
    balanced: Math.min(baselineFirst, pairs.length - baselineFirst) >= Math.floor(pairs.length / 3),
  };
}

/** @param pairs that `ab` would run */
function advisoriesOf(
  orders: readonly Order[],
  differences: readonly Difference[],
  simulated: string | undefined,
  pairs: number,
): Advisory[] {
  const spoilt = (by: Difference['spoils']) =>
    differences
      .filter(({ spoils }) => spoils === by)
      .map(({ what }) => what)
      .join(', ');
  const rows: [Advisory['code'], boolean, string][] = [
    [
      'machine',
      spoilt('machine') !== '',
      `the sides are of different machines (${spoilt('machine')}), so timings prove nothing`,
    ],
    [
      'scenario',
      spoilt('scenario') !== '',
      `the sides ran different scenarios (${spoilt('scenario')}), so they cannot be compared`,
    ],
    [
      'simulated',
      simulated !== undefined,
      `both sides were ${simulated}: differences are those of the models, and nothing was measured`,
    ],
    [
      'single',
      orders.includes('single'),
      `one run on a side is too few for any test of timings; pushbench ab runs both sides alternately, ` +
        `here in ${pairs} pairs`,
    ],
    [
      'not-interleaved',
      orders.includes('apart'),
      'the runs did not alternate, so the timings include whatever changed on the machine between the ' +
        'two sides; pushbench ab alternates them',
    ],
    [
      'unbalanced',
      orders.includes('unbalanced'),
      'one side nearly always ran first, so the timings include the cost of a first run; pushbench ab ' +
        'changes the order pair by pair',
    ],
  ];
  return rows.filter(([, applies]) => applies).map(([code, , message]) => ({ code, message }));
}
