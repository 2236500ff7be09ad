// Compares simulated storms and deploys with reality: runs crashes, storms and deploys with some hundred to
// two thousand clients, and predicts each with many seeds from a profile.

import type { Profile } from '../../core/profile/profile.ts';
import type { Completed } from '../../core/result/result.ts';
import type { Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { completedIn, simulatedTrials } from './simulation/predict.ts';
import { repeats, runCases, seedsOf } from './simulation/runs.ts';
import { stormCases, type StormCase } from './simulation/storm-cases.ts';
import { rangesOf, stormFiguresOf, stormProblem, type StormRow } from './simulation/storm-judge.ts';
import { stormClaims, stormMarkdown } from './simulation/storm-report.ts';
import { leftOutText, profileText } from './simulation/words.ts';

/** As many as have a 95 % range. */
const simulatedSeeds = 100;

export const simulationStorms: Part = {
  title: 'Simulated storms and deploys against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const { profile, cores } = bench;
      const trials = quick ? 1 : repeats;
      const { measured, leftOut } = await runCases(stormCases(quick), trials, bench, stormProblem);
      const rows = [...measured].map(([one, completed]) => rowOf(profile, one, completed));
      return {
        claims: stormClaims(rows, simulatedSeeds),
        markdown:
          `${profileText(profile)} predicts how clients come back ` +
          `that it has not seen come back; clients find servers by a list, ${cores}; all ` +
          `servers share one core, in the simulation too. Each trial has a seed ` +
          `of its own, and each case is simulated with ${simulatedSeeds}: how long it takes until all are ` +
          'back hangs on waits that clients draw. The time until all are back counts from the first fault ' +
          `to the last client.\n\n${stormMarkdown(rows)}${leftOutText(leftOut)}`,
      };
    }),
};

function rowOf(profile: Profile, one: StormCase, completed: readonly Completed[]): StormRow {
  const { story, clients, subscribers } = one;
  const repetitions = Array.from({ length: simulatedSeeds }, (_, i) => i + 1);
  const [seed] = seedsOf(1) as [number];
  const simulated = simulatedTrials(profile, one.text(seed), repetitions).flatMap(completedIn);
  return {
    story,
    clients,
    subscribers,
    measured: completed.map(stormFiguresOf),
    predicted: rangesOf(simulated.map(stormFiguresOf)),
  };
}
