// The table that terminal and page share: patterns by what the reader asked. No single score.

import { mostHeadroom } from '../../core/metrics/headroom.ts';
import { metrics, tooFewSamples } from '../../core/metrics/registry.ts';
import type { Unit } from '../../core/metrics/metric.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { variantsOf, type VariantTrials } from './variants.ts';

export type Cell = {
  text: string;
  /** Median over the trials. */
  value: number | undefined;
  /** Lowest to highest trial, where there are several. */
  range?: string;
  /** Why there is no figure. */
  reason?: string;
};
export type Column = { key: string; title: string; note: string };
export type Row = {
  label: string;
  pattern: string;
  valid: boolean;
  failed: string | undefined;
  cells: Cell[];
};
export type Table = { columns: Column[]; rows: Row[] };

type Source = Column & { leastSubscribers?: number };

/** Below this many subscribers their memory is lost in what a process's memory swings by itself. */
const memorySubscribers = 1000;

const sources: readonly Source[] = [
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
    title: 'descriptors',
    note: 'file descriptors that the connected subscribers cost the server process',
  },
  {
    key: 'bytes-per-delivery',
    title: 'bytes / delivery',
    note: 'bytes both ways, requests and empty answers included',
  },
  {
    key: 'server-cpu-per-delivery',
    title: 'server CPU / delivery',
    note: "the server process's CPU time over the measured phase, for each delivery",
  },
  { key: 'client-cpu-per-delivery', title: 'client CPU / delivery', note: 'the same for the load processes' },
  {
    key: 'server-memory-per-subscriber',
    title: 'server memory / subscriber',
    note: "resident memory of the server for each connected, idle subscriber; the kernel's part is not in it",
    leastSubscribers: memorySubscribers,
  },
  { key: 'missed', title: 'missed', note: 'deliveries that had not come when the drain limit was reached' },
  { key: 'duplicated', title: 'duplicated', note: 'deliveries that came again' },
  { key: 'reordered', title: 'reordered', note: 'deliveries that came behind a later event of their topic' },
];

export function resultTable(results: readonly Result[]): Table {
  const rows = variantsOf(results).map((variant) => {
    const { label, pattern, valid, failed } = variant;
    return { label, pattern, valid, failed, cells: sources.map((source) => cellOf(source, variant)) };
  });
  return { columns: sources.map(({ key, title, note }) => ({ key, title, note })), rows };
}

/** A metric's value as people read it. */
export function formatMetric(value: number, unit: Unit): string {
  const formats: Record<Unit, (value: number) => string> = {
    us: formatUs,
    bytes: formatBytes,
    share: formatShare,
    count: formatNumber,
    'per-s': (rate) => `${formatNumber(rate)}/s`,
  };
  return formats[unit](value);
}

function cellOf({ key, leastSubscribers = 0 }: Source, { completed }: VariantTrials): Cell {
  if (completed.length === 0) return { text: '—', value: undefined, reason: 'no trial went through' };
  // The rule holds for each trial: a percentile over trials is the median of theirs.
  const [short] = completed.flatMap((trial) => tooFewSamples(key, trial) ?? []);
  if (short !== undefined) return { text: '—', value: undefined, reason: short };
  const few = completed.find(({ subscribers }) => subscribers < leastSubscribers);
  if (few)
    return {
      text: '—',
      value: undefined,
      reason:
        `${formatNumber(few.subscribers)} subscribers; below ${formatNumber(leastSubscribers)} it is lost ` +
        "in the process's own swings",
    };
  const metric = metrics[key]!;
  const values = completed
    .map((trial) => metric.read(trial))
    .filter((value) => value !== undefined && Number.isFinite(value)) as number[];
  if (values.length === 0) return { text: '—', value: undefined, reason: 'not measured' };
  const value = medianOf(values);
  const text = formatMetric(value, metric.unit);
  if (values.length === 1) return { text, value };
  return {
    text,
    value,
    range:
      `${formatMetric(Math.min(...values), metric.unit)} to ` +
      `${formatMetric(Math.max(...values), metric.unit)}`,
  };
}

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** `about 3.4 times this load` */
export function headroomText(headroom: number): string {
  return headroom >= mostHeadroom
    ? `${mostHeadroom} times this load or more`
    : `about ${formatNumber(Number(headroom.toPrecision(2)))} times this load`;
}

/** A figure over several trials with the lowest and the highest of them: `3.1 ms (2.9 ms to 3.4 ms)`. */
export function withRange(text: string, range = ''): string {
  return range === '' || range === `${text} to ${text}` ? text : `${text} (${range})`;
}

/** `2.9 ms to 3.4 ms`; nothing where both ends read alike. */
export function rangeText([low, high]: readonly [low: number, high: number], unit: Unit): string {
  const [from, to] = [formatMetric(low, unit), formatMetric(high, unit)];
  return from === to ? '' : `${from} to ${to}`;
}
