// The report's charts, each under a heading that states what it shows in this result, with two sentences on
// reading it and the figures as a table.

import { samplesNeeded } from '../../core/metrics/metric.ts';
import { quantileUs, type Histogram } from '../../core/result/histogram.ts';
import type { SeriesColumn } from '../../core/result/result.ts';
import { formatNumber, formatShare, formatUs, formatBytes } from '../../core/base/units.ts';
import {
  receivedEvents,
  receivers,
  tailPoints,
  thinned,
  timePoints,
  type TimePoint,
} from '../summary/chart-data.ts';
import { draw, receiverSpec, tailSpec, timeSpec, type Chart } from './charts.ts';
import { faultReading, withFaults } from './fault-shades.ts';
import type { Markup } from './markup.ts';
import { faultSpans } from '../summary/fault-spans.ts';
import { listed } from '../summary/notices.ts';
import { medianOf } from '../summary/summary-table.ts';
import { figureTable } from './page-tables.ts';
import { mergedLatency, type VariantTrials } from '../summary/variants.ts';

export type Figure = { id: string; heading: string; reading: string; chart: Chart | undefined; data: Markup };

const quantiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999];

/** The variants that have something to show, by the names they have in the charts. */
export function charted(all: readonly VariantTrials[]): VariantTrials[] {
  return (
    all
      // The cells of a matrix are drawn as curves (curves.ts); a line for each of them would be a thicket.
      .filter(
        ({ trials, completed }) =>
          trials[0]?.cell === undefined && completed.some((trial) => trial.latency.endToEnd.count > 0),
      )
      .map((variant) =>
        variant.valid ? variant : { ...variant, label: `${variant.label} (does not count)` },
      )
  );
}

/**
 * @param variants those of `charted`
 * @param live with what the browser needs to draw them again
 */
export async function figures(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  if (variants.length === 0) return [];
  return [
    await tail(variants, live, over),
    ...(await overTime(variants, live, over)),
    ...(await fanout(variants, live, over)),
  ];
}

async function tail(variants: readonly VariantTrials[], live: boolean, over?: AbortSignal): Promise<Figure> {
  const points = tailPoints(variants);
  const heading = tailHeading(variants);
  const labels = variants.map(({ label }) => label);
  const rows = variants.map(({ label, completed }) => {
    const histogram = mergedLatency(completed, 'endToEnd');
    return {
      head: label,
      cells: [
        ...quantiles.map((quantile) =>
          carries(histogram, quantile) ? formatUs(quantileUs(histogram, quantile)!) : '—',
        ),
        formatUs(histogram.maxUs),
        formatNumber(histogram.count),
        formatNumber(histogram.overRange),
      ],
    };
  });
  return {
    id: 'tail',
    heading,
    reading:
      'Further right is rarer: a line at 99 % says how long all but one delivery in a hundred took. Lines ' +
      'end where fewer than 100 deliveries were slower, since beyond that chance draws them.',
    chart:
      points.length === 0
        ? undefined
        : await draw(
            tailSpec(points, variants),
            heading,
            `Delivery latency by percentile of ${labels.join(', ')}; the figures stand in the table below.`,
            live,
            over,
          ),
    data: figureTable(
      'Delivery latency by percentile',
      [
        'variant',
        ...quantiles.map((quantile) => formatShare(quantile)),
        'largest',
        'deliveries',
        'above the scale',
      ],
      rows,
    ),
  };
}

/**
 * Of the highest percentile that every variant has the samples for: who takes longest, and how much
 * longer than the soonest.
 */
function tailHeading(variants: readonly VariantTrials[]): string {
  const merged = variants.map(({ label, completed }) => ({
    label,
    histogram: mergedLatency(completed, 'endToEnd'),
  }));
  const quantile = [0.99, 0.9, 0.5].find((one) => merged.every(({ histogram }) => carries(histogram, one)));
  if (quantile === undefined) return 'Too few deliveries for a percentile of every variant';
  const sorted = merged
    .map(({ label, histogram }) => ({ label, us: quantileUs(histogram, quantile)! }))
    .sort((a, b) => a.us - b.us); // carried, so not empty
  const [first, last] = [sorted[0]!, sorted.at(-1)!]; // there is a variant
  const share = quantile === 0.5 ? 'Half of the deliveries' : `${formatShare(quantile)} of deliveries`;
  if (sorted.length === 1 || formatUs(first.us) === formatUs(last.us))
    return `${share} came within ${formatUs(last.us)}${sorted.length === 1 ? '' : ', with every variant'}`;
  return (
    `${share} came within ${formatUs(first.us)} with ${first.label}, ` +
    `within ${formatUs(last.us)} with ${last.label}`
  );
}

