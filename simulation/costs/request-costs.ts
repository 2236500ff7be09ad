// Says what polling costs its server: CPU for requests, for the events that answers carry, and for taking
// events from publishers, fitted over the points of a profile (least squares of shares, no part below 0).
//
// A request by itself costs more than one of many: the process is woken for it, and its code and the kernel's
// are cold. So requests and published events have a part that grows with the root of their rate. By what
// share a point is off such a fit is interpolated between the points (local-plane.ts), and kept outside of
// them.

import type { ProfilePoint } from '../../core/profile/profile.ts';
import { weighted, weightsAt, type Place } from './local-plane.ts';

/** What a server is asked for, a second. */
export type Asked = { requestsPerS: number; deliveriesPerS: number; eventsPerS: number };

/** CPU in microseconds a second. */
export type RequestCosts = {
  requestsUs(asked: Asked): number;
  deliveriesUs(asked: Asked): number;
  eventsUs(asked: Asked): number;
};

const parts: readonly ((asked: Asked) => number)[] = [
  ({ requestsPerS }) => requestsPerS,
  ({ requestsPerS }) => Math.sqrt(requestsPerS),
  ({ deliveriesPerS }) => deliveriesPerS,
  ({ eventsPerS }) => Math.sqrt(eventsPerS),
];

export function fitRequestCosts(points: readonly ProfilePoint[]): RequestCosts {
  const known = points.flatMap((point) => {
    const cpuUs = (point.serverCpuShare - point.serverIdleShare) * 1e6;
    const { requestsPerS, subscribers, perS } = point;
    if (cpuUs <= 0 || requestsPerS <= 0 || perS <= 0) return [];
    return [{ cpuUs, asked: { requestsPerS, deliveriesPerS: subscribers * perS, eventsPerS: perS } }];
  });
  const factors = nonNegativeFit(known.map(({ cpuUs, asked }) => parts.map((part) => part(asked) / cpuUs)));
  const fitted = (asked: Asked, which: readonly number[]) =>
    which.reduce((sum, i) => sum + factors[i]! * parts[i]!(asked), 0);
  const all = [...parts.keys()];
  const correction = interpolated(
    known.map(({ asked }) => placeOf(asked)),
    known.map(({ cpuUs, asked }) => Math.log(cpuUs / fitted(asked, all))),
  );
  const costOf =
    (...which: readonly number[]) =>
    (asked: Asked): number =>
      fitted(asked, which) * Math.exp(correction(placeOf(asked)));
  return { requestsUs: costOf(0, 1), deliveriesUs: costOf(2), eventsUs: costOf(3) };
}

function placeOf({ requestsPerS, eventsPerS }: Asked): Place {
  return [Math.log(requestsPerS), Math.log(eventsPerS)];
}

/** Between the places; outside of them as at the nearest edge, and 0 where there is none. */
function interpolated(places: readonly Place[], values: readonly number[]): (place: Place) => number {
  if (places.length === 0) return () => 0;
  const ranges = places[0]!.map((_, axis) => {
    const own = places.map((place) => place[axis]!);
    return { low: Math.min(...own), high: Math.max(...own) };
  });
  return (place) => {
    const inside = ranges.map(({ low, high }, axis) => Math.min(high, Math.max(low, place[axis]!)));
    return weighted(weightsAt(places, inside), values);
  };
}

/**
 * Factors, none below 0, with which the columns add up to 1 in each row as nearly as can be. Of fits that are
 * as good the one with the fewest columns. There are few columns, so every choice of them is tried.
 */
function nonNegativeFit(rows: readonly (readonly number[])[]): number[] {
  let best = { columns: [] as number[], factors: [] as number[], error: rows.length };
  const choices = Array.from({ length: 2 ** parts.length - 1 }, (_, bits) =>
    parts.flatMap((__, i) => (((bits + 1) >> i) & 1 ? [i] : [])),
  ).toSorted((a, b) => a.length - b.length);
  for (const columns of choices) {
    const factors = leastSquares(rows, columns);
    if (!factors || factors.some((factor) => factor < 0)) continue;
    const error = rows.reduce(
      (sum, row) => sum + (columns.reduce((all, column, i) => all + row[column]! * factors[i]!, 0) - 1) ** 2,
      0,
    );
    if (error < best.error - 1e-9) best = { columns, factors, error };
  }
  return parts.map((_, i) => best.factors[best.columns.indexOf(i)] ?? 0);
}

/** By the normal equations; undefined where the columns do not tell themselves apart. */
function leastSquares(
  rows: readonly (readonly number[])[],
  columns: readonly number[],
): number[] | undefined {
  const sum = (of: (row: readonly number[]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const scale = columns.map((column) => Math.sqrt(sum((row) => row[column]! ** 2)));
  if (scale.some((one) => one === 0)) return undefined;
  const matrix = columns.map((a, i) => [
    ...columns.map((b, k) => sum((row) => row[a]! * row[b]!) / (scale[i]! * scale[k]!)),
    sum((row) => row[a]!) / scale[i]!,
  ]);
  for (const [i, own] of matrix.entries()) {
    // Symmetric and positive, so no row has to change places.
    if (own[i]! < 1e-6) return undefined;
    for (const [k, other] of matrix.entries()) {
      if (k === i) continue;
      const factor = other[i]! / own[i]!;
      for (let at = i; at < own.length; at++) other[at]! -= factor * own[at]!;
    }
  }
  return matrix.map((row, i) => row.at(-1)! / row[i]! / scale[i]!);
}
