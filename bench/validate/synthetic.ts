// Counts how often the rule is wrong, on experiments that are made by formula, so that the truth is known. It
// writes down what test/core/comparison/error-rates.test.ts tests.

import type { Gate } from '../../core/comparison/gate.ts';
import type { Pair } from '../../core/comparison/counted-runs.ts';
import { judge, ruleOf } from '../../core/comparison/judge.ts';
import { median } from '../../core/base/median.ts';
import { formatShare } from '../../core/base/units.ts';
import { planPairs } from '../../core/comparison/pairs.ts';
import {
  comparisons,
  experiments,
  paired,
  ratioGates,
  type Experiment,
} from '../../test/core/comparison/readings.ts';
import { table, type Part } from './part.ts';

const gate: Gate[] = [{ kind: 'ratio', metric: 'latency.p50', minimumEffect: 0.05, gating: true }];

function rates(all: readonly Pair[][]): { rejected: number; slower: number; notSlower: number } {
  const count = { rejected: 0, slower: 0, notSlower: 0 };
  for (const pairs of all) {
    const {
      verdict,
      metrics: [metric],
    } = judge([paired(pairs)], gate, ruleOf()).variants[0]!;
    if (metric?.kind === 'ratio' && metric.p < 0.05) count.rejected++;
    if (verdict === 'slower') count.slower++;
    if (verdict === 'not-slower') count.notSlower++;
  }
  return {
    rejected: count.rejected / all.length,
    slower: count.slower / all.length,
    notSlower: count.notSlower / all.length,
  };
}

const fivePercent = { noise: 0.05, drift: 0, tails: 'normal' } as const;

type Whole = { label: string; variants: number; pairs: number } & Record<
  'same' | 'spiked' | 'notSlower' | 'notSlowerNormal' | 'caught',
  number
>;

/** Whole comparisons, of all metrics that gate by default, at the pairs that `ab` proposes and at 12. */
function wholes(count: number): Whole[] {
  return [
    { variants: 1, pairs: 12 },
    ...[1, 2, 6].map((variants) => ({ variants, pairs: planPairs(ratioGates, variants, 0.05).pairs })),
  ].map(({ variants, pairs }, i) => {
    const made = (seed: number, more: (variant: number) => Partial<Experiment> = () => ({})) =>
      comparisons(count, 20 + 10 * i + seed, variants, (variant) => ({ pairs, ...more(variant) })).map(
        (subjects) => judge(subjects, ratioGates),
      );
    const share = (all: ReturnType<typeof made>, verdict: string) =>
      all.filter((one) => one.verdict === verdict).length / count;
    const same = made(1);
    const slower = made(4, (variant) => ({ effect: variant === 0 ? 1.1 : 1 }));
    return {
      label: `${variants} variant${variants === 1 ? '' : 's'}`,
      variants,
      pairs,
      same: share(same, 'slower'),
      spiked: share(
        made(2, () => ({ spikes: 0.1 })),
        'slower',
      ),
      notSlower: share(same, 'not-slower'),
      notSlowerNormal: share(
        made(3, () => fivePercent),
        'not-slower',
      ),
      caught: slower.filter(({ variants: [first] }) => first!.verdict === 'slower').length / count,
    };
  });
}

/** A baseline run that stalled, of a candidate that is half as slow again. */
function stalls(count: number): { pairs: number; stalled: number; caught: number; needed: number | null }[] {
  return [
    [12, 1],
    [planPairs(ratioGates, 1, 0.05).pairs, 1],
    [24, 2],
  ].map(([pairs = 0, stalled = 0], i) => {
    const judged = comparisons(count, 60 + i, 1, () => ({ pairs, effect: 1.5, stalled })).map(
      (subjects) => judge(subjects, ratioGates).variants[0]!,
    );
    const needed = judged.flatMap(({ metrics }) =>
      metrics.flatMap((metric) => (metric.kind === 'ratio' && metric.runsNeeded) || []),
    );
    return {
      pairs,
      stalled,
      caught: judged.filter(({ verdict }) => verdict === 'slower').length / count,
      needed: needed.length === 0 ? null : median(needed),
    };
  });
}

