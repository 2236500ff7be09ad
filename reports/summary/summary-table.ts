// Fills the table that terminal, page and Markdown share: patterns by what the reader asked. No single score.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { isEverSaturated } from './saturated.ts';
import { variantsOf, type VariantTrials } from './variants.ts';

export type Cell = {
  text: string;
  /** Median over the trials that count; over those that went through where none does. */
  value: number | undefined;
  /** Lowest to highest of these trials, where there are several. */
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
    note:
      "the server process's CPU time over the measured phase, for each delivery, without what it costs idle; " +
      'saturated: it had no time left, and deliveries queued',
  },
  {
    key: 'client-cpu-per-delivery',
    title: 'client CPU / delivery',
    note: "the load processes' CPU time, for each delivery",
  },
  {
    key: 'server-memory-per-subscriber',
    title: 'server memory / subscriber',
    note: "resident memory of the server for each connected, idle subscriber; the kernel's part is not in it",
  },
  { key: 'missed', title: 'missed', note: 'deliveries that had not come when the drain limit was reached' },
  { key: 'duplicated', title: 'duplicated', note: 'deliveries that came again' },
  { key: 'reordered', title: 'reordered', note: 'deliveries that came behind a later event of their topic' },
];

/** Its cell says where the server had no time left. */
const markedWhereSaturated = 'server-cpu-per-delivery';

export function resultTable(results: readonly Result[]): Table {
  const rows = variantsOf(results).map((variant) => {
    const { label, pattern, valid, failed } = variant;
    return { label, pattern, valid, failed, cells: shown.map(({ key }) => cellOf(key, variant)) };
  });
  return { columns: [...shown], rows };
}

function cellOf(key: string, { completed }: VariantTrials): Cell {
  const figure = figureOver(key, completed, { doubted: true });
  if (figure.value === undefined) return { text: '—', value: undefined, reason: figure.why };
  const { value, low, high, trials } = figure;
  const { unit } = metrics[key]!;
  const full = key === markedWhereSaturated && isEverSaturated(completed);
  const text = `${formatMetric(value, unit)}${full ? ', saturated' : ''}`;
  return trials === 1
    ? { text, value }
    : { text, value, range: `${formatMetric(low, unit)} to ${formatMetric(high, unit)}` };
}
