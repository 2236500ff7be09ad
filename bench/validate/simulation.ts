// Compares simulations with reality: runs points that calibration has not seen, and predicts each of them
// from a profile and in two simpler ways.

import { patterns } from '../../core/pattern/registry.ts';
import type { Profile } from '../../core/profile/profile.ts';
import { calibrate, type Measured } from '../../harness/calibrate/calibrate.ts';
import { placeText, scenarioText, type Point } from '../../harness/calibrate/points.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { measuredIn, type Figures } from './simulation/figures.ts';
import { grid } from './simulation/grid.ts';
import type { Row } from './simulation/judge.ts';
import { completedIn, predictedFigures, simulatedTrials } from './simulation/predict.ts';
import { claimsOf, markdownOf } from './simulation/report.ts';
import { nearestRun, plane } from './simulation/rivals.ts';
import { leftOutText, profileText } from './simulation/words.ts';

export const simulation: Part = {
  title: 'Simulations against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async ({ profile, machine, fleet, cores }) => {
      const { measured, leftOut, end } = await calibrate({
        points: grid(patterns, quick),
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
      return outcomeOf(profile, measured, leftOut, cores);
    }),
};

function outcomeOf(
  profile: Profile,
  measured: readonly Measured[],
  leftOut: readonly string[],
  cores: string,
): Outcome {
  const places = Map.groupBy(measured, ({ point }) => `${point.pattern} ${placeText(point)}`);
  const rows = [...places.values()].map((same) => rowOf(profile, same)).toSorted(inOrder);
  return {
    claims: claimsOf(rows),
    markdown:
      `${profileText(profile)} predicts points that it has not ` +
      `seen, between its own and beyond them; one topic, 256 B, evenly spaced events, ${cores}. A point's ` +
      'costs are the means of its trials, its percentiles those of all deliveries together, in brackets ' +
      'from the lowest to the highest end of the 95 % intervals within the trials.\n\n' +
      markdownOf(rows) +
      leftOutText(leftOut),
  };
}

function inOrder(a: Row, b: Row): number {
  const names = Object.keys(patterns);
  return (
    names.indexOf(a.pattern) - names.indexOf(b.pattern) || a.subscribers - b.subscribers || a.perS - b.perS
  );
}

function rowOf(profile: Profile, same: readonly Measured[]): Row {
  const { point, trial } = same[0]!; // a group has one
  const { pattern, subscribers, perS } = point;
  const known = profile.variants[trial.variant.label];
  if (!known) throw new Error(`the profile "${profile.name}" has nothing of ${trial.variant.label}`);
  const trials = same.flatMap((one) => completedIn(one.trial));
  return {
    pattern,
    subscribers,
    perS,
    ...measuredIn(trials),
    predicted: {
      simulated: simulatedFigures(
        profile,
        same.map((one) => one.point),
      ),
      nearest: nearestRun(known, point),
      plane: plane(known, point),
    },
  };
}

/** Of the same trials, simulated. */
function simulatedFigures(profile: Profile, points: readonly Point[]): Figures {
  return predictedFigures(
    points.flatMap((point) => simulatedTrials(profile, scenarioText(point), [point.repetition])),
  );
}
