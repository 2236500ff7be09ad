// Writes delivery latency for other people's plotters: HdrHistogram's log (format 1.3, an interval line for
// each trial, tagged with its variant) and its percentile distribution, the text that plotFiles.html and
// others read.

import { decodeFromCompressedBase64, type Histogram } from 'hdr-histogram-js';
import { counted } from '../../core/base/counted.ts';
import { formatShare } from '../../core/base/units.ts';
import { shownUpTo } from '../../core/metrics/latency.ts';
import { eventsToShow } from '../../core/result/precision.ts';
import { cutShortText } from '../../core/result/missing.ts';
import { oneLine } from '../../core/base/printable.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { voidedBy } from '../../core/result/voids.ts';
import { resultNames, labelIn, type VariantTrials } from '../summary/variants.ts';

/** Microseconds in a millisecond: both formats show milliseconds, as HdrHistogram's own tools do. */
const usPerMs = 1000;
/** Points for each halving of the distance to 100 %, as HdrHistogram's own tools have it. */
const ticksPerHalving = 5;

/**
 * A log of all trials that went through and whose latencies are not void. Values in the histograms are
 * microseconds, `Interval_Max` is milliseconds, timestamps are seconds since 1970: of an interval, when its
 * trial started; its length is the measured phase's.
 */
export function renderHlog(results: readonly Result[]): string {
  const names = resultNames(results);
  const intervals = results
    .flatMap(({ trials }, i) =>
      trials.flatMap(({ variant, outcome, startedAt }) => {
        if (outcome.status === 'failed' || !standing(outcome)) return [];
        const { endToEnd } = outcome.latency;
        return [
          {
            tag: tagOf(labelIn(names[i]!, variant.label)),
            upTo: shownUpTo(outcome),
            startS: Date.parse(startedAt) / 1000,
            lengthS: outcome.measuredUs / 1e6,
            maxMs: endToEnd.maxUs / usPerMs,
            v2: endToEnd.v2,
          },
        ];
      }),
    )
    .sort((a, b) => a.startS - b.startS); // readers stop at the first interval behind the range asked for
  const fixed = (value: number) => value.toFixed(3);
  return [
    '#[pushbench: delivery latency in microseconds, from the planned publish time to receipt]',
    '#[Histogram log format version 1.3]',
    ...results.flatMap((result) => cutShortText(result) ?? []).map(comment),
    ...leftOut(results).map(comment),
    `#[StartTime: ${fixed(intervals[0]?.startS ?? 0)} (seconds since epoch), ` +
      `${new Date((intervals[0]?.startS ?? 0) * 1000).toISOString()}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
    ...intervals.map(({ tag, upTo }) => comment(`${tag}: ${upToText(upTo)}`)),
    ...intervals.map(
      ({ tag, startS, lengthS, maxMs, v2 }) =>
        `Tag=${tag},${fixed(startS)},${fixed(lengthS)},${fixed(maxMs)},${v2}`,
    ),
    '',
  ].join('\n');
}

/**
 * The percentile distribution of one variant over its trials whose latencies are not void, in milliseconds; a
 * file holds one.
 * @returns `undefined` when nothing was delivered, or no latency stands
 */
export function renderHgrm({ completed, result }: VariantTrials): string | undefined {
  const trials = completed.filter(standing);
  const [first, ...rest] = trials.map(({ latency }) => decoded(latency.endToEnd.v2));
  if (!first) return undefined;
  for (const one of rest) first.add(one);
  if (first.totalCount === 0) return undefined;
  const cut = cutShortText(result);
  return (
    `${first.outputPercentileDistribution(ticksPerHalving, usPerMs)}` +
    `${comment(upToText(Math.min(...trials.map(shownUpTo))))}\n` +
    (cut === undefined ? '' : `${comment(cut)}\n`)
  );
}

/** Plotters draw every percentile; this says from where on they should not be believed. */
function upToText(upTo: number): string {
  const from =
    upTo === 0 ? 'The percentiles' : `Percentiles above ${formatShare(Math.floor(upTo * 1e5) / 1e5)}`;
  return `${from} rest on fewer than ${eventsToShow} events of a trial beyond them`;
}

/** What a reader of the log would otherwise miss. */
function leftOut(results: readonly Result[]): string[] {
  const all = results.flatMap(({ trials }) => trials.map(({ outcome }) => outcome));
  const count = all.filter((one) => one.status === 'completed' && !standing(one)).length;
  return count === 0 ? [] : [`left out: ${counted(count, 'trial')} whose latencies are void`];
}

function standing(trial: Completed): boolean {
  return voidedBy(['latency'], trial).length === 0;
}

/** A line that readers of either format pass over. */
function comment(text: string): string {
  return `#[${text.replace(/\s+/g, ' ')}]`;
}

/** A log's tags end at a comma, and its fields at white space. */
export function tagOf(label: string): string {
  return oneLine(label).replace(/[\s,]+/g, '_');
}

function decoded(v2: string): Histogram {
  return decodeFromCompressedBase64(v2);
}
