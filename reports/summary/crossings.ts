// Finds where two lines of a curve cross, on the scales on which the chart draws them, so that text and
// picture agree.

import { toldApart, type Between } from '../../core/metrics/alike.ts';
import type { Metric } from '../../core/metrics/metric.ts';

export type Scale = 'linear' | 'log';
/** How the two axes of a curve are drawn. */
export type Scales = { x: Scale; y: Scale };
/** Two lines that cross: between two measured places, at a place that is interpolated. */
export type Crossing = {
  /** The line that is lower at `from` and higher at `to`. */
  below: string;
  above: string;
  /** The two nearest places at which both were measured and are told apart. */
  from: number;
  to: number;
  /** Where the drawn lines meet. */
  x: number;
  value: number;
};
type Point = Between & { variant: string; x: number };
type Place = { x: number; value: number };

/** Values of which the largest is at least this many times the smallest stand on a logarithmic axis. */
const logFromRatio = 8;

/** The scale of an axis that holds these values. */
export function scaleOf(values: readonly number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least > 0 && most / least >= logFromRatio ? 'log' : 'linear';
}

/** Every pair of lines that changes places. Lines that are alike on one side are not a crossing but noise. */
export function crossingsOf(
  points: readonly Point[],
  labels: readonly string[],
  metric: Pick<Metric, 'alikeWithin'>,
  scales: Scales,
): Crossing[] {
  const lines = labels.map((label) =>
    points.filter(({ variant }) => variant === label).sort((a, b) => a.x - b.x),
  );
  return labels.flatMap((a, i) =>
    labels.slice(i + 1).flatMap((b, k) => {
      const [first, second] = [lines[i]!, lines[i + 1 + k]!];
      const apart = first.flatMap((point) => {
        const other = second.find(({ x }) => x === point.x);
        return other === undefined || !toldApart(metric, point, other)
          ? []
          : [{ x: point.x, lower: point.value < other.value }];
      });
      return apart.slice(1).flatMap((to, j): Crossing[] => {
        const from = apart[j]!;
        const met = from.lower === to.lower ? undefined : meeting(first, second, from.x, to.x, scales);
        const [below, above] = from.lower ? [a, b] : [b, a];
        return met ? [{ below, above, from: from.x, to: to.x, ...met }] : [];
      });
    }),
  );
}

/** Where two lines meet between two places; of several such points, the middle one. */
function meeting(
  first: readonly Place[],
  second: readonly Place[],
  from: number,
  to: number,
  scales: Scales,
): Place | undefined {
  const within = [...new Set([...first, ...second].map(({ x }) => x))].filter((x) => x >= from && x <= to);
  const gaps = within
    .sort((a, b) => a - b)
    .map((x) => ({
      place: onScale(scales.x, x),
      gap: onScale(scales.y, drawnAt(first, x, scales)) - onScale(scales.y, drawnAt(second, x, scales)),
    }));
  const found = gaps.slice(1).flatMap((next, i) => {
    const last = gaps[i]!;
    if (last.gap === 0 || last.gap * next.gap > 0) return []; // from 0 it ended the step before
    const x = offScale(scales.x, last.place + ((next.place - last.place) * last.gap) / (last.gap - next.gap));
    return [{ x, value: drawnAt(first, x, scales) }];
  });
  return found[Math.floor((found.length - 1) / 2)];
}

/** What a line has at a place between its ends, as it is drawn. */
function drawnAt(line: readonly Place[], x: number, { x: across, y: up }: Scales): number {
  const right = line.find((point) => point.x >= x)!; // x lies between places of the line
  const left = line.findLast((point) => point.x <= x)!;
  if (left.x === right.x) return left.value;
  const [from, to] = [onScale(across, left.x), onScale(across, right.x)];
  const share = (onScale(across, x) - from) / (to - from);
  return offScale(up, onScale(up, left.value) + share * (onScale(up, right.value) - onScale(up, left.value)));
}

const onScale = (scale: Scale, value: number) => (scale === 'log' ? Math.log(value) : value);
const offScale = (scale: Scale, value: number) => (scale === 'log' ? Math.exp(value) : value);
