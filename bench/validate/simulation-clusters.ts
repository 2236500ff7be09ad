// Compares simulated clusters and webhooks with reality: runs several servers with brokers and HAProxy, and
// webhooks, on a small scale and in the steady state, and predicts each from a profile.

import { openProfile } from '../../api/profiles.ts';
import type { Profile } from '../../core/profile/profile.ts';
import { problemWith } from '../../harness/calibrate/problem.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { leastEvents, steadyCases } from './simulation/cluster-cases.ts';
import { steadyClaims, steadyMarkdown, type SteadyRow } from './simulation/cluster-report.ts';
import { measuredIn } from './simulation/figures.ts';
import { caseNamed, keptCases, type KeptCases } from './simulation/kept.ts';
import { simulatedIn, simulatedTrials } from './simulation/predict.ts';
import { repeats, runCases, seedsOf } from './simulation/runs.ts';
import { leftOutText, profileText } from './simulation/words.ts';

export const simulationClusters: Part = {
  title: 'Simulated clusters and webhooks against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const trials = quick ? 1 : repeats;
      const { measured, leftOut } = await runCases(steadyCases(quick), trials, bench, problemWith);
      const rows = Array.from(measured, ([{ name }, completed]) => ({
        name,
        trials: completed.length,
        ...measuredIn(completed),
      }));
      return outcomeOf(bench.profile, { rows, leftOut, cores: bench.cores }, quick);
    }),
  again: (measured, profileName) => outcomeOf(openProfile(profileName), keptCases.parse(measured), false),
};

function outcomeOf(profile: Profile, measured: KeptCases, quick: boolean): Outcome {
  const { leftOut, cores } = measured;
  const rows = measured.rows.map((row) => rowOf(profile, row, quick));
  return {
    claims: steadyClaims(rows),
    markdown:
      `${profileText(profile)} predicts clusters and webhooks of sizes and rates that it has not seen; ` +
      `256 B, evenly spaced events, at least ${leastEvents} of each case, ${cores}; broker and ` +
      'HAProxy run beside the publisher, as when they were calibrated. ' +
      "All servers share one core, in the simulation too. A case's costs are the means " +
      'of its trials, its percentiles those of all deliveries together, in brackets from the lowest to ' +
      `the highest end of the 95 % intervals within the trials.\n\n${steadyMarkdown(rows)}` +
      leftOutText(leftOut),
    measured,
  };
}

function rowOf(
  profile: Profile,
  { name, trials, ...measured }: KeptCases['rows'][number],
  quick: boolean,
): SteadyRow {
  const { kind, setUp, pattern, subscribers, perS, text } = caseNamed(steadyCases(quick), name);
  const { simulated, stated } = simulatedIn(
    seedsOf(trials).flatMap((seed) => simulatedTrials(profile, text(seed), [1])),
  );
  return { kind, setUp, pattern, subscribers, perS, ...measured, predicted: { simulated }, stated };
}
