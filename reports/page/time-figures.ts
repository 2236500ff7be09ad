// Draws what was sampled over time, all charts on one time axis.

import type { Evidence } from '../../core/result/evidence.ts';
import { trialsFor } from '../../core/metrics/registry.ts';
import { median } from '../../core/base/median.ts';
import type { Completed, SeriesColumn } from '../../core/result/result.ts';
import { formatNumber, formatShare, formatUs, formatBytes } from '../../core/base/units.ts';
import { loadCpuLimit } from '../../core/metrics/headroom.ts';
import { canBeRanked } from '../summary/comparable.ts';
import { slotsOfMean, thinned, timePoints, withRuns, type TimePoint } from '../summary/chart-data.ts';
import { timeSpec, type TimePanel } from './chart-specs.ts';
import { drawChart } from './draw-chart.ts';
import { faultReading, withFaults } from './fault-shades.ts';
import type { Figure } from './figure.ts';
import { faultSpans } from '../summary/fault-spans.ts';
import { timeScaleOf, timeScaleText } from '../summary/time-scale.ts';
import { listed } from '../../core/base/suggest.ts';
import { figureTable } from './table-markup.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { leftOutReading } from './void-reading.ts';

/** Charts on one time axis. One whose values never reach `least` is left out. */
const panels: readonly {
  id: string;
  column: SeriesColumn;
  /** Where one of these is void in a trial, it is not drawn. */
  rests: readonly [Evidence];
  title: string;
  scale: number;
  /** What its values are said in; durations are milliseconds, on a logarithmic axis. */
  unit: TimePanel['unit'];
  least?: number;
  /** A rate, of which each point is a mean over a second or more. */
  mean?: true;
  /** Drawn only where a trial of those shown is such. */
  where?: (trial: Completed) => boolean;
  /** Taken off each trial's values. */
  above?: (trial: Completed) => number | undefined;
  format(value: number): string;
  heading(name: string, figure: string): string;
  reading: string;
}[] = [
  {
    id: 'time-median',
    column: 'latencyP50Us',
    rests: ['latency'],
    title: 'median latency',
    scale: 1e-3,
    unit: 'duration',
    format: (ms) => formatUs(ms * 1000),
    heading: (name, figure) => `Median latency over time: the worst moment was ${figure}, with ${name}`,
    reading:
      'Each point is the median of the events planned in its slot of time. If a line is level, the ' +
      'system keeps up; if it rises, the system is falling behind.',
  },
  {
    id: 'time-latency',
    column: 'latencyP99Us',
    rests: ['latency'],
    title: 'latency of the slowest 1 %',
    scale: 1e-3,
    unit: 'duration',
    format: (ms) => formatUs(ms * 1000),
    heading: (name, figure) => `Tail latency over time: the worst moment was ${figure}, with ${name}`,
    reading:
      'Each point is the time that 99 % of the deliveries of its slot stayed below. A slot holds few ' +
      'events, so it shows when something was slow; it is not a percentile of the run. ' +
      'A lone peak is a pause (garbage collection, another program); a rising line is a queue that grows.',
  },
  {
    id: 'time-requests',
    column: 'requestsPerS',
    rests: ['requests'],
    mean: true,
    title: 'requests/s',
    scale: 1,
    unit: { unit: 'a second' },
    format: (value) => `${formatNumber(Math.round(value))}/s`,
    heading: (name, figure) => `Requests over time: at most ${figure}, with ${name}`,
    reading:
      'Polling makes requests at its own pace, whether or not something happens. Long polling and ' +
      'webhooks make a request for each delivery or batch; streams make none once they are open.',
  },
  {
    id: 'time-away',
    column: 'connected',
    rests: ['connections'],
    where: ({ recovery }) => recovery !== undefined,
    title: 'clients away',
    scale: -1,
    unit: { unit: 'away' },
    above: ({ subscribers }) => subscribers,
    format: (value) => formatNumber(value),
    heading: (name, figure) => `Clients away over time: at most ${figure} in a sample, with ${name}`,
    reading:
      'Subscribers that were not connected at the end of each slot of time; absences between two ends ' +
      'are not seen. The width of a peak shows how long clients took to come back.',
  },
  {
    id: 'time-server-cpu',
    column: 'serverCpuShare',
    rests: ['server-cpu'],
    mean: true,
    title: 'server CPU, %',
    scale: 100,
    unit: { unit: '%' },
    format: (value) => formatShare(value / 100),
    heading: (name, figure) => `Server CPU over time: at most ${figure} of a core, with ${name}`,
    reading:
      'User and system time of the server process, as a share of one core. ' +
      'At 100 % the server is the limit.',
  },
  {
    id: 'time-load-cpu',
    column: 'loadCpuShare',
    rests: ['client-cpu'],
    mean: true,
    title: 'load CPU, %',
    scale: 100,
    unit: { unit: '%' },
    format: (value) => formatShare(value / 100),
    heading: (name, figure) => `The clients' CPU: at most ${figure} of a core, with ${name}`,
    reading:
      'The same for all load processes together. They share this machine with the server, so the CPU ' +
      'they take is missing there; where one of them used more than ' +
      `${formatShare(loadCpuLimit)} of a core, latencies are void.`,
  },
  {
    id: 'time-backlog',
    column: 'serverBacklog',
    rests: ['backlog'],
    title: 'backlog, deliveries',
    scale: 1,
    unit: { unit: 'pending' },
    least: 10,
    format: (value) => formatNumber(value),
    heading: (name, figure) => `Backlog over time: at most ${figure} deliveries pending, with ${name}`,
    reading:
      'Deliveries that the server has accepted but not yet made: due, waiting for a retry or under way, ' +
      'read once a second. The number grows while receivers fail, and shrinks when retries succeed.',
  },
  {
    id: 'time-descriptors',
    column: 'serverDescriptors',
    rests: ['descriptors'],
    title: 'descriptors above idle',
    scale: 1,
    unit: { unit: '' },
    above: ({ descriptors }) => descriptors?.baseline,
    format: (value) => formatNumber(value),
    heading: (name, figure) =>
      `Descriptors that the server added, over time: at most ${figure} in a sample, with ${name}`,
    reading:
      'Open files of the server process, less the ones it had while idle, read from /proc at the end of ' +
      "each slot: one for each open connection, including the publisher's. A peak between two samples is " +
      'not seen. Polling with kept connections has as many as a stream.',
  },
  {
    id: 'time-memory',
    column: 'serverRssBytes',
    rests: ['memory'],
    title: 'server memory, MiB',
    scale: 1 / 1024 ** 2,
    unit: { unit: 'MiB' },
    format: (value) => formatBytes(value * 1024 ** 2),
    heading: (name, figure) => `Server memory over time: at most ${figure}, with ${name}`,
    reading:
      'Resident memory of the whole server process, including 50 MiB or more of the runtime. Memory that ' +
      'keeps growing is a leak or a queue.',
  },
];

