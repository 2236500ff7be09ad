// Collects what the charts draw, as rows of plain values: percentiles, time series, receivers of a fan-out.

import { median } from '../../core/base/median.ts';
import { latencyAt, shownUpTo } from '../../core/metrics/latency.ts';
import { figureOver, trialsFor } from '../../core/metrics/registry.ts';
import type { Evidence } from '../../core/result/evidence.ts';
import type { Completed, SeriesColumn } from '../../core/result/result.ts';
import type { VariantTrials } from './variants.ts';

export type TailPoint = {
  variant: string;
  /** 1 / (1 - quantile): 2 is the median, 100 the 99th percentile. */ tail: number;
  ms: number;
  /** The quantile as people write it. */ share: string;
};
/** `run`: which stretch of its line without a gap it belongs to; see {@link withRuns}. */
export type TimePoint = { variant: string; atS: number; value: number; run?: number };
export type Receiver = { variant: string; which: 'first' | 'median' | 'last'; ms: number };

/**
 * Points of one chart, all lines together: what a page can hold, whatever the number of variants
 * and the length of a run.
 */
const pointsPerChart = 600;

/**
 * The latency curve of each variant, up to where fewer than 10 events of a trial lie beyond. Each point is
 * what the table has at that percentile: the median over the trials.
 */
export function tailPoints(variants: readonly Pick<VariantTrials, 'label' | 'completed'>[]): TailPoint[] {
  const density = variants.length > 8 ? 10 : 20; // points per decade
  return variants.flatMap(({ label, completed }) => {
    const trials = trialsFor({ rests: ['latency'] }, completed);
    const upTo = Math.min(...trials.map(shownUpTo));
    if (trials.length === 0 || upTo === 0) return [];
    const end = -Math.log10(1 - upTo);
    const steps = Array.from({ length: Math.floor(end * density) + 1 }, (_, i) => i / density);
    return [...steps, end].flatMap((step) => {
      const tail = 10 ** step;
      const quantile = Math.min(upTo, 1 - 1 / tail);
      const { value } = figureOver(latencyAt('endToEnd', quantile, 'delivery latency'), completed);
      return value === undefined
        ? []
        : [
            {
              variant: label,
              tail: digits(tail, 6),
              ms: value / 1000,
              share: `${digits(100 - 100 / tail, tail < 100 ? 3 : 5)} %`,
            },
          ];
    });
  });
}

export type TimeColumn = {
  column: SeriesColumn;
  rests: readonly Evidence[];
  scale?: number;
  /** What to take off all values of a trial; a trial without it is left out. */
  above?: (trial: Completed) => number | undefined;
  /** Each point is a mean over at least a second: see {@link slotsOfMean}. */
  mean?: boolean;
};

/** One column over time, of each variant's first trial in which it is not void. */
export function timePoints(
  variants: readonly VariantTrials[],
  { column, rests, scale = 1, above = () => 0, mean = false }: TimeColumn,
): TimePoint[] {
  return variants.flatMap(({ label, completed }) => {
    const [trial] = trialsFor({ rests }, completed);
    const base = trial && above(trial);
    if (base === undefined) return [];
    const { startUs, columns, slotUs } = trial!.series; // there is a base of it
    const slots = mean ? slotsOfMean(trial!) : 1;
    return startUs.flatMap((atUs, i) => {
      const values = columns[column]?.slice(i, i + slots) ?? [];
      if (values.length < slots || !values.every((value) => value !== null)) return [];
      const value = values.reduce((sum, one) => sum + one, 0) / slots;
      return [
        {
          variant: label,
          atS: (atUs + ((slots - 1) * slotUs) / 2) / 1e6,
          value: digits((value - base) * scale, 4),
        },
      ];
    });
  });
}

const meanLeastUs = 1e6;
/** Events that are further apart show one by one, and are to be seen so. */
const periodMostUs = 2e6;

/**
 * Over how many slots the mean of a rate is taken: a second's, and those between two events. A slot that
 * holds two events or three, in turns, would show a rate that goes up and down where nothing does.
 */
export function slotsOfMean({ series: { slotUs, startUs }, measuredUs, latency, ledger }: Completed): number {
  const periodUs = measuredUs / Math.max(1, latency.publisherLag?.count ?? ledger.published);
  const overUs = Math.max(meanLeastUs, periodUs <= periodMostUs ? periodUs : 0);
  // At least three points remain.
  return Math.max(1, Math.min(Math.ceil(overUs / slotUs), Math.floor(startUs.length / 3)));
}

/**
 * As many points as a chart holds: of neighbours the highest stays, so that no peak is lost.
 * @returns `group`: of how many points each one is the highest; 1 where all were kept
 */
export function thinned(points: readonly TimePoint[], lines: number): { points: TimePoint[]; group: number } {
  const byVariant = [...Map.groupBy(points, ({ variant }) => variant).values()];
  const longest = Math.max(0, ...byVariant.map((own) => own.length));
  const group = Math.ceil(longest / Math.max(12, Math.floor(pointsPerChart / Math.max(1, lines))));
  if (group <= 1) return { points: [...points], group: 1 };
  const stretches = byVariant.flatMap((own) => [...Map.groupBy(own, ({ run }) => run).values()]);
  const kept = stretches.flatMap((own) =>
    Array.from({ length: Math.ceil(own.length / group) }, (_, i) =>
      own.slice(i * group, (i + 1) * group).reduce((a, b) => (b.value > a.value ? b : a)),
    ),
  );
  return { points: kept, group };
}

/** A line goes on over so many times its usual step, and over this much more than one. */
const longestStep = 1.5;
const longestBreakS = 0.9;

/**
 * Numbers the stretches of each line: where more than a step, and most of a second, went by without a sample,
 * the next point begins another one, and no line is drawn between them.
 * @param points line by line, in the order of time
 */
export function withRuns(points: readonly TimePoint[]): TimePoint[] {
  return [...Map.groupBy(points, ({ variant }) => variant).values()].flatMap((own) => {
    const steps = own.slice(1).map(({ atS }, i) => atS - own[i]!.atS);
    const usual = steps.length > 0 ? median(steps) : 0;
    const most = Math.max(usual * longestStep, usual + longestBreakS);
    let run = 0;
    return own.map((point, i) => ({ ...point, run: i > 0 && steps[i - 1]! > most ? ++run : run }));
  });
}

/** The median event's first, median and last receiver, of variants with events that several received. */
export function receivers(variants: readonly VariantTrials[]): Receiver[] {
  return variants.flatMap(({ label, completed }) =>
    (['first', 'median', 'last'] as const).flatMap((which) => {
      const { value } = figureOver(`${which}-receiver.p50`, completed);
      return value === undefined ? [] : [{ variant: label, which, ms: value / 1000 }];
    }),
  );
}

/** How many events' receivers a variant's figures are of. */
export function receivedEvents(variants: readonly VariantTrials[]): number {
  return Math.max(
    0,
    ...variants.flatMap(({ completed }) =>
      trialsFor({ rests: ['latency'] }, completed).map(({ latency }) => latency.lastReceiver.count),
    ),
  );
}

function digits(value: number, significant: number): number {
  return Number(value.toPrecision(significant));
}
