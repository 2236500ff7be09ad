// Counts how often the interval of a percentile holds the truth, on short runs whose events are drawn from
// long ones. It writes down what test/core/result/precision.test.ts tests.

import { formatShare } from '../../core/base/units.ts';
import { coverageOf, longRuns, type Coverage } from '../../test/core/result/resampled.ts';
import { table, type Part } from './part.ts';

const cases = [
  { quantile: 0.5, events: 50 },
  { quantile: 0.9, events: 200 },
  { quantile: 0.99, events: 1200 },
];

export const percentiles: Part = {
  title: 'Intervals of percentiles, with events as the samples',
  run(quick) {
    const draws = quick ? 100 : 400;
    const rows = longRuns(5).flatMap((run) =>
      cases.map((one) => ({ name: run.name, ...one, ...coverageOf(run, { ...one, draws, seed: 6 }) })),
    );
    const known = rows.filter(({ shown }) => shown >= draws / 4);
    const total = (key: keyof Coverage) => known.reduce((sum, row) => sum + row[key], 0);
    const covered = total('covered') / total('shown');
    const percent = (part: number, of: number) =>
      of === 0 ? '—' : formatShare(Number((part / of).toFixed(3)));
    return Promise.resolve({
      claims: [
        {
          text:
            '95 % intervals hold the percentile of the long run in ' +
            `${percent(total('covered'), total('shown'))} of ${total('shown')} short runs (92 to 97 %)`,
          held: covered >= 0.92 && covered <= 0.97,
        },
        {
          text:
            'with deliveries as the samples they would in ' +
            percent(total('coveredByDeliveries'), total('shown')),
          held: total('coveredByDeliveries') / total('shown') < 0.8,
        },
      ],
      markdown: `Long runs of 20,000 events are made by formula, so that their percentiles are known; \
short runs draw their events from them. ${draws} short runs a row, seeded. A percentile is shown where at \
least 10 distinct events lie beyond it and its interval has an upper end; only those are counted.

${table(
  [
    'events of the long run',
    'percentile',
    'events drawn',
    'shown',
    'holds the truth',
    'the same, by deliveries',
  ],
  rows.map(({ name, quantile, events, shown, covered: held, coveredByDeliveries }) => [
    name,
    formatShare(quantile),
    String(events),
    percent(shown, draws),
    percent(held, shown),
    percent(coveredByDeliveries, shown),
  ]),
)}`,
    });
  },
};
