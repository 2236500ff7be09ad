// Compares simulations with reality: runs points that calibration has not seen, and predicts each of them
// from a profile and in two simpler ways.

import { patterns } from '../../core/pattern/registry.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Measured } from '../../harness/calibrate/calibrate.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { measuredIn } from './simulation/figures.ts';
import { grid } from './simulation/grid.ts';
import type { Row } from './simulation/judge.ts';
import { completedIn } from './simulation/predict.ts';
import { claimsOf, markdownOf } from './simulation/report.ts';
import { nearestRun, plane } from './simulation/rivals.ts';
import { runPoints, simulatedPoint, type RanPoints } from './simulation/run-points.ts';
import { leftOutText, percentilesText, profileText } from './simulation/words.ts';

export const simulation: Part = {
  title: 'Simulations against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) =>
      outcomeOf(bench.profile, await runPoints(grid(patterns, quick), bench), bench.cores),
    ),
};

function outcomeOf(profile: Profile, { places, leftOut }: RanPoints, cores: string): Outcome {
  const rows = places.map((same) => rowOf(profile, same));
  return {
    claims: claimsOf(rows),
    markdown:
      `${profileText(profile)} predicts points that it has not ` +
      `seen, between its own and beyond them; one topic, 256 B, evenly spaced events, ${cores}. ` +
      `${percentilesText}\n\n` +
      markdownOf(rows) +
      leftOutText(leftOut),
    points: rows,
  };
}

function rowOf(profile: Profile, same: readonly Measured[]): Row {
  const { point, trial } = same[0]!; // a group has one
  const { pattern, subscribers, perS } = point;
  const known = profile.variants[trial.variant.label];
  if (!known) throw new Error(`the profile "${profile.name}" has nothing of ${trial.variant.label}`);
  const { simulated, stated } = simulatedPoint(profile, same);
  return {
    pattern,
    subscribers,
    perS,
    ...measuredIn(same.flatMap((one) => completedIn(one.trial))),
    predicted: {
      simulated,
      nearest: nearestRun(known, point),
      plane: plane(known, point),
    },
    stated,
  };
}
