// Compares simulated storms and deploys with reality: runs crashes, storms and deploys with some hundred to
// two thousand clients, and predicts each with many seeds from a profile.

import { openProfile } from '../../api/profiles.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { caseNamed, keptStorms, type KeptStorms } from './simulation/kept.ts';
import { completedIn, simulatedTrials } from './simulation/predict.ts';
import { repeats, runCases, seedsOf } from './simulation/runs.ts';
import { stormCases } from './simulation/storm-cases.ts';
import { rangesOf, stormFiguresOf, stormProblem, type StormRow } from './simulation/storm-judge.ts';
import { stormClaims, stormMarkdown } from './simulation/storm-report.ts';
import { leftOutText, profileText } from './simulation/words.ts';

/** As many as have a 95 % range. */
const simulatedSeeds = 100;

export const simulationStorms: Part = {
  title: 'Simulated storms and deploys against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const trials = quick ? 1 : repeats;
      const { measured, leftOut } = await runCases(stormCases(quick), trials, bench, stormProblem);
      const rows = Array.from(measured, ([{ name }, completed]) => ({
        name,
        measured: completed.map(stormFiguresOf),
      }));
      return outcomeOf(bench.profile, { rows, leftOut, cores: bench.cores }, quick);
    }),
  again: (measured, profileName) => outcomeOf(openProfile(profileName), keptStorms.parse(measured), false),
};

function outcomeOf(profile: Profile, measured: KeptStorms, quick: boolean): Outcome {
  const { leftOut, cores } = measured;
  const rows = measured.rows.map((row) => rowOf(profile, row, quick));
  return {
    claims: stormClaims(rows, simulatedSeeds),
    markdown:
      `${profileText(profile)} predicts how clients come back ` +
      `that it has not seen come back; clients find servers by a list, ${cores}; all ` +
      `servers share one core, in the simulation too. Each trial has a seed ` +
      `of its own, and each case is simulated with ${simulatedSeeds}: how long it takes until all are ` +
      'back hangs on waits that clients draw. The time until all are back counts from the first fault ' +
      `to the last client.\n\n${stormMarkdown(rows)}${leftOutText(leftOut)}`,
    measured,
  };
}

function rowOf(profile: Profile, { name, measured }: KeptStorms['rows'][number], quick: boolean): StormRow {
  const { story, clients, subscribers, text } = caseNamed(stormCases(quick), name);
  const repetitions = Array.from({ length: simulatedSeeds }, (_, i) => i + 1);
  const [seed] = seedsOf(1) as [number];
  const simulated = simulatedTrials(profile, text(seed), repetitions).flatMap(completedIn);
  return { story, clients, subscribers, measured, predicted: rangesOf(simulated.map(stormFiguresOf)) };
}
