// Makes curves of a matrix: a metric over a parameter, a line for each variant, and where two lines cross.
// Values only: finding the crossings is crossings.ts, drawing is page/curves.ts.

import { looksOf, type Look } from '../../core/pattern/palette.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import { eachSecond, magnitudeOf, shortPath } from '../../core/scenario/matrix.ts';
import { formatMetric, type Metric } from '../../core/metrics/metric.ts';
import { figureOver, metrics, trialsFor } from '../../core/metrics/registry.ts';
import type { Trial } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatUs } from '../../core/base/units.ts';
import { crossingsOf, scaleOf, type Crossing, type Scales } from './crossings.ts';
import { listed } from '../../core/base/suggest.ts';
import { valueText } from './cells-apart.ts';
import { isOfWhatCame } from './losses.ts';
import { variantNames } from './names.ts';
import { searchSentences } from './searches.ts';
import type { VariantTrials } from './variants.ts';

/** Median over the trials, with the lowest and the highest. */
export type CurvePoint = {
  variant: string;
  x: number;
  value: number;
  low: number;
  high: number;
  within?: readonly [low: number, high: number];
  /** A latency of the deliveries that arrived, as others were lost: it is drawn, and never the lowest. */
  came?: true;
};
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
  lines: { label: string; look: Look; round: number; scheduled: boolean }[];
  points: CurvePoint[];
  /** How the axes are drawn, and so on which scales crossings are found. */
  scales: Scales;
  crossings: Crossing[];
  /** Trials that failed or in which the figure is void, and are not in it. */
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
  const called = variantNames([...new Set(cells.map((one) => one.variant.result))]);
  const others = paths.filter((one) => one !== path);
  // Lines of one variant are called by what sets them apart.
  const isAlone = new Set(cells.map(({ cell }) => cell.variant)).size === 1 && others.length > 0;
  const label = ({ variant, parameters }: Cell) =>
    isAlone
      ? others.map((one) => valueText({ name: shortPath(one, paths) }, parameters[one]!)).join(', ')
      : [called.of(variant), ...others.map((one) => `${shortPath(one, paths)}=${parameters[one]}`)].join(
          ', ',
        );
  const labels = [...new Set(cells.map(({ cell }) => label(cell)))];
  const points = cells.flatMap(({ cell, variant }): CurvePoint[] => {
    const figure = figureOver(name, variant.completed);
    if (figure.value === undefined) return [];
    const { trials: _, ...point } = figure;
    const came = isOfWhatCame(name, variant) && { came: true as const };
    return [{ variant: label(cell), x: placeOf(cell), ...point, ...came }];
  });
  if (points.length === 0) return undefined;
  const looks = looksOf(
    labels.map((one) => ({
      own: one,
      pattern: cells.find(({ cell }) => label(cell) === one)!.variant.pattern, // a label is some cell's
    })),
  );
  const { unit } = magnitudeOf(cells[0]!.cell.parameters[path]!)!;
  const scales = {
    x: scaleOf(points.map(({ x }) => x)),
    y: scaleOf(points.flatMap(({ low, high }) => [low, high])),
  };
  const [parameter, write] = axis ? [axis.says, formatNumber] : [shortPath(path, paths), writers[unit]!];
  return {
    name,
    metric,
    points,
    parameter,
    write,
    title: axis || unit === '' ? parameter : `${parameter}, ${units[unit]}`,
    place: (x) => (axis ? `${write(x)} ${parameter}` : `${parameter} = ${write(x)}`),
    lines: labels.map((one, i) => ({
      label: one,
      look: looks[i]!,
      round: cells[0]!.variant.round,
      scheduled: cells.some(
        ({ cell, variant: { pattern } }) =>
          label(cell) === one && patternNamed(pattern)?.asksEveryMs !== undefined,
      ),
    })),
    scales,
    crossings: crossingsOf(points.filter(isRanked), labels, metric, scales),
    leftOut: cells.reduce(
      (sum, { variant: { trials, completed } }) => sum + trials.length - trialsFor(metric, completed).length,
      0,
    ),
  };
}

/** A lost delivery has no latency, so such a point is compared with no other. */
export const isRanked = ({ came }: CurvePoint): boolean => came !== true;

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

