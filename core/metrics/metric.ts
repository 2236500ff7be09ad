// Defines what a metric is: a figure with a name and a unit, read from one completed trial of a result. All
// metrics are listed in registry.ts.

import { formatBytes, formatNumber, formatShare, formatUs } from '../base/units.ts';
import type { Pattern } from '../pattern/pattern.ts';
import type { Evidence } from '../result/evidence.ts';
import type { Completed } from '../result/result.ts';
import type { ErrorKind } from '../result/simulated.ts';
import type { Sureness } from './sureness.ts';

/**
 * Unit of a metric's value; `us` and `bytes` are scaled for display, `share` is 0 to
 * 1, `count` a plain number.
 */
export type Unit = 'us' | 'bytes' | 'share' | 'count' | 'per-s';

/** Which of two figures is better; `neither` if the figure only describes what happened. */
export type Better = 'lower' | 'higher' | 'neither';

export type Metric = {
  unit: Unit;
  title: string;
  /** What it is, in a sentence for people who see its name for the first time. */
  description: string;
  better: Better;
  /** Whether a pattern has it: with others it is absent, or always the same. All have it when left out. */
  has?(pattern: Pattern): boolean;
  /** If a trial's warnings make one of these void, the metric has no figure. */
  rests: readonly Evidence[];
  /** The metric's value, `undefined` where the trial has none (no samples, no /proc). */
  read(trial: Completed): number | undefined;
  /** Of a percentile: the share of samples that lie below it, how sure it is, and what its samples are. */
  percentile?: { quantile: number; sureness(trial: Completed): Sureness; samples: string };
  /** What it counts among. If there is none of that, a count of 0 says nothing, and there is no figure. */
  among?: { count(trial: Completed): number; none: string };
  /**
   * The end of the scale, in the metric's unit, if the value lies above it: then nothing more is known.
   */
  above?(trial: Completed): number | undefined;
  /** Why a trial's figure says nothing, though it can be read. */
  lost?(trial: Completed): string | undefined;
  /** It covers only deliveries that arrived, so a trial that lost some looks faster than it is. */
  ofWhatCame?: true;
  /** With fewer subscribers the figure is within the noise of a process. */
  leastSubscribers?: number;
  /** The kind of its error when simulated; left out where the kind follows from its evidence. */
  errorKind?: ErrorKind;
  /** Figures that differ by less than this, in the metric's unit, are alike however large their ratio is. */
  alikeWithin?: number;
};

/** A value as people read it: `1.31 ms`, `2 KiB`, `15.3 %`, `12/s`. */
export function formatMetric(value: number, unit: Unit): string {
  return formats[unit](value);
}

const formats: Readonly<Record<Unit, (value: number) => string>> = {
  us: formatUs,
  bytes: formatBytes,
  share: formatShare,
  count: formatNumber,
  'per-s': (rate) => `${formatNumber(rate)}/s`,
};
