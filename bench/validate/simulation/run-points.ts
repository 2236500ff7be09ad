// Runs points of a plane as calibration does, and predicts them.

import { patterns } from '../../../core/pattern/registry.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import { calibrate, type Measured } from '../../../harness/calibrate/calibrate.ts';
import { placeText, scenarioText, type Point } from '../../../harness/calibrate/points.ts';
import type { Bench } from './bench.ts';
import { simulatedIn, simulatedTrials } from './predict.ts';

export type RanPoints = {
  /** The trials of each point, at least one. */
  places: Measured[][];
  /** A sentence for each trial that does not count. */
  leftOut: string[];
};

/** @throws Error where nothing counted, or processes do not start */
export async function runPoints(
  points: readonly Point[],
  { fleet, machine }: Pick<Bench, 'fleet' | 'machine'>,
): Promise<RanPoints> {
  const { measured, leftOut, end } = await calibrate({
    points,
    budgetMs: Infinity,
    registry: patterns,
    fleet,
    machine,
    observer: {
      trialStarted: ({ as, label }, number, of) => console.log(`[${number}/${of}] ${label}, ${as ?? ''}`),
      progress() {},
      trialEnded() {},
      note: (text) => console.log(text),
    },
    signal: new AbortController().signal,
  });
  if (end.kind === 'failed') throw new Error(end.why);
  if (measured.length === 0) throw new Error(`nothing counted: ${leftOut.join(' ')}`);
  const places = Map.groupBy(measured, ({ point }) => `${point.pattern} ${placeText(point)}`);
  return { places: [...places.values()].toSorted(inOrder), leftOut };
}

function inOrder([one]: readonly Measured[], [other]: readonly Measured[]): number {
  const [a, b] = [one!.point, other!.point]; // a place has a trial
  const names = Object.keys(patterns);
  return (
    names.indexOf(a.pattern) - names.indexOf(b.pattern) || a.subscribers - b.subscribers || a.perS - b.perS
  );
}

/** Of the same trials, simulated. */
export function simulatedPoint(profile: Profile, points: readonly Point[]): ReturnType<typeof simulatedIn> {
  return simulatedIn(
    points.flatMap((point) => simulatedTrials(profile, scenarioText(point), [point.repetition])),
  );
}
