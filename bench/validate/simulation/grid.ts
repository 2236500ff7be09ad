// Lists the points that predictions are compared with: between those of the full calibration and beyond them,
// none of them the same.

import type { PatternRegistry } from '../../../core/pattern/pattern.ts';
import { calibrated, type Point } from '../../../harness/calibrate/points.ts';

/** Over both trials of a point, at least. */
export const leastEvents = 500;
export const repeats = 2;
const leastMeasureMs = 10_000;

type Place = readonly [subscribers: number, perS: number];

/** What a small machine carries well below four fifths of a core of the server. */
const streams: readonly Place[] = [
  [50, 10],
  [50, 40],
  [50, 150],
  [250, 10],
  [250, 40],
  [1000, 10],
  [1000, 28],
  [3000, 8],
  [30, 400],
];
/** Each delivery takes a request. */
const answers: readonly Place[] = [
  [50, 10],
  [50, 40],
  [250, 10],
  [150, 30],
  [1000, 4],
  [30, 150],
];
const short: readonly Place[] = [
  [50, 40],
  [250, 10],
];

/** All trials, every point once before any twice, patterns in turn. */
export function grid(registry: PatternRegistry, quick: boolean): Point[] {
  // Webhooks are calibrated but not compared with runs: their expected errors say no more than the profile.
  const names = calibrated(registry).filter((name) => registry[name]!.holdsConnection);
  const placesOf = (name: string) => {
    const { fromHistory, answersAtOnce } = registry[name]!;
    return quick ? short : fromHistory && !answersAtOnce ? answers : streams;
  };
  const most = Math.max(...names.map((name) => placesOf(name).length));
  return Array.from({ length: quick ? 1 : repeats }, (_, trial) =>
    Array.from({ length: most }, (__, i) =>
      names.flatMap((pattern): Point[] => {
        const place = placesOf(pattern)[i];
        if (!place) return [];
        const [subscribers, perS] = place;
        const wantedMs = Math.ceil(leastEvents / repeats / perS) * 1000;
        const measureMs = quick ? 3000 : Math.max(leastMeasureMs, wantedMs);
        // Other seeds than those of calibration.
        return [{ pattern, subscribers, perS, measureMs, repetition: trial + 101 }];
      }),
    ),
  ).flat(2);
}
