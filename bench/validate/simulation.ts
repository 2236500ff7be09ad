// Compares simulations with reality: runs points that calibration has not seen, and predicts each of them
// from a profile and in two simpler ways.

import { openProfile } from '../../api/profiles.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Measured } from '../../harness/calibrate/calibrate.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { measuredIn } from './simulation/figures.ts';
import { grid } from './simulation/grid.ts';
import type { Row } from './simulation/judge.ts';
import { keptGrid, type KeptGrid } from './simulation/kept.ts';
import { completedIn } from './simulation/predict.ts';
import { claimsOf, markdownOf } from './simulation/report.ts';
import { nearestRun, plane } from './simulation/rivals.ts';
import { runPoints, simulatedPoint } from './simulation/run-points.ts';
import { leftOutText, percentilesText, profileText } from './simulation/words.ts';

export const simulation: Part = {
  title: 'Simulations against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const { places, leftOut } = await runPoints(grid(patterns, quick), bench);
      return outcomeOf(bench.profile, { rows: places.map(measuredOf), leftOut, cores: bench.cores });
    }),
  again: (measured, profileName) => outcomeOf(openProfile(profileName), keptGrid.parse(measured)),
};

function measuredOf(same: readonly Measured[]): KeptGrid['rows'][number] {
  return {
    points: same.map(({ point }) => point),
    ...measuredIn(same.flatMap((one) => completedIn(one.trial))),
  };
}

function outcomeOf(profile: Profile, measured: KeptGrid): Outcome {
  const { leftOut, cores } = measured;
  const rows = measured.rows.map((row) => rowOf(profile, row));
  return {
    claims: claimsOf(rows),
    markdown:
      `${profileText(profile)} predicts points that it has not ` +
      `seen, between its own and beyond them; one topic, 256 B, evenly spaced events, ${cores}. ` +
      `${percentilesText}\n\n` +
      markdownOf(rows) +
      leftOutText(leftOut),
    measured,
  };
}

function rowOf(profile: Profile, { points, ...measured }: KeptGrid['rows'][number]): Row {
  const [point] = points as [KeptGrid['rows'][number]['points'][number]]; // a place has a trial
  const { pattern, subscribers, perS } = point;
  const known = profile.variants[pattern]; // points have the default options
  if (!known) throw new Error(`the profile "${profile.name}" has nothing of ${pattern}`);
  const { simulated, stated } = simulatedPoint(profile, points);
  return {
    pattern,
    subscribers,
    perS,
    ...measured,
    predicted: { simulated, nearest: nearestRun(known, point), plane: plane(known, point) },
    stated,
  };
}