/** Enough samples lie beyond the quantile for it to mean something. */
function carries({ count }: Histogram, quantile: number): boolean {
  return count >= samplesNeeded(quantile);
}

/** Charts on one time axis. One whose values never reach `least` is left out. */
const panels: readonly {
  id: string;
  column: SeriesColumn;
  title: string;
  scale: number;
  log?: true;
  least?: number;
  format(value: number): string;
  heading(name: string, figure: string): string;
  reading: string;
}[] = [
  {
    id: 'time-median',
    column: 'latencyP50Us',
    title: 'ms, median (log)',
    scale: 1e-3,
    log: true,
    format: (ms) => formatUs(ms * 1000),
    heading: (name, figure) => `Median latency over time: the worst moment was ${figure}, with ${name}`,
    reading:
      'Each point is the median of the events planned in its slot of time. A level line is a system at ' +
      'rest; one that rises is falling behind.',
  },
  {
    id: 'time-latency',
    column: 'latencyP99Us',
    title: 'ms, 99 % (log)',
    scale: 1e-3,
    log: true,
    format: (ms) => formatUs(ms * 1000),
    heading: (name, figure) => `Tail latency over time: the worst moment was ${figure}, with ${name}`,
    reading:
      'Each point is the 99th percentile of the events planned in its slot of time. A lone peak is a pause ' +
      '(garbage collection, another program); a rising line is a queue that grows.',
  },
  {
    id: 'time-requests',
    column: 'requestsPerS',
    title: 'requests/s',
    scale: 1,
    format: (value) => `${formatNumber(Math.round(value))}/s`,
    heading: (name, figure) => `Requests over time: at most ${figure}, with ${name}`,
    reading:
      'Polling asks at its own pace whether or not something happens. Long polling and webhooks make a ' +
      'request for each delivery or batch, streams none once they stand.',
  },
  {
    id: 'time-server-cpu',
    column: 'serverCpuShare',
    title: 'server CPU, %',
    scale: 100,
    format: (value) => formatShare(value / 100),
    heading: (name, figure) => `Server CPU over time: at most ${figure} of a core, with ${name}`,
    reading:
      'User and system time of the server process, as a share of one core. ' +
      'At 100 % it is the server that sets the pace.',
  },
  {
    id: 'time-load-cpu',
    column: 'loadCpuShare',
    title: 'load CPU, %',
    scale: 100,
    format: (value) => formatShare(value / 100),
    heading: (name, figure) => `The clients' CPU: at most ${figure} of a core, with ${name}`,
    reading:
      'The same for all load processes together. They share this machine with the server, so what they ' +
      'take it cannot have; a trial in which one of them used more than 90 % of a core does not count.',
  },
  {
    id: 'time-backlog',
    column: 'serverBacklog',
    title: 'backlog, deliveries',
    scale: 1,
    least: 100,
    format: (value) => formatNumber(value),
    heading: (name, figure) => `Deliveries accepted and not made, over time: at most ${figure}, with ${name}`,
    reading:
      'What a queue holds: due, waiting for a retry or under way. It grows while receivers fail and drains ' +
      'as the retries come due.',
  },
  {
    id: 'time-descriptors',
    column: 'serverDescriptors',
    title: 'descriptors',
    scale: 1,
    format: (value) => formatNumber(value),
    heading: (name, figure) => `Descriptors over time: at most ${figure}, with ${name}`,
    reading:
      'Open files of the server process, read from /proc: one for each held connection, and a handful of ' +
      'its own. Polling with kept connections holds as many as a stream does.',
  },
  {
    id: 'time-memory',
    column: 'serverRssBytes',
    title: 'server memory, MiB',
    scale: 1 / 1024 ** 2,
    format: (value) => formatBytes(value * 1024 ** 2),
    heading: (name, figure) => `Server memory over time: at most ${figure}, with ${name}`,
    reading:
      "Resident memory of the whole server process, the runtime's own 50 MiB or more included. What climbs " +
      'without end is a leak or a queue.',
  },
];

