// Makes curves of a matrix: a metric over a parameter, a line for each variant, and where two lines cross.
// Values only; drawing them is curves.ts.

import { patternNamed } from '../../core/pattern/registry.ts';
import { eachSecond, magnitudeOf, shortPath } from '../../core/scenario/matrix.ts';
import { alike } from '../../core/metrics/alike.ts';
import { formatMetric, type Metric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Trial } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatUs } from '../../core/base/units.ts';
import { listed } from './notices.ts';
import { searchSentences } from './searches.ts';
import type { VariantTrials } from './variants.ts';

/** Median over the trials, with the lowest and the highest. */
export type CurvePoint = { variant: string; x: number; value: number; low: number; high: number };
/** Where the line that was lower up to `x` becomes the higher one. */
export type Crossing = { below: string; above: string; x: number };
export type Curve = {
  name: string;
  metric: Metric;
  /** What lies on the x axis: the parameter's name, with its unit, and how a place on it is written. */
  parameter: string;
  title: string;
  write(x: number): string;
  /** `publish = 10/s`, `2 updates a minute`. */
  place(x: number): string;
  /** `scheduled`: its subscribers ask on a schedule, so its cost is the price of asking. */
  lines: { label: string; index: number; round: number; scheduled: boolean }[];
  points: CurvePoint[];
  crossings: Crossing[];
  /** Trials that do not count, and are not in it. */
  leftOut: number;
};

type Cell = NonNullable<Trial['cell']>;
type CellTrials = { cell: Cell; variant: VariantTrials };

/** The curves of every result that has cells: for each set of parameters, one curve a metric. */
export function curvesOf(variants: readonly VariantTrials[]): Curve[] {
  const all = variants.flatMap((variant): CellTrials[] =>
    variant.trials[0]?.cell ? [{ variant, cell: variant.trials[0].cell }] : [],
  );
  const groups = Map.groupBy(all, ({ cell, variant }) =>
    [variant.round, ...Object.keys(cell.parameters)].join('\n'),
  );
  return [...groups.values()].flatMap((cells) =>
    (cells[0]!.variant.result.scenario.curves ?? []).flatMap((name) => curveOf(name, cells) ?? []),
  );
}

function curveOf(name: string, cells: readonly CellTrials[]): Curve | undefined {
  const metric = metrics[name];
  const paths = Object.keys(cells[0]!.cell.parameters);
  // The axis is the first parameter with magnitudes; another one makes lines of its own.
  const path = paths.find(
    (one) =>
      new Set(cells.map(({ cell }) => cell.parameters[one])).size > 1 &&
      cells.every(({ cell }) => magnitudeOf(cell.parameters[one]!)),
  );
  if (!metric || path === undefined) return undefined;
  const { axis } = cells[0]!.variant.result.scenario;
  const placeOf = ({ parameters, subscribers }: Cell) => {
    const { value } = magnitudeOf(parameters[path]!)!;
    return axis
      ? Number(((value * axis.times) / (axis.perSubscriber ? subscribers : 1)).toPrecision(6))
      : value;
  };
  const label = ({ variant, parameters }: Cell) =>
    [
      variant,
      ...paths.filter((one) => one !== path).map((one) => `${shortPath(one, paths)}=${parameters[one]}`),
    ].join(', ');
  const labels = [...new Set(cells.map(({ cell }) => label(cell)))];
  const points = cells.flatMap(({ cell, variant: { completed } }) => {
    const figure = figureOver(name, completed);
    if (figure.value === undefined) return [];
    const { value, low, high } = figure;
    return [{ variant: label(cell), x: placeOf(cell), value, low, high }];
  });
  if (points.length === 0) return undefined;
  const { unit } = magnitudeOf(cells[0]!.cell.parameters[path]!)!;
  const [parameter, write] = axis ? [axis.says, formatNumber] : [shortPath(path, paths), writers[unit]!];
  return {
    name,
    metric,
    points,
    parameter,
    write,
    title: axis || unit === '' ? parameter : `${parameter}, ${units[unit]}`,
    place: (x) => (axis ? `${write(x)} ${parameter}` : `${parameter} = ${write(x)}`),
    lines: labels.map((one, index) => ({
      label: one,
      index,
      round: cells[0]!.variant.round,
      scheduled: cells.some(
        ({ cell, variant: { pattern } }) =>
          label(cell) === one && patternNamed(pattern)?.asksEveryMs !== undefined,
      ),
    })),
    crossings: crossingsOf(points, labels, metric),
    leftOut: cells.reduce(
      (sum, { variant }) => sum + variant.trials.filter(({ outcome }) => !outcome.valid).length,
      0,
    ),
  };
}

