// Says by how much a figure may be off: what it would differ by if it were measured again, and how well each
// measured point is predicted from the others, stretched by how much further the place is from the nearest
// point than those points are from each other.

import { quantileUs, type Histogram } from '../../core/result/histogram.ts';
import type { ExpectedError } from '../../core/result/simulated.ts';
import { profileQuantiles, type ProfilePoint } from '../../core/profile/profile.ts';
import { median } from '../../core/base/median.ts';
import { cpuOf, placeOf, type At } from './costs.ts';
import { drawUs } from './distribution.ts';
import { distance, weighted, weightsAt } from './local-plane.ts';

/** Beyond the points an error grows at least by this share for each factor e. */
const perOutside = 0.15;

type Kind = 'latency.p50' | 'latency.p90' | 'latency.p99' | 'server-cpu';
/** `repeats`: what a measured figure would differ by if it were measured again, as a share of it. */
const kinds: Record<Kind, { of(point: ProfilePoint): number; repeats(point: ProfilePoint): number }> = {
  'latency.p50': { of: quantile(0.5), repeats: latencyRepeats(0.5) },
  'latency.p90': { of: quantile(0.9), repeats: latencyRepeats(0.9) },
  'latency.p99': { of: quantile(0.99), repeats: latencyRepeats(0.99) },
  'server-cpu': { of: cpuOf, repeats: ({ serverCpuSpread }) => serverCpuSpread },
};

/**
 * @param at the place of most events, or the place furthest outside of the measured ones
 * @param outside how far outside it lies, as a factor; 1 inside
 * @returns null where nothing can be said: points are too few, or the figure is a count, which models do not
 *   take from a profile
 */
export function expectedErrorAt(
  measured: readonly ProfilePoint[],
  { receivers, perS, payloadBytes }: At,
  outside: number,
): ExpectedError {
  const points = measured.filter((point) => point.perS > 0);
  const place = placeOf({ subscribers: Math.max(1, receivers), perS: Math.max(perS, 1e-9), payloadBytes });
  const places = points.map(placeOf);
  const near = Math.min(...places.map((one) => distance(one, place)));
  const errorOf = (kind: Kind) => {
    const { of, repeats: repeatsOf } = kinds[kind];
    const left = leaveOneOut(points, of);
    if (left === undefined) return null;
    const repeats = weighted(positiveWeights(places, place), points.map(repeatsOf));
    const stretched = left.distance === 0 ? 1 : Math.min(near / left.distance, 1);
    return Math.hypot(repeats, left.error * stretched) + perOutside * Math.log(outside);
  };
  return {
    'latency.p50': errorOf('latency.p50'),
    'latency.p90': errorOf('latency.p90'),
    'latency.p99': errorOf('latency.p99'),
    'server-cpu': errorOf('server-cpu'),
    requests: null,
    bytes: null,
    descriptors: null,
    memory: null,
    recovery: null,
    connects: null,
    losses: null,
  };
}

/** The kinds of latencies, and the quantile of each. */
export const latencyKinds = [
  ['latency.p50', 0.5],
  ['latency.p90', 0.9],
  ['latency.p99', 0.99],
] as const;

/**
 * The same where only a part of a latency may be off, and all other waiting is known.
 * @param latency the whole of it
 * @param partUs the part, at a quantile of its own; undefined where there is none
 */
export function errorsOfPart(
  expected: ExpectedError,
  latency: Histogram,
  partUs: (quantile: number) => number | undefined,
): ExpectedError {
  const errors = { ...expected };
  for (const [kind, quantile] of latencyKinds) {
    const wholeUs = quantileUs(latency, quantile);
    const ownUs = partUs(quantile);
    const error = errors[kind];
    if (error !== null && wholeUs !== undefined && ownUs !== undefined && wholeUs > 0)
      errors[kind] = wholeUs === Infinity ? 0 : error * Math.min(1, ownUs / wholeUs);
  }
  return errors;
}

/**
 * The median error of points predicted from all others, and their median distance to the nearest of those.
 */
function leaveOneOut(
  points: readonly ProfilePoint[],
  of: (point: ProfilePoint) => number,
): { error: number; distance: number } | undefined {
  if (points.length < 3) return undefined;
  const places = points.map(placeOf);
  const each = points.map((point, i) => {
    const others = places.filter((_, k) => k !== i);
    const values = points.filter((_, k) => k !== i).map((other) => Math.log(Math.max(1e-3, of(other))));
    const predicted = Math.exp(weighted(weightsAt(others, places[i]!), values));
    const actual = Math.max(1e-3, of(point));
    return {
      error: Math.abs(predicted - actual) / actual,
      distance: Math.min(...others.map((other) => distance(other, places[i]!))),
    };
  });
  return {
    error: median(each.map(({ error }) => error)) ?? 0,
    distance: median(each.map((one) => one.distance)) ?? 0,
  };
}

/** By nearness alone: a spread is no figure that a slope is followed of. */
function positiveWeights(places: readonly (readonly number[])[], place: readonly number[]): number[] {
  const near = places.map((one) => 1 / (distance(one, place) ** 2 + 1e-9));
  const total = near.reduce((sum, value) => sum + value, 0);
  return near.map((value) => value / total);
}

function quantile(share: number): (point: ProfilePoint) => number {
  const index = profileQuantiles.indexOf(share as (typeof profileQuantiles)[number]);
  return (point) => point.endToEndUs[index]!;
}

/**
 * Trials differ as a whole, and by which events they happened to have. The second is nothing for a median,
 * but of 500 events five decide the 99th percentile.
 */
function latencyRepeats(share: number): (point: ProfilePoint) => number {
  return (point) => Math.hypot(point.latencySpread, sampled(point, share));
}

/**
 * The standard error of a quantile of so many events, as a share of it: their number below it is binomial.
 * All receivers of an event share its delay, so events are the samples.
 */
function sampled({ endToEndUs, events }: ProfilePoint, share: number): number {
  const off = Math.sqrt((share * (1 - share)) / events);
  const [low, middle, high] = [share - off, share, share + off].map((at) =>
    drawUs(endToEndUs, Math.min(1, Math.max(0, at))),
  ) as [number, number, number]; // of three
  return middle > 0 ? (high - low) / 2 / middle : 0;
}