export const synthetic: Part = {
  title: 'Error rates of the rule, on experiments made by formula',
  async run(quick) {
    const count = quick ? 500 : 2000;
    const same = [8, 10, 12, 20].map((pairs) => ({ pairs, ...rates(experiments(count, 11, { pairs })) }));
    const effects = [1.05, 1.075, 1.1, 1.15].map((effect) => ({
      effect,
      caught: [10, 12, 20].map((pairs) => rates(experiments(count, 12, { pairs, effect })).slower),
    }));
    const blocked = rates(experiments(count, 13, { pairs: 10, order: 'blocked' }));
    const ten = same.find(({ pairs }) => pairs === 10)!;
    const whole = wholes(count / 5);
    const stalled = stalls(count / 5);
    const six = whole.at(-1)!;
    const caught = effects.find(({ effect }) => effect === 1.1)!.caught[0]!;
    return {
      claims: [
        {
          text:
            `a thing compared with itself at 10 pairs raises an alarm in ${formatShare(ten.slower)} of ` +
            `${count} experiments (at most 1 %)`,
          held: ten.slower <= 0.01,
        },
        {
          text: `a change of 10 % is caught at 10 pairs in ${formatShare(caught)} (at least 88 %)`,
          held: caught >= 0.88,
        },
        {
          text:
            `trials that do not take turns would raise ${formatShare(blocked.slower)} false alarms; the ` +
            'interleaving is what keeps them away',
          held: blocked.slower > 0.05,
        },
        {
          text:
            `six variants at the ${six.pairs} pairs that ab proposes raise an alarm in ` +
            `${formatShare(six.same)} of ${count / 5} comparisons (at most 1 %), and are all shown to be not ` +
            `slower in ${formatShare(six.notSlower)} (at least 50 %)`,
          held: six.same <= 0.01 && six.notSlower >= 0.5 && six.notSlowerNormal >= 0.5,
        },
        {
          text:
            `a single variant at 12 pairs is shown to be not slower in ${formatShare(whole[0]!.notSlower)} ` +
            '(at least 50 %)',
          held: whole[0]!.notSlower >= 0.5,
        },
        {
          text:
            `with one stalled run, +50 % is caught at the ${stalled[1]!.pairs} pairs that ab proposes in ` +
            `${formatShare(stalled[1]!.caught)} (at least 99 %); at 12 pairs it is undecided, and ` +
            `${stalled[0]!.needed ?? 'no'} pairs are asked for (20 to 30)`,
          held:
            stalled[1]!.caught >= 0.99 && (stalled[0]!.needed ?? 0) >= 20 && (stalled[0]!.needed ?? 0) <= 30,
        },
      ],
      markdown: `Noise of about 5 % a run with heavy tails (0.03 times Student's t with 3 degrees \
of freedom, on the logarithm), drift of 2 % from run to run, a minimum \
effect of 5 %; ${count} experiments a cell, seeded.

${table(
  ['pairs', 'the same: p < 0.05 alone', 'the same: called slower', 'the same: called not slower'],
  same.map(({ pairs, rejected, slower, notSlower }) => [
    String(pairs),
    formatShare(rejected),
    formatShare(slower),
    formatShare(notSlower),
  ]),
)}

${table(
  ['true change', 'caught at 10 pairs', 'at 12', 'at 20'],
  effects.map(({ effect, caught: at }) => [
    `+${formatShare(Number((effect - 1).toPrecision(3)))}`,
    ...at.map(formatShare),
  ]),
)}

Whole comparisons, of the four metrics that gate by default, independent of each other, ${count / 5} a cell; \
"spiked" has a tenth of the runs take two to five times as long, "normal" has noise of exactly 5 % without \
heavy tails or drift, which is wider in its middle:

${table(
  [
    'the same',
    'pairs',
    'called slower',
    'called slower, spiked',
    'all not slower',
    'all not slower, normal',
    '+10 % in one variant caught',
  ],
  whole.map(({ label, pairs, same: alarms, spiked, notSlower, notSlowerNormal, caught: found }) => [
    label,
    String(pairs),
    ...[alarms, spiked, notSlower, notSlowerNormal, found].map(formatShare),
  ]),
)}

A candidate 50 % slower, where baseline runs stalled (ten times as long):

${table(
  ['pairs', 'stalled runs', 'caught', 'pairs asked for where undecided'],
  stalled.map(({ pairs, stalled: runs, caught: found, needed }) => [
    String(pairs),
    String(runs),
    formatShare(found),
    needed === null ? 'none' : String(needed),
  ]),
)}`,
    };
  },
};