/** Orders points from the best on: the lowest, or the highest of a metric of which more is better. */
export function bestFirst({ better }: Pick<Metric, 'better'>): (a: CurvePoint, b: CurvePoint) => number {
  return better === 'higher' ? (a, b) => b.value - a.value : (a, b) => a.value - b.value;
}

/** Whether the best line changes there. Lines at 0 throughout are below all others and cross none. */
export function changesBest(
  { below, above, from, to }: Crossing,
  { points, metric }: Pick<Curve, 'points' | 'metric'>,
): boolean {
  const above0 = new Set(points.flatMap(({ value, variant }) => (value > 0 ? [variant] : [])));
  const bestAt = (at: number) =>
    points
      .filter(isRanked)
      .filter(({ x, variant }) => x === at && above0.has(variant))
      .sort(bestFirst(metric))[0]?.variant;
  const [before, after] = metric.better === 'higher' ? [above, below] : [below, above];
  return bestAt(from) === before && bestAt(to) === after;
}

/** Where lines cross, as far as it is read between measured points: `10/s`. */
export function crossingPlace({ x }: Crossing, { write }: Pick<Curve, 'write'>): string {
  return write(Number(x.toPrecision(2)));
}

/** `Below about 4 updates a minute, webhook needs fewer requests than polling; above, more (...)` */
function crossingSentence(crossing: Crossing, curve: Curve): string {
  const { below, above, from, to } = crossing;
  const { name, metric, parameter, place, write } = curve;
  const about = crossingPlace(crossing, curve);
  const where = place(0).startsWith(`${parameter} =`) ? `${about} (${parameter})` : `${about} ${parameter}`;
  const what = metric.title.split(',')[0]!;
  const [less, more] =
    metric.unit === 'count' || name.includes('bytes')
      ? [`needs fewer ${what} than`, 'more']
      : name.startsWith('server-cpu') || name.startsWith('client-cpu')
        ? [`costs less ${what} than`, 'more']
        : [`has a lower ${what} than`, 'a higher one'];
  return (
    `Below about ${where}, ${below} ${less} ${above}; above, ${more} ` +
    `(interpolated between ${write(from)} and ${write(to)})`
  );
}

/** What the curve shows, in a sentence without its full stop. */
export function curveSentence(curve: Curve): string {
  const { metric, place, points, lines, crossings } = curve;
  const title = sentenceStart(metric.title);
  const decisive = crossings.filter((one) => changesBest(one, curve));
  const crossing =
    decisive.find(({ below, above }) =>
      lines.some(({ label, scheduled }) => scheduled && [below, above].includes(label)),
    ) ?? decisive[0];
  if (crossing) return crossingSentence(crossing, curve);
  const [low, high] = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const ends = [low, high].map((x) => {
    const all = points.filter((point) => point.x === x);
    const whole = all.filter(isRanked);
    const there = (whole.length > 0 ? whole : all).toSorted((a, b) => a.value - b.value);
    const written = there.map(({ value, variant }) => ({ text: formatMetric(value, metric.unit), variant }));
    const [least, most] = [written[0]!.text, written.at(-1)!.text]; // both ends are some point's
    const named = (text: string) => {
      const variants = written.filter((one) => one.text === text).map(({ variant }) => variant);
      return lines.length === 1 ? text : `${text} (${listed(variants)})`;
    };
    const where = `at ${place(x)}${whole.length > 0 ? '' : ', of deliveries that arrived'}`;
    return least === most && written.length > 1
      ? `${most} ${where}`
      : `${least === most ? '' : `${named(least)} to `}${named(most)} ${where}`;
  });
  return `${title}: ${[...new Set(ends)].join('; ')}`;
}

/**
 * The answer of a matrix or a search: its first curve, and those of the others in which another line becomes
 * the best. `undefined` where nothing has cells.
 */
export function curveHeadline(variants: readonly VariantTrials[]): string | undefined {
  const found = searchSentences([...new Set(variants.map(({ result }) => result))]);
  if (found.length > 0) return `${found.join('. ')}.`;
  const [first, ...others] = curvesOf(variants);
  if (!first || variants.some(({ trials }) => trials[0]?.cell === undefined)) return undefined;
  return (
    [first, ...others.filter((curve) => curve.crossings.some((one) => changesBest(one, curve)))]
      .slice(0, 3)
      .map(curveSentence)
      .join('. ') + '.'
  );
}
