// Compares two sides: decides which variants and runs belong together and whether timings prove anything, and
// tells what the sides were run with. The verdicts come from judge.ts.

import { isDeepStrictEqual } from 'node:util';
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
import { coresText, memoryText } from '../result/machine-text.ts';
import { formatNumber } from '../base/units.ts';
import { plainValue, readYaml } from '../base/yaml-document.ts';

export type CompareOptions = {
  createdAt: Date;
  rule?: Rule;
  /** What to decide on; by default what the candidate's scenario says. */
  gates?: readonly Gate[];
  /** Labels to hold against each other, where they are not the same on both sides. */
  labels?: readonly (readonly [baseline: string, candidate: string])[];
  /** What is missing of a run that was cut short: then there is no verdict. */
  cut?: string;
};

/** Compares two sides, variant by variant. */
export function compare(
  baseline: RunSet,
  candidate: RunSet,
  {
    createdAt,
    rule = ruleOf(),
    gates = gatesOfSource(candidate.scenario.source),
    labels,
    cut,
  }: CompareOptions,
): Comparison {
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
  const variants = withAway(withNames([...judged.variants, ...missing], { baseline, candidate }), {
    baseline,
    candidate,
  });
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

export type Difference = Comparison['differences'][number] & {
  /** Why timings cannot be held against each other; nothing where the difference may be what is compared. */
  spoils: 'machine' | 'scenario' | undefined;
};

/** What something was run with. */
export type Conditions = Pick<RunSet, 'pushbench' | 'environment'> & {
  scenario: Pick<RunSet['scenario'], 'seed' | 'source'>;
};

/** In what two things were run with different machines, scenarios or versions. */
export function differencesOf(baseline: Conditions, candidate: Conditions): Difference[] {
  const [a, b] = [baseline.environment, candidate.environment];
  const rows: [what: string, from: string, to: string, spoils: Difference['spoils']][] = [
    ['cpu', a.cpu, b.cpu, 'machine'],
    ['cores', coresText(a), coresText(b), 'machine'],
    ['memory', memoryText(a), memoryText(b), 'machine'],
    ['os', a.os, b.os, 'machine'],
    ['kernel', a.kernel, b.kernel, 'machine'],
    ['node', a.node, b.node, 'machine'],
    ['descriptor limit', limitText(a.descriptorLimit), limitText(b.descriptorLimit), undefined],
    ['pushbench', baseline.pushbench, candidate.pushbench, undefined],
    ['commit', a.commit ?? 'none', b.commit ?? 'none', undefined],
    ['seed', String(baseline.scenario.seed), String(candidate.scenario.seed), 'scenario'],
    ...scenarioDifferences(baseline.scenario.source, candidate.scenario.source),
  ];
  return rows
    .filter(([, from, to]) => from !== to)
    .map(([what, from, to, spoils]) => ({ what, baseline: from, candidate: to, spoils }));
}

/**
 * Parts of a scenario that change nothing of what a single trial is: what is shown of it (the answer, the
 * curves and their axis), what is asked of it, how many there are of it, and what runs after the trials. The
 * seed is held against the other by itself.
 */
const beside = new Set([
  'question',
  'notice',
  'answer',
  'curves',
  'axis',
  'expect',
  'gate',
  'repeat',
  'variants',
  'seed',
  'closedLoop',
]);

function scenarioDifferences(from: string, to: string): [string, string, string, 'scenario'][] {
  if (from === to) return [];
  const [a, b] = [partsOf(from), partsOf(to)];
  if (!a || !b) return [['scenario', 'its text', 'another text', 'scenario']];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((key) => !beside.has(key) && !isDeepStrictEqual(a[key], b[key]))
    .map((key) => [`scenario ${key}`, shown(a[key]), shown(b[key]), 'scenario']);
}

function partsOf(source: string): Record<string, unknown> | undefined {
  const yaml = readYaml(source);
  const plain = yaml.broken ? undefined : plainValue(yaml);
  return plain && 'value' in plain && typeof plain.value === 'object' && plain.value !== null
    ? { ...plain.value }
    : undefined;
}

function shown(value: unknown): string {
  const text = value === undefined ? 'left out' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function limitText(limit: number | null): string {
  return limit === null ? 'unknown' : formatNumber(limit);
}

/** @param pairs that `ab` would run */
function advisoriesOf(
  orders: readonly Order[],
  differences: readonly Difference[],
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
      `the sides were measured on different machines (${spoilt('machine')}), so timings prove nothing`,
    ],
    [
      'scenario',
      spoilt('scenario') !== '',
      `the sides ran different scenarios (${spoilt('scenario')}), so nothing of them compares`,
    ],
    [
      'single',
      orders.includes('single'),
      'a side with one run is too few for any test of timings; pushbench ab runs both sides in turns, here ' +
        `in ${pairs} pairs`,
    ],
    [
      'not-interleaved',
      orders.includes('apart'),
      'the runs did not take turns, so whatever changed on the machine between the two sides is in the ' +
        'timings; pushbench ab runs both in turns',
    ],
    [
      'unbalanced',
      orders.includes('unbalanced'),
      'one side nearly always ran first, so what a first run costs is in the timings; pushbench ab ' +
        'changes the order pair by pair',
    ],
  ];
  return rows.filter(([, applies]) => applies).map(([code, , message]) => ({ code, message }));
}
