// Fills the table that terminal, page and Markdown share: patterns by what the reader asked. No single score.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics, trialsFor } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { connectionNotes } from './connection-notes.ts';
import { noFigureText, rangeText } from './figure-text.ts';
import { isOfWhatCame, whatCameText } from './losses.ts';
import { ofOneVariant, variantNames } from './names.ts';
import { isEverSaturated } from './saturated.ts';
import { offMeaning, withOff } from './simulated.ts';
import { clockNotes } from './schedules.ts';
import { variantsOf, type VariantTrials } from './variants.ts';

export type Cell = {
  text: string;
  /** Median over the trials in which it is not void. */
  value: number | undefined;
  /** Lowest to highest of these trials, where there are several. */
  range?: string;
  /** Of a single trial's percentile, its 95 % interval within that trial. */
  within?: string;
  /** How many trials it is of, where others failed or it is void in them: `7 of 12 trials`. */
  of?: string | undefined;
  /** Why there is no figure. */
  reason?: string;
  /** There was a figure, and its evidence is void. */
  void?: true;
};
export type Column = { key: string; title: string; note: string };
export type Row = {
  label: string;
  pattern: string;
  /** Where nothing of it stands: why, in a word. */
  out: 'failed' | 'does not count' | undefined;
  /** How many trials all figures of it are of, where that is not all trials. */
  of?: string | undefined;
  /** Its latencies are of the deliveries that arrived: it lost others. */
  came?: true;
  cells: Cell[];
};
export type Table = {
  columns: Column[];
  rows: Row[];
  /** What has to be known beside the figures, a line each. */
  notes: string[];
};

/** The metrics that are shown, each by its name (core/metrics/registry.ts). */
const shown: readonly Column[] = [
  {
    key: 'latency.p50',
    title: 'p50',
    note: 'half of the deliveries took at most this long, from the planned publish time to receipt',
  },
  { key: 'latency.p90', title: 'p90', note: '90 % took at most this long' },
  { key: 'latency.p99', title: 'p99', note: '99 % took at most this long' },
  { key: 'latency.max', title: 'max', note: 'the slowest delivery' },
  {
    key: 'requests-per-delivery',
    title: 'requests / delivery',
    note: 'requests that subscribers made (webhooks: got) for each delivery',
  },
  {
    key: 'descriptors.added',
    title: 'descriptors, at rest',
    note:
      'file descriptors of the server process when all subscribers were connected and nothing had been ' +
      'published, less the ones it had while idle',
  },
  {
    key: 'descriptors.added-peak',
    title: 'descriptors, at peak',
    note:
      'the same at the highest sample, one for each slot of the time charts, so a shorter peak is not ' +
      "seen; includes the publisher's connections",
  },
  {
    key: 'bytes-per-delivery',
    title: 'bytes / delivery',
    note: 'bytes in both directions, including requests and empty answers',
  },
  {
    key: 'server-cpu-per-delivery',
    title: 'server CPU / delivery',
    note:
      "the server process's CPU time over the measured phase, for each delivery, without the CPU of " +
      'the idle server; saturated: it had no time left, and deliveries queued',
  },
  {
    key: 'client-cpu-per-delivery',
    title: 'client CPU / delivery',
    note: "the load processes' CPU time, for each delivery",
  },
  {
    key: 'server-memory-per-subscriber',
    title: 'server memory / subscriber',
    note: 'resident memory of the server for each connected, idle subscriber, without memory of the kernel',
  },
  { key: 'missed', title: 'missed', note: 'deliveries that had not arrived at the end of the drain period' },
  { key: 'duplicated', title: 'duplicated', note: 'deliveries that arrived again' },
  {
    key: 'reordered',
    title: 'reordered',
    note: 'deliveries that arrived after a later event of their topic',
  },
];

/** Its cell says where the server had no time left. */
const markedWhereSaturated = 'server-cpu-per-delivery';

export function resultTable(results: readonly Result[]): Table {
  const variants = variantsOf(results);
  const rows = variants.map((variant) => {
    const { label, pattern, failed } = variant;
    const out: Row['out'] = failed !== undefined ? 'failed' : variant.out ? 'does not count' : undefined;
    const cells = shown.map(({ key }) => cellOf(key, variant));
    const [of, ...others] = new Set(cells.filter(({ value }) => value !== undefined).map((one) => one.of));
    const timed = cells.some(({ value }, i) => value !== undefined && isOfWhatCame(shown[i]!.key, variant));
    const row = { label, pattern, out, ...(timed && { came: true as const }) };
    if (of === undefined || others.length > 0) return { ...row, cells };
    return { ...row, of, cells: cells.map((cell) => ({ ...cell, of: undefined })) };
  });
  return {
    columns: [...shown],
    rows,
    notes: [
      ...sharedNotes(results),
      ...[whatCameText(variants) ?? []].flat(),
      ...clockNotes(variants),
      ...connectionNotes(variants),
      ...(results.some(({ simulated }) => simulated) ? [offMeaning] : []),
    ],
  };
}

/** What the labels leave out, as all variants have it. */
function sharedNotes(results: readonly Result[]): string[] {
  const { shared, variant } = variantNames(results);
  return [
    ...(variant === undefined ? [] : [ofOneVariant(variant)]),
    ...(shared === '' ? [] : [`All variants have ${shared.replaceAll(' ', ', ')}.`]),
  ];
}

function cellOf(key: string, { completed, trials: all }: VariantTrials): Cell {
  const figure = figureOver(key, completed);
  const { unit } = metrics[key]!;
  if (figure.value === undefined) {
    const { why: reason, voided } = figure;
    return voided
      ? { text: 'void', value: undefined, reason, void: true }
      : { text: noFigureText(figure, unit), value: undefined, reason };
  }
  const { value, low, high, trials, within, off } = figure;
  const standing = trialsFor(metrics[key]!, completed).length;
  const full = key === markedWhereSaturated && isEverSaturated(completed);
  return {
    text: `${withOff(formatMetric(value, unit), key, completed)}${full ? ', saturated' : ''}`,
    value,
    ...(trials > 1 && { range: rangeText([low, high], unit) }),
    ...(trials === 1 && within && off === undefined && { within: rangeText(within, unit) }),
    ...(standing < all.length && { of: `${standing} of ${all.length} trials` }),
  };
}
