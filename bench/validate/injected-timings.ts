// Injects known changes of timings into live runs, at about twice the minimum effect, for which detection is
// promised. A delay of each delivery must move the median latency, work for each delivery the server's CPU.

import { readingOf, type Reading } from '../../core/comparison/reading.ts';
import { parseInjection, writeInjection, type Injection } from '../../core/scenario/injection.ts';
import { defaultGates } from '../../core/comparison/gate.ts';
import type { Pair } from '../../core/comparison/counted-runs.ts';
import { judge } from '../../core/comparison/judge.ts';
import { random } from '../../core/base/random.ts';
import { median } from '../../core/base/median.ts';
import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { processes } from '../../harness/trial/fleet.ts';
import { changeText } from '../../reports/comparison/words.ts';
import { table, type Part } from './part.ts';
import {
  compared,
  cut,
  metricIn,
  ratioText,
  trialSize,
  trialText,
  verdictText,
  type Arms,
} from './trials.ts';

/** Pairs of a comparison, and of one of something that differs more from run to run. */
const pairsOfOne = { plain: 12, noisy: 24 } as const;
/** Comparisons drawn from the pairs of a series. */
const draws = 1000;
const wanted = 0.9;
/** What a fresh process compiles is in its CPU, and less of it in longer trials. */
const cpuMeasureS = 3;

type Known = {
  /** A series is so many whole comparisons, one after the other, of so many pairs. */
  comparisons: number;
  pairsEach: number;
  metric: 'latency.p50' | 'server-cpu-per-delivery';
  baseline: Injection | undefined;
  candidate: Injection;
  /** What the metric must move by, and what that may be off by. */
  byUs: number;
  toleranceUs: number;
  why: string;
  measureS?: number;
};

/**
 * Both arms are delayed, so that 4 ms more are a tenth of the median and far above what timers are off by.
 */
export const injectedDelay: Part = {
  title: 'An injected delay of about twice the minimum effect, live',
  run: (quick) =>
    series(400, quick, {
      comparisons: 4,
      pairsEach: pairsOfOne.plain,
      metric: 'latency.p50',
      baseline: parseInjection('delay=36ms'),
      candidate: parseInjection('delay=40ms'),
      byUs: 4000,
      toleranceUs: 1000,
      why: 'timers fire up to 1 ms late',
    }),
};

/**
 * The work is a tenth of what the server uses by itself on this machine, which is measured first. CPU differs
 * more from run to run than a delay of milliseconds, however long the runs are, so that it takes twice
 * the pairs.
 */
export const injectedCpu: Part = {
  title: 'Injected work of about twice the minimum effect, live',
  async run(quick) {
    const probe = await compared({ pairs: 2, seed: 500, measureS: cpuMeasureS, candidate: processes });
    const ownUs = median(valuesOf(probe, 'server-cpu-per-delivery'));
    const byUs = Math.ceil(ownUs) / 10;
    return series(501, quick, {
      comparisons: 3,
      pairsEach: pairsOfOne.noisy,
      metric: 'server-cpu-per-delivery',
      baseline: undefined,
      candidate: { cpuUsPerMessage: byUs },
      byUs,
      toleranceUs: byUs / 2,
      why: 'the clock is read twice for each, and a busier server works in other batches',
      measureS: cpuMeasureS,
    });
  },
};

