// Answers "which pattern, at this load?": for each variant what it costs a second, what it holds, how late it
// is and what it lost, with a line of reasoning. Values only: page, terminal, Markdown and JSON write them.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOf, figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Look } from '../../core/pattern/palette.ts';
import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import { reasonsOf, type Reason } from './at-load-reasons.ts';
import { awayOf } from './away.ts';
import { comparableGroups } from './comparable.ts';
import { noFigureText, rangeText } from './figure-text.ts';
import { isOfWhatCame, whatCameText } from './losses.ts';
import { isEverSaturated } from './saturated.ts';
import { withOff } from './simulated.ts';
import { clockNotes } from './schedules.ts';
import { rateText, resultNames, subscribersText, variantsOf, type VariantTrials } from './variants.ts';
import { reasonsText } from './warnings.ts';

export type LoadFigure = {
  metric: string;
  text: string;
  /** Median over the trials in which it is not void. */
  value?: number;
  /** Of a simulated figure: the share of it by which it is expected to be off. */
  expectedError?: number;
  /** A percentile's 95 % interval within its trial, or lowest and highest of several trials. */
  low?: number;
  high?: number;
  /** `12 ms to 14 ms`; left out where both ends read the same. */
  range?: string;
  /** Of a percentile with too few events: it is at least this. */
  atLeast?: number;
  void?: true;
  /** Why there is no figure. */
  why?: string;
};
export type Lost = {
  /** Of all trials in which the count is not void, together: no loss hides behind a median. */
  missed?: number;
  expected?: number;
  /** Faults from which subscribers had to come back, and the deliveries that they got on their return. */
  cuts?: number;
  resumed?: number;
  /** How long clients were away where something was lost, and how they came back. */
  away?: string;
  text: string;
  void?: true;
  why?: string;
};
export type LoadRow = {
  label: string;
  pattern: string;
  look: Look;
  /** Its latencies are of the deliveries that arrived: it lost others. */
  came?: true;
  figures: Record<LoadColumn, LoadFigure>;
  lost: Lost;
  reason: Reason;
};
export type AtLoad = {
  /** What the results are called where there are several loads. */
  name: string;
  /** `100 subscribers, 110 events a second, 1,010 deliveries a second` */
  setting: string;
  subscribers: number;
  eventsPerS: number;
  deliveriesPerS: number;
  /** What has to be known of the times: a clock that ran faster. */
  notes: string[];
  rows: LoadRow[];
};

/** `short`: for tables of text, where width is scarce. */
export const loadColumns = [
  { key: 'latency.p50', title: 'p50', short: 'p50' },
  { key: 'latency.p99', title: 'p99', short: 'p99' },
  { key: 'server-cpu', title: 'server CPU, of a core', short: 'server CPU' },
  { key: 'requests-per-s', title: 'requests/s', short: 'requests / s' },
  { key: 'bytes-per-s', title: 'Mbit/s', short: 'Mbit / s' },
  { key: 'connections', title: 'connections, at rest', short: 'connections' },
  { key: 'descriptors.added-peak', title: 'descriptors, at peak', short: 'descriptors' },
  { key: 'server-rss.peak', title: 'server memory', short: 'memory' },
] as const;
export type LoadColumn = (typeof loadColumns)[number]['key'];
/** The columns that have a bar: what a pattern costs, more is worse. */
export const costColumns = loadColumns.slice(2);

/** Faults from which subscribers have to come back. */
const cutting = ['disconnect', 'leave', 'stop', 'kill', 'drain', 'deploy'];

/**
 * The loads of results, each with its variants: results that can be ranked against one another are one. A
 * matrix and a search have many loads, and answers of their own (choices.ts, bounds.ts).
 */
export function loadsOf(results: readonly Result[]): AtLoad[] {
  const all = variantsOf(results).filter(({ trials }) => trials[0]?.cell === undefined);
  const groups = comparableGroups(results);
  return groups.flatMap((group) => {
    const variants = all.filter(({ result }) => group.includes(result));
    if (variants.length === 0) return [];
    const { scenario } = group[0]!; // a group has a member
    const name = groups.length < 2 ? '' : resultNames(results)[results.indexOf(group[0]!)]!;
    return [
      atLoad(variants, {
        name,
        subscribers: scenario.subscribers,
        eventsPerS: perS(scenario.events, scenario),
        deliveriesPerS: perS(scenario.deliveries, scenario),
        events: rateText(scenario),
      }),
    ];
  });
}

/**
 * The variants that ran in one cell of a matrix, or under one value of a search.
 * @param variants of one result, all with equal parameters
 */
export function cellLoad(variants: readonly VariantTrials[]): AtLoad | undefined {
  const [first] = variants;
  const cell = first?.trials[0]?.cell;
  if (first === undefined || cell === undefined) return undefined;
  const { scenario } = first.result;
  const named = variants.map((one) => ({ ...one, label: one.trials[0]?.cell?.variant ?? one.label }));
  return atLoad(named, {
    name: '',
    subscribers: cell.subscribers,
    eventsPerS: perS(cell.events, scenario),
    deliveriesPerS: perS(cell.deliveries, scenario),
    events: rateText({ ...scenario, events: cell.events }),
  });
}

function perS(count: number, { phasesMs }: Result['scenario']): number {
  return count / (phasesMs.measure / 1000);
}

type Load = Omit<AtLoad, 'setting' | 'notes' | 'rows'> & { events: string };

