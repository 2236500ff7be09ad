// Interpolates between measured points that lie anywhere: through each point, and between them along the
// plane that fits the nearest best (moving least squares). Points on a plane give that plane back, and
// points on a grid need no special case.

/** Where a point lies, each axis on a logarithmic scale. */
export type Place = readonly number[];

/**
 * As a share of the weight of points: keeps slopes at 0 where the points say nothing about them, and small
 * where they say little.
 */
const ridge = 1e-3;
/** Squared distance below which a point stands for the place by itself. */
const nearest = 1e-9;

export function distance(a: Place, b: Place): number {
  return Math.sqrt(a.reduce((sum, value, axis) => sum + (value - b[axis]!) ** 2, 0));
}

/**
 * How much each point counts at a place: the value there is the sum of the points' values times these
 * weights. The weights add up to 1. Some may be negative, where a slope is followed.
 */
export function weightsAt(points: readonly Place[], place: Place): number[] {
  const size = place.length + 1;
  const rows = points.map((point) => [1, ...point.map((value, axis) => value - place[axis]!)]);
  const near = points.map((point) => 1 / (distance(point, place) ** 2 + nearest) ** 2);
  const matrix = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size }, (_, j) => sum(rows.map((row, k) => near[k]! * row[i]! * row[j]!))),
  );
  const spread = sum(matrix.map((row, i) => (i === 0 ? 0 : row[i]!)));
  for (let i = 1; i < size; i++) matrix[i]![i]! += ridge * spread + Number.MIN_VALUE;
  const first = solve(
    matrix,
    Array.from({ length: size }, (_, i) => (i === 0 ? 1 : 0)),
  );
  return rows.map((row, k) => near[k]! * sum(row.map((value, i) => first[i]! * value)));
}

export function weighted(weights: readonly number[], values: readonly number[]): number {
  return sum(weights.map((weight, i) => weight * values[i]!));
}

/** Gauss with pivots; an unknown that no equation tells is 0. */
function solve(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let i = column; i < size; i++)
      if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const own = rows[column]!;
    if (own[column] === 0) continue;
    for (let i = 0; i < size; i++) {
      if (i === column) continue;
      const factor = rows[i]![column]! / own[column]!;
      if (factor !== 0) for (let j = column; j <= size; j++) rows[i]![j]! -= factor * own[j]!;
    }
  }
  return rows.map((row, i) => (row[i] === 0 ? 0 : row[size]! / row[i]!));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
