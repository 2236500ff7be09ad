// Counts how often the rule is wrong, on experiments that are made by formula, so that the truth is known. It
// writes down what test/core/comparison/error-rates.test.ts tests.

import type { Gate } from '../../core/comparison/gate.ts';
import type { Pair } from '../../core/comparison/counted-runs.ts';
import { judge, ruleOf } from '../../core/comparison/judge.ts';
import { formatShare } from '../../core/base/units.ts';
import { experiments, paired } from '../../test/core/comparison/readings.ts';
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
)}`,
    };
  },
};