const writers: Record<string, (x: number) => string> = {
  '': formatNumber,
  'a second': (x) => `${formatNumber(x)}/s`,
  [eachSecond]: (x) => `${formatNumber(x)}/s each`,
  bytes: formatBytes,
  ms: (x) => formatUs(x * 1000),
  share: (x) => `${formatNumber(x * 100)} %`,
};

const units: Record<string, string> = {
  'a second': 'a second',
  [eachSecond]: 'a second and topic',
  bytes: 'bytes',
  ms: 'milliseconds',
  share: 'share',
};

/**
 * Where two lines cross, read between neighbouring points on logarithmic scales. Lines that are alike on one
 * side of the crossing are no crossing but noise.
 */
export function crossingsOf(
  points: readonly Pick<CurvePoint, 'variant' | 'x' | 'value'>[],
  labels: readonly string[],
  metric: Pick<Metric, 'alikeWithin'>,
): Crossing[] {
  const line = (label: string) =>
    new Map(
      points
        .filter(({ variant, value, x }) => variant === label && value > 0 && x > 0)
        .map(({ x, value }) => [x, value]),
    );
  return labels.flatMap((a, i) =>
    labels.slice(i + 1).flatMap((b) => {
      const [first, second] = [line(a), line(b)];
      const both = [...first.keys()].filter((x) => second.has(x)).sort((one, other) => one - other);
      // Above 0 where a is the higher one.
      const gaps = both.map((x) => Math.log(first.get(x)! / second.get(x)!));
      const apart = both.map((x) => !alike(metric, first.get(x)!, second.get(x)!));
      return gaps.flatMap((gap, k) => {
        const next = gaps[k + 1];
        if (
          next === undefined ||
          gap * next >= 0 ||
          !apart.slice(0, k + 1).includes(true) ||
          !apart.slice(k + 1).includes(true)
        )
          return [];
        const [from, to] = [Math.log(both[k]!), Math.log(both[k + 1]!)];
        const x = Math.exp(from + ((to - from) * gap) / (gap - next));
        return [{ below: gap < 0 ? a : b, above: gap < 0 ? b : a, x }];
      });
    }),
  );
}

/**
 * Whether another line is the lowest beyond the crossing. Lines at 0 are below
 * all of them and cross none.
 */
function changesLowest({ below, above, x }: Crossing, points: readonly CurvePoint[]): boolean {
  const before = Math.max(...points.filter((point) => point.x <= x).map((point) => point.x));
  const beyond = Math.min(...points.filter((point) => point.x > x).map((point) => point.x));
  const lowestAt = (at: number) =>
    points.filter((point) => point.x === at && point.value > 0).sort((a, b) => a.value - b.value)[0]?.variant;
  return lowestAt(before) === below && lowestAt(beyond) === above;
}

/** What the curve shows, in a sentence without its full stop. */
export function curveSentence({ metric, place, points, lines, crossings }: Curve): string {
  const title = `${metric.title[0]!.toUpperCase()}${metric.title.slice(1)}`;
  const decisive = crossings.filter((one) => changesLowest(one, points));
  const crossing =
    decisive.find(({ below, above }) =>
      lines.some(({ label, scheduled }) => scheduled && [below, above].includes(label)),
    ) ?? decisive[0];
  if (crossing)
    return (
      `${title}: ${crossing.below} is lower than ${crossing.above} up to ` +
      `${place(Number(crossing.x.toPrecision(2)))} or so, and higher beyond`
    );
  const [low, high] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const ends = [low, high].map((x) => {
    const there = points.filter((point) => point.x === x).sort((a, b) => a.value - b.value);
    const written = there.map(({ value, variant }) => ({ text: formatMetric(value, metric.unit), variant }));
    const [least, most] = [written[0]!.text, written.at(-1)!.text]; // both ends are some point's
    const named = (text: string) =>
      `${text} (${listed(written.filter((one) => one.text === text).map(({ variant }) => variant))})`;
    const where = `at ${place(x)}`;
    return least === most && written.length > 1
      ? `${most} ${where}`
      : `${least === most ? '' : `${named(least)} to `}${named(most)} ${where}`;
  });
  return `${title}: ${[...new Set(ends)].join('; ')}`;
}

/**
 * The answer of a matrix or a search: its first curve, and those of the others in which another line becomes
 * the lowest. `undefined` where nothing has cells.
 */
export function curveHeadline(variants: readonly VariantTrials[]): string | undefined {
  const found = searchSentences([...new Set(variants.map(({ result }) => result))]);
  if (found.length > 0) return `${found.join('. ')}.`;
  const [first, ...others] = curvesOf(variants);
  if (!first || variants.some(({ trials }) => trials[0]?.cell === undefined)) return undefined;
  return (
    [first, ...others.filter(({ crossings, points }) => crossings.some((one) => changesLowest(one, points)))]
      .slice(0, 3)
      .map(curveSentence)
      .join('. ') + '.'
  );
}
