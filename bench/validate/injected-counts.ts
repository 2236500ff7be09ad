// Injects known changes of counts into live runs: descriptors, losses and duplicates. Each must show in the
// metric that counts it, in its own unit, and fail the comparison whatever the noise.

import type { Comparison } from '../../core/comparison/comparison-result.ts';
import { parseInjection } from '../../core/scenario/injection.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { formatNumber } from '../../core/base/units.ts';
import { processes } from '../../harness/trial/fleet.ts';
import { table, type Part } from './part.ts';
import { compared, deliveriesEach, metricIn, trialText, verdictText, type Arms } from './trials.ts';

/** Of the deliveries. */
const share = 0.01;
/** Lost and doubled deliveries are drawn: four standard deviations of the number in one run. */
const drawn = 4 * Math.sqrt(deliveriesEach * share * (1 - share));

const settings = [
  { setting: 'descriptors=1/connection', metric: 'descriptors-per-subscriber', expected: 1, tolerance: 0 },
  { setting: 'loss=1%', metric: 'missed', expected: share * deliveriesEach, tolerance: drawn },
  { setting: 'duplicates=1%', metric: 'duplicated', expected: share * deliveriesEach, tolerance: drawn },
] as const;

export const injectedCounts: Part = {
  title: 'Injected descriptors, losses and duplicates, live',
  async run(quick) {
    const rows: string[][] = [];
    let [runs, right, alone] = [0, 0, 0];
    for (const [i, { setting, metric, expected, tolerance }] of settings.entries()) {
      const arms = await compared({
        pairs: quick ? 2 : 4,
        seed: 100 + i,
        candidate: { ...processes, injection: parseInjection(setting) },
      });
      const [from, to] = [figures(arms, 'baseline', metric), figures(arms, 'candidate', metric)];
      const fitting = to.filter(
        (value, pair) => Math.abs(value - (from[pair] ?? Number.NaN) - expected) <= tolerance + 1e-9,
      ).length;
      const worse = worseNames(arms.comparison);
      runs += to.length;
      right += fitting;
      if (
        arms.comparison.verdict === 'slower' &&
        worse.length === 1 &&
        metricIn(arms.comparison, metric)?.verdict === 'slower'
      )
        alone++;
      rows.push([
        `\`${setting}\``,
        metric,
        from.map(formatNumber).join(', '),
        to.map(formatNumber).join(', '),
        `${formatNumber(expected)} ± ${formatNumber(Math.round(tolerance))}`,
        `${fitting} of ${to.length}`,
        worse.join(', ') || 'none',
        verdictText(arms.comparison),
      ]);
    }
    return {
      claims: [
        {
          text: `in ${right} of ${runs} runs the metric moved by what was injected`,
          held: right === runs && runs > 0,
        },
        {
          text: `${alone} of ${settings.length} comparisons are called slower by that metric and by no other`,
          held: alone === settings.length,
        },
      ],
      markdown:
        `The reference SSE server against itself with \`--inject\`: ${trialText()}.\n\n` +
        `${table(
          [
            'injected',
            'metric',
            'as it is, run by run',
            'changed',
            'injected amount',
            'right',
            'called slower',
            'verdict',
          ],
          rows,
        )}`,
    };
  },
};

function figures(arms: Arms, side: 'baseline' | 'candidate', metric: string): number[] {
  return arms[side].trials.flatMap(({ outcome }) =>
    outcome.status === 'completed' ? (metrics[metric]!.read(outcome) ?? []) : [],
  );
}

function worseNames({ variants }: Comparison): string[] {
  return variants.flatMap(({ metrics: judged }) =>
    judged.filter(({ verdict }) => verdict === 'slower').map(({ metric }) => metric),
  );
}
