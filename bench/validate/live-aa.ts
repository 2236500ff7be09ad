// Compares a thing with itself, live, as `ab` does: that should raise no alarm. It also swaps the labels of
// the pairs at random, which bounds the rate of alarms far better on the noise of this machine.

import { defaultGates } from '../../core/comparison/gate.ts';
import type { Pair } from '../../core/comparison/counted-runs.ts';
import { judge } from '../../core/comparison/judge.ts';
import { random } from '../../core/base/random.ts';
import { countsAtAll, readingOf } from '../../core/comparison/reading.ts';
import { binomialInterval } from '../../core/comparison/statistics/binomial.ts';
import { swapLabels } from '../../core/comparison/statistics/label-swap.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';
import { processes } from '../../harness/trial/fleet.ts';
import { table, type Part } from './part.ts';
import { compared, metricIn, ratioText, trialText, verdictText, type Arms } from './trials.ts';

const held = ['sse', 'websocket', 'http-stream'] as const;
const comparisons = 12;
/** The fewest that `ab` runs. */
const pairs = 10;
/** Drawn for each comparison. */
const swaps = 500;
const mostAlarms = 0.05;

export const liveAa: Part = {
  title: 'A server against itself, live, and its labels swapped',
  async run(quick) {
    const stored: { pattern: string; arms: Arms }[] = [];
    for (let i = 0; i < (quick ? 1 : comparisons); i++) {
      const pattern = held[i % held.length]!;
      stored.push({ pattern, arms: await compared({ pairs, seed: 200 + i, pattern, candidate: processes }) });
    }
    const alarms = stored.filter(({ arms: { comparison } }) => comparison.verdict === 'slower').length;
    const without = stored.filter(({ arms: { comparison } }) => comparison.verdict === 'not-judged').length;
    const [low, high] = binomialInterval(alarms, stored.length);
    const swapped = labelSwaps(stored.map(({ arms }) => arms));
    return {
      claims: [
        {
          text:
            `${alarms} of ${stored.length} comparisons of a server with itself raised an alarm (exact 95 % ` +
            `interval of the rate: ${formatShare(low)} to ${formatShare(high)}; at most 5 % is wanted)`,
          held: alarms <= mostAlarms * stored.length,
        },
        { text: `${stored.length - without} of ${stored.length} were judged`, held: without === 0 },
        {
          text:
            `with the labels of their pairs swapped at random, ${formatNumber(swapped.total)} times, the ` +
            `full rule called ${formatShare(swapped.alarms / swapped.total)} slower (at most 5 % is wanted)`,
          held: swapped.total > 0 && swapped.alarms <= mostAlarms * swapped.total,
        },
        {
          text:
            `and the test alone rejected ${formatShare(swapped.rejected / swapped.total)} for latency.p50 ` +
            '(its size at 10 pairs is 4.9 %)',
          held: swapped.total > 0 && swapped.rejected <= 0.06 * swapped.total,
        },
      ],
      markdown:
        `Trials of ${trialText()}; ${pairs} pairs a comparison.\n\n${table(
          ['comparison', 'verdict', 'p50 ratio', 'p90 ratio', 'p99 ratio', 'server CPU ratio'],
          stored.map(({ pattern, arms: { comparison } }, i) => [
            `${i + 1}, ${pattern}`,
            verdictText(comparison),
            ...['latency.p50', 'latency.p90', 'latency.p99', 'server-cpu-per-delivery'].map((name) =>
              ratioText(metricIn(comparison, name)),
            ),
          ]),
        )}\n\n` +
        'A dozen comparisons bound the rate of false alarms only loosely. The experiments made by formula ' +
        'bound it tightly for the noise that they assume, the swaps for the noise of this machine.',
    };
  },
};

/**
 * The pairs as they were measured, each with its labels swapped or not: by
 * construction there is no difference.
 */
function labelSwaps(stored: readonly Arms[]): { total: number; rejected: number; alarms: number } {
  const next = random(7, 'label swaps');
  const names = defaultGates.map(({ metric }) => metric);
  let [total, rejected, alarms] = [0, 0, 0];
  for (const { baseline, candidate, comparison } of stored) {
    const counted = baseline.trials.flatMap((trial, i): Pair[] => {
      const other = candidate.trials[i]!; // both or none are kept
      const pair = { baseline: readingOf(trial, names), candidate: readingOf(other, names) };
      return countsAtAll(pair.baseline) && countsAtAll(pair.candidate) ? [pair] : [];
    });
    const measured = metricIn(comparison, 'latency.p50');
    if (counted.length < 6 || measured?.kind !== 'ratio') continue; // fewer cannot reach 0.05
    rejected += swapLabels(measured.ratios.map(Math.log), { swaps, seed: 7 }).below5 * swaps;
    for (let i = 0; i < swaps; i++) {
      const swapped = counted.map((pair) =>
        next() < 0.5 ? pair : { baseline: pair.candidate, candidate: pair.baseline },
      );
      if (
        judge([{ baseline: 'a', candidate: 'b', paired: true, pairs: swapped }], defaultGates).verdict ===
        'slower'
      )
        alarms++;
      total++;
    }
  }
  return { total, rejected, alarms };
}