async function overTime(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const labels = variants.map(({ label }) => label);
  const trials = variants.map(({ completed }) => completed[0]!); // variants without one were left out
  const axis = [
    Math.min(0, ...trials.flatMap(({ series }) => series.startUs.slice(0, 1))) / 1e6,
    Math.max(...trials.flatMap(({ measuredUs, series }) => [measuredUs, series.startUs.at(-1) ?? 0])) / 1e6,
  ] as const;
  const spans = faultSpans(trials);
  const drawn: Figure[] = [];
  for (const { id, column, title, scale, log = false, least = 0, format, heading, reading } of panels) {
    const points = timePoints(variants, column, scale).filter(({ value }) => !log || value > 0);
    if (points.every(({ value }) => value < least)) continue;
    const peak = format(points.reduce((a, b) => (b.value > a.value ? b : a)).value);
    const text = heading(
      holders(
        new Set(points.filter(({ value }) => format(value) === peak).map(({ variant }) => variant)),
        labels.length,
      ),
      peak,
    );
    const { points: shown, group } = thinned(points, variants.length);
    drawn.push({
      id,
      heading: text,
      reading:
        (group === 1 ? reading : `${reading} Each point drawn is the highest of ${group} slots.`) +
        faultReading(spans),
      chart: await draw(
        withFaults(timeSpec(shown, variants, title, log, axis), spans),
        text,
        `${title}, over time, of ${labels.join(', ')}; the figures stand in the table below.`,
        live,
        over,
      ),
      data: figureTable(
        `${title} over time`,
        ['variant', 'lowest', 'median', 'highest', 'slots'],
        rowsOf(points, labels, format),
      ),
    });
  }
  return drawn;
}

/** Who shares a peak. */
function holders(names: ReadonlySet<string>, of: number): string {
  if (names.size === of && of > 1) return 'every variant';
  return names.size <= 3 ? listed([...names]) : `${names.size} of ${of} variants`;
}

function rowsOf(points: readonly TimePoint[], labels: readonly string[], format: (value: number) => string) {
  return labels.flatMap((label) => {
    const values = points.filter(({ variant }) => variant === label).map(({ value }) => value);
    if (values.length === 0) return [];
    return [
      {
        head: label,
        cells: [
          format(Math.min(...values)),
          format(medianOf(values)),
          format(Math.max(...values)),
          formatNumber(values.length),
        ],
      },
    ];
  });
}

async function fanout(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const points = receivers(variants);
  if (points.length === 0) return [];
  const shared = variants.filter(({ label }) => points.some(({ variant }) => variant === label));
  const labels = shared.map(({ label }) => label);
  const of = (label: string, which: string) =>
    points.find((point) => point.variant === label && point.which === which)!.ms * 1000;
  // Pollers find an event when they ask, however fast the server is; the others show what the fan-out takes.
  const pushed = shared.filter(({ pattern }) => pattern !== 'polling').map(({ label }) => label);
  const widest = (pushed.length > 0 ? pushed : labels).reduce((a, b) =>
    of(b, 'last') - of(b, 'first') > of(a, 'last') - of(a, 'first') ? b : a,
  );
  const heading =
    `Who gets an event last: with ${widest} it is ` +
    `${formatUs(of(widest, 'last') - of(widest, 'first'))} behind the first`;
  return [
    {
      id: 'fan-out',
      heading,
      reading:
        'Of each event with several receivers, when the first, the median and the last of them had it; the ' +
        `median over ${formatNumber(receivedEvents(shared))} events. One process writes to one connection ` +
        'after the other, so the spread grows with the number of receivers.',
      chart: await draw(
        receiverSpec(points, shared),
        heading,
        `First, median and last receiver of the median event of ${labels.join(', ')}; ` +
          'the figures stand in the table below.',
        live,
        over,
      ),
      data: figureTable(
        'Receivers of the median event',
        ['variant', 'first', 'median', 'last'],
        labels.map((label) => ({
          head: label,
          cells: ['first', 'median', 'last'].map((which) => formatUs(of(label, which))),
        })),
      ),
    },
  ];
}