export async function timeFigures(
  all: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const trials = all.flatMap(({ completed }) => completed);
  const axis = [
    Math.min(0, ...trials.flatMap(({ series }) => series.startUs.slice(0, 1))) / 1e6,
    Math.max(...trials.flatMap(({ measuredUs, series }) => [measuredUs, series.startUs.at(-1) ?? 0])) / 1e6,
  ] as const;
  const ranked = canBeRanked(all);
  const timeScale = timeScaleOf(all);
  const drawn: Figure[] = [];
  for (const panel of panels) {
    const { id, rests, title, unit, least = 0, mean, where, format, heading, reading } = panel;
    if (where && !trials.some(where)) continue;
    const scaled = unit === 'duration' ? timeScale : 1;
    const points = timePoints(all, { ...panel, scale: panel.scale * scaled }).filter(
      ({ value }) => unit !== 'duration' || value > 0,
    );
    if (points.every(({ value }) => value < least)) continue;
    const variants = all.filter(({ label }) => points.some(({ variant }) => variant === label));
    const labels = variants.map(({ label }) => label);
    const spans = faultSpans(
      variants.flatMap(({ completed }) => trialsFor({ rests }, completed).slice(0, 1)),
    );
    const peak = format(points.reduce((a, b) => (b.value > a.value ? b : a)).value);
    const ranking = heading(
      holders(
        new Set(points.filter(({ value }) => format(value) === peak).map(({ variant }) => variant)),
        labels.length,
      ),
      peak,
    );
    const overTime = mean ? meanText(trials) : '';
    // Of other settings, none is the one with the highest.
    const text = ranked ? ranking : ranking.slice(0, ranking.indexOf(':'));
    const { points: shown, group } = thinned(withRuns(points), variants.length);
    drawn.push({
      id,
      heading: text,
      reading:
        (group === 1
          ? `${reading}${overTime}`
          : `${reading}${overTime} Each point drawn is the highest of ${group}.`) +
        (scaled === 1 ? '' : timeScaleText(timeScale)) +
        leftOutReading(all, rests) +
        faultReading(spans),
      chart: await drawChart(
        withFaults(timeSpec(shown, variants, { title, unit, axis, timeScale }), spans),
        text,
        `${title}, over time, of ${labels.join(', ')}; the figures are in the table below.`,
        live,
        over,
      ),
      data: figureTable(
        `${title} over time`,
        ['variant', 'lowest', 'median', 'highest', 'points'],
        rowsOf(points, labels, format),
      ),
    });
  }
  return drawn;
}

/** Over what each point of a rate is the mean. */
function meanText(trials: readonly Completed[]): string {
  const lengths = [...new Set(trials.map((trial) => (slotsOfMean(trial) * trial.series.slotUs) / 1e6))];
  return trials.every((trial) => slotsOfMean(trial) === 1)
    ? ''
    : ` Each point is the mean over ${listed(lengths.map((one) => formatNumber(one)))} s.`;
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
          format(median(values)),
          format(Math.max(...values)),
          formatNumber(values.length),
        ],
      },
    ];
  });
}