async function series(
  seed: number,
  quick: boolean,
  {
    comparisons,
    pairsEach,
    metric,
    baseline,
    candidate,
    byUs,
    toleranceUs,
    why,
    measureS = trialSize.measureS,
  }: Known,
) {
  const arms = await compared({
    pairs: quick ? 10 : comparisons * pairsEach,
    seed,
    measureS,
    baseline: { ...processes, ...(baseline && { injection: baseline }) },
    candidate: { ...processes, injection: candidate },
  });
  const parts = quick ? [arms.comparison] : cut(arms, pairsEach);
  const rows = parts.map((comparison, i) => {
    const figures = metricIn(comparison, metric);
    const ratio = figures?.kind === 'ratio' ? figures : undefined;
    // As the pairs have it, of which each is of one moment.
    const moved = ratio && (ratio.ratio - 1) * ratio.baseline;
    const others = comparison.variants[0]!.metrics.filter(
      (one) => one.verdict === 'slower' && one.metric !== metric,
    ).map((one) => one.metric);
    return {
      moved,
      caught: figures?.verdict === 'slower',
      cells: [
        String(i + 1),
        ...[ratio?.baseline, ratio?.candidate, moved].map((us) => (us === undefined ? '—' : formatUs(us))),
        ratioText(figures),
        others.join(', ') || 'none',
        verdictText(comparison),
      ],
    };
  });
  const caught = rows.filter((row) => row.caught).length;
  const right = rows.filter(({ moved = Number.NaN }) => Math.abs(moved - byUs) <= toleranceUs).length;
  const each = Math.min(pairsEach, arms.baseline.trials.length);
  const gate = defaultGates.find((one) => one.metric === metric);
  if (gate?.kind !== 'ratio') throw new Error(`${metric} has no minimum effect`);
  const twice = 1 + 2 * gate.minimumEffect;
  const power = drawnPower(arms, metric, each, twice);
  const plainly =
    each > pairsOfOne.plain
      ? ` Of ${formatNumber(draws)} comparisons of ${pairsOfOne.plain} pairs drawn in the same way, ` +
        `${formatShare(drawnPower(arms, metric, pairsOfOne.plain, twice))} are called slower.`
      : '';
  const what =
    (baseline ? `\`--inject ${writeInjection(baseline)}\` against ` : '') +
    `\`--inject ${writeInjection(candidate)}\``;
  return {
    claims: [
      {
        text:
          `${caught} of ${parts.length} comparisons of ${each} pairs are called slower by ${metric}; of ` +
          `${formatNumber(draws)} drawn from their pairs, with the change scaled to ${changeText(twice)}, ` +
          `${formatShare(power)} (at least ${formatShare(wanted)} is wanted)`,
        held: power >= wanted && caught >= wanted * parts.length,
      },
      {
        text:
          `in ${right} of ${parts.length} the metric moved by the ${formatUs(byUs)} that were injected, ` +
          `give or take ${formatUs(toleranceUs)} (${why})`,
        held: right === parts.length,
      },
    ],
    markdown:
      `The reference SSE server, ${what}: ${trialText(measureS)}. One series of ` +
      `${arms.baseline.trials.length} pairs, cut into comparisons of ${each}.${plainly}\n\n` +
      `${table(
        ['comparison', 'baseline', 'candidate', 'moved by', 'ratio', 'what else is called slower', 'verdict'],
        rows.map(({ cells }) => cells),
      )}`,
  };
}

/**
 * Share of comparisons of `size` pairs, drawn without replacement from a series, that call the metric
 * slower. What is injected is never just what was meant, so the candidate's figures are scaled until the
 * whole series moved by `ratio`.
 */
function drawnPower(
  { baseline, candidate, comparison }: Arms,
  metric: string,
  size: number,
  ratio: number,
): number {
  const names = defaultGates.map((gate) => gate.metric);
  const measured = metricIn(comparison, metric);
  if (measured?.kind !== 'ratio') return 0;
  const scaled = (reading: Reading): Reading => {
    const value = reading.values[metric];
    return value === undefined
      ? reading
      : { ...reading, values: { ...reading.values, [metric]: (value * ratio) / measured.ratio } };
  };
  const pairs = baseline.trials.map((trial, i): Pair => ({
    baseline: readingOf(trial, names),
    candidate: scaled(readingOf(candidate.trials[i]!, names)),
  })); // both or none are kept
  const next = random(9, 'drawn comparisons');
  let caught = 0;
  for (let i = 0; i < draws; i++) {
    const drawn = pairs
      .map((pair) => ({ pair, key: next() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, size)
      .map(({ pair }) => pair);
    const {
      variants: [variant],
    } = judge([{ baseline: 'as it is', candidate: 'changed', paired: true, pairs: drawn }], defaultGates);
    if (variant!.metrics.some((one) => one.metric === metric && one.verdict === 'slower')) caught++;
  }
  return caught / draws;
}

function valuesOf({ baseline, candidate }: Arms, metric: string): number[] {
  return [...baseline.trials, ...candidate.trials].flatMap(
    (trial) => readingOf(trial, [metric]).values[metric] ?? [],
  );
}