function atLoad(variants: readonly VariantTrials[], { events, ...load }: Load): AtLoad {
  // What a result alone is called is beside each of its sentences already.
  const alone = new Set(variants.map(({ result }) => result)).size === 1 && load.name === '';
  const reasons = reasonsOf(alone ? variants.map((one) => ({ ...one, label: one.own })) : variants);
  return {
    ...load,
    setting:
      `${subscribersText(load)}, ${events}, ` +
      `${formatNumber(Number(load.deliveriesPerS.toPrecision(3)))} deliveries a second`,
    notes: [...[whatCameText(variants) ?? []].flat(), ...clockNotes(variants)],
    rows: variants.map((variant, i) => ({
      label: variant.label,
      ...(isOfWhatCame('latency.p50', variant) && { came: true as const }),
      pattern: variant.pattern,
      look: variant.look,
      figures: Object.fromEntries(
        loadColumns.map(({ key }) => [key, loadFigure(key, variant)]),
      ) as LoadRow['figures'], // every column has its figure
      lost: lostOf(variant),
      reason: reasons[i]!,
    })),
  };
}

function loadFigure(metric: LoadColumn, { completed }: VariantTrials): LoadFigure {
  const figure = figureOver(metric, completed);
  if (figure.value === undefined) {
    const { why, voided, atLeast } = figure;
    return voided
      ? { metric, text: 'void', void: true, why }
      : {
          metric,
          text: noFigureText(figure, metrics[metric]!.unit),
          why,
          ...(atLeast !== undefined && { atLeast }),
        };
  }
  const { value, trials, within, off } = figure;
  const [low, high] = trials > 1 && off === undefined ? [figure.low, figure.high] : (within ?? []);
  const full = metric === 'server-cpu' && isEverSaturated(completed);
  return {
    metric,
    text: `${withOff(loadText(metric, value), metric, completed)}${full ? ', saturated' : ''}`,
    value,
    ...(off !== undefined && { expectedError: off }),
    ...(low !== undefined &&
      high !== undefined && {
        low,
        high,
        // What stands beside a simulated figure is how far it is off.
        ...(off === undefined && rangeOf(metric, low, high)),
      }),
  };
}

function rangeOf(metric: LoadColumn, low: number, high: number): { range?: string } {
  const ends = [loadText(metric, low), loadText(metric, high)];
  const text = metric === 'bytes-per-s' ? ends.join(' to ') : rangeText([low, high], metrics[metric]!.unit);
  return text === '' || ends[0] === ends[1] ? {} : { range: text };
}

/** A figure as it is written here: bytes a second as megabits, without their unit. */
export function loadText(metric: string, value: number): string {
  return metric === 'bytes-per-s'
    ? formatNumber(Number(((value * 8) / 1e6).toPrecision(3)))
    : formatMetric(value, metrics[metric]!.unit);
}

function lostOf(variant: VariantTrials): Lost {
  const { trials, completed } = variant;
  const readings = completed.map((trial) => ({
    missed: figureOf('missed', trial),
    expected: figureOf('expected', trial).value,
    resumed: figureOf('resumed', trial).value,
  }));
  const known = readings.filter(({ missed }) => missed.value !== undefined);
  if (known.length === 0) {
    const figure = figureOver('missed', completed);
    const why = figure.value === undefined ? figure.why : '';
    const isVoid = figure.value === undefined && figure.voided !== undefined;
    return { text: isVoid ? 'void' : '—', why, ...(isVoid && { void: true as const }) };
  }
  const sum = (values: readonly (number | undefined)[]) =>
    values.reduce<number>((total, value) => total + (value ?? 0), 0);
  const missed = sum(known.map((one) => one.missed.value));
  const expected = sum(known.map((one) => one.expected));
  const cuts = sum(
    completed.map(({ faults = [] }) => faults.filter(({ kind }) => cutting.includes(kind)).length),
  );
  const resumed = sum(known.map((one) => one.resumed));
  const of = known.length < trials.length ? `, ${known.length} of ${trials.length} trials` : '';
  const through = cuts > 0 ? ` (${counted(cuts, 'cut')}; ${formatNumber(resumed)} resumed)` : '';
  const away = awayOf([variant]);
  return {
    missed,
    expected,
    ...(away !== undefined && { away }),
    ...(cuts > 0 && { cuts, resumed }),
    text: (missed === 0 ? '0' : `${formatNumber(missed)} of ${formatNumber(expected)}`) + `${through}${of}`,
  };
}

/** What is void or has no figure, and why, a line each: `sse and webhook: p99: 4 events beyond it; ...`. */
export function missingLines({ rows }: Pick<AtLoad, 'rows'>): string[] {
  const all = rows.flatMap((row) => {
    const text = missingText(row);
    return text === '' ? [] : [{ label: row.label, text }];
  });
  return [...Map.groupBy(all, ({ text }) => text)].map(
    ([text, same]) => `No figure for ${listed(same.map(({ label }) => label))}: ${text}.`,
  );
}

/** Each reason once: `p99: 4 events beyond it; 10 are needed`. */
function missingText({ figures, lost }: LoadRow): string {
  const all = [
    ...loadColumns.map(({ key, title }) => ({ title, why: figures[key].why })),
    { title: 'lost', why: lost.why },
  ].flatMap(({ title, why }) => (why === undefined || why === '' ? [] : [{ title, why }]));
  return [...Map.groupBy(all, ({ why }) => why)]
    .map(([why, same]) => `${same.map(({ title }) => title).join(', ')}: ${whyText(why)}`)
    .join('; ');
}

/** Results have the codes of what makes figures void; people read their titles. */
function whyText(why: string): string {
  const [, codes] = /^void: (.+)$/.exec(why) ?? [];
  return codes === undefined ? why : `void (${reasonsText(codes)})`;
}
