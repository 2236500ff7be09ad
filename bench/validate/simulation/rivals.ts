// Predicts a point in the two ways that a simulation must beat to earn its place: the figures of the nearest
// point of the profile, and a plane over all of them in logarithms, log y = a + b log N + c log rate. Pure.

import { profileQuantiles, type ProfilePoint, type ProfileVariant } from '../../../core/profile/profile.ts';
import type { Figures } from './figures.ts';

/** Of a server by itself that keeps up. */
const alone = { missed: 0, besideCpu: 0 } as const;

type Place = Pick<ProfilePoint, 'subscribers' | 'perS'>;

export type Rival = (measured: Pick<ProfileVariant, 'points' | 'atRest'>, place: Place) => Figures;

/** As the calibrated run that is nearest in logarithms of both. */
export const nearestRun: Rival = ({ points, atRest }, place) => {
  const distance = (point: Place) =>
    Math.hypot(Math.log(point.subscribers / place.subscribers), Math.log(point.perS / place.perS));
  const near = points.reduce((best, point) => (distance(point) < distance(best) ? point : best));
  return figuresAt(near, atRest);
};

/** Along the plane that fits all points best; of points on one line the nearest run's figures. */
export const plane: Rival = (measured, place) => {
  const rows = measured.points.map((point) => [1, Math.log(point.subscribers), Math.log(point.perS)]);
  const at = [1, Math.log(place.subscribers), Math.log(place.perS)];
  const all = measured.points.map((point) => figuresAt(point, measured.atRest));
  const figure = (of: (figures: Figures) => number) => {
    const values = all.map(of);
    // What is 0 somewhere has no logarithm: streams make no requests.
    if (values.some((value) => !(value > 0))) return of(nearestRun(measured, place));
    const fit = leastSquares(rows, values.map(Math.log));
    if (!fit) return of(nearestRun(measured, place));
    return Math.exp(fit.reduce((sum, slope, i) => sum + slope * at[i]!, 0));
  };
  return {
    requests: figure(({ requests }) => requests),
    deliveries: figure(({ deliveries }) => deliveries),
    bytes: figure(({ bytes }) => bytes),
    descriptors: figure(({ descriptors }) => descriptors),
    serverCpu: figure(({ serverCpu }) => serverCpu),
    p50: figure(({ p50 }) => p50),
    p99: figure(({ p99 }) => p99),
    ...alone,
  };
};

function figuresAt(point: ProfilePoint, atRest: ProfileVariant['atRest']): Figures {
  const at = (quantile: (typeof profileQuantiles)[number]) =>
    point.endToEndUs[profileQuantiles.indexOf(quantile)]!;
  return {
    requests: point.requestsPerS,
    deliveries: point.subscribers * point.perS,
    bytes: point.bytesInPerS + point.bytesOutPerS,
    descriptors: point.subscribers * atRest.descriptors,
    serverCpu: point.serverCpuShare,
    p50: at(0.5),
    p99: at(0.99),
    ...alone,
  };
}

/**
 * The coefficients with the least squares of `rows` times them less `values`.
 * @returns undefined where the rows do not tell them
 */
export function leastSquares(
  rows: readonly (readonly number[])[],
  values: readonly number[],
): number[] | undefined {
  const size = rows[0]?.length ?? 0;
  const sum = (of: (row: readonly number[], i: number) => number) =>
    rows.reduce((total, row, i) => total + of(row, i), 0);
  // The normal equations, each with its right side behind it.
  const equations = Array.from({ length: size }, (_, a) => [
    ...Array.from({ length: size }, (__, b) => sum((row) => row[a]! * row[b]!)),
    sum((row, i) => row[a]! * values[i]!),
  ]);
  for (let column = 0; column < size; column++) {
    const pivot = equations
      .slice(column)
      .reduce((best, row) => (Math.abs(row[column]!) > Math.abs(best[column]!) ? row : best));
    if (Math.abs(pivot[column]!) < 1e-9) return undefined;
    const place = equations.indexOf(pivot);
    [equations[column], equations[place]] = [pivot, equations[column]!];
    for (const row of equations) {
      if (row === pivot) continue;
      const factor = row[column]! / pivot[column]!;
      for (let i = column; i <= size; i++) row[i]! -= factor * pivot[i]!;
    }
  }
  return equations.map((row, i) => row[size]! / row[i]!);
}
