// Says what a broker and HAProxy add at so many events a second, from what a profile has measured:
// interpolated between its points in logarithms, and outside of them as at the nearest one.

import type { BrokerPoint, FrontPoint } from '../../core/profile/profile.ts';
import { ascending, type Knots } from './distribution.ts';
import { weighted, weightsAt } from './local-plane.ts';

export type BrokerCost = Pick<
  BrokerPoint,
  'directCpuUs' | 'publishedCpuUs' | 'receivedCpuUs' | 'brokerCpuUs' | 'brokerCpuEachUs'
> & { delayUs: Knots; extrapolated: number };

export type FrontCost = { addedUs: Knots; cpuUs: number; extrapolated: number };

export function brokerCostAt(points: readonly BrokerPoint[], perS: number): BrokerCost {
  const { weights, extrapolated } = near(points, [(point) => point.perS], [perS]);
  const mean = (of: (point: BrokerPoint) => number) => weighted(weights, points.map(of));
  const cpu = (of: (point: BrokerPoint) => number) => Math.max(0, mean(of));
  return {
    delayUs: knotsOf(points, weights, ({ delayUs }) => delayUs),
    directCpuUs: cpu(({ directCpuUs }) => directCpuUs),
    publishedCpuUs: cpu(({ publishedCpuUs }) => publishedCpuUs),
    receivedCpuUs: cpu(({ receivedCpuUs }) => receivedCpuUs),
    brokerCpuUs: cpu(({ brokerCpuUs }) => brokerCpuUs),
    brokerCpuEachUs: cpu(({ brokerCpuEachUs }) => brokerCpuEachUs),
    extrapolated,
  };
}

export function frontCostAt(
  points: readonly FrontPoint[],
  at: { subscribers: number; perS: number },
): FrontCost {
  const { weights, extrapolated } = near(
    points,
    [(point) => point.subscribers, (point) => point.perS],
    [at.subscribers, at.perS],
  );
  return {
    addedUs: knotsOf(points, weights, ({ addedUs }) => addedUs),
    cpuUs: Math.max(
      0,
      weighted(
        weights,
        points.map(({ cpuUs }) => cpuUs),
      ),
    ),
    extrapolated,
  };
}

/** What was measured may be 0, so figures are not logarithms, as the places are. */
function knotsOf<P>(points: readonly P[], weights: readonly number[], of: (point: P) => Knots): Knots {
  const knots = points.map(of);
  return ascending(
    knots[0]!.map((_, i) =>
      weighted(
        weights,
        knots.map((one) => one[i]!),
      ),
    ),
  );
}

/** How much each point counts at a place, and how far outside of all of them that is. */
function near<P>(
  points: readonly P[],
  axes: readonly ((point: P) => number)[],
  at: readonly number[],
): { weights: number[]; extrapolated: number } {
  const ranges = axes.map((axis) => {
    const values = points.map(axis);
    return { low: Math.min(...values), high: Math.max(...values) };
  });
  const inside = ranges.map(({ low, high }, i) => Math.min(high, Math.max(low, at[i]!)));
  return {
    weights: weightsAt(
      points.map((point) => axes.map((axis) => Math.log(axis(point)))),
      inside.map(Math.log),
    ),
    extrapolated: ranges.reduce(
      (most, { low, high }, i) => Math.max(most, at[i]! / high, low / Math.max(at[i]!, Number.MIN_VALUE)),
      1,
    ),
  };
}
