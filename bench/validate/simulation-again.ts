// Measures points again that a profile was made of, and holds them against it: what differs there is the
// machine, from one time to another, and not the simulator.

import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Measured } from '../../harness/calibrate/calibrate.ts';
import { calibrated, type Point } from '../../harness/calibrate/points.ts';
import type { Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { measuredIn } from './simulation/figures.ts';
import type { Row } from './simulation/judge.ts';
import { completedIn } from './simulation/predict.ts';
import { againClaims, againMarkdown } from './simulation/report.ts';
import { runPoints, simulatedPoint } from './simulation/run-points.ts';
import { leftOutText, percentilesText, profileText } from './simulation/words.ts';

export const simulationAgain: Part = {
  title: 'Calibrated points, measured again',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const { profile, cores } = bench;
      const { places, leftOut } = await runPoints(pointsOf(patterns, profile, quick), bench);
      const rows = places.map((same) => rowOf(profile, same));
      return {
        claims: againClaims(rows),
        markdown:
          `${profileText(profile)} is held against some of its own points, measured again on the same ` +
          `machine, ${cores}. What the simulator says there is what the profile measured, so an error is ` +
          'what the machine itself differs by from one time to another. Predictions cannot be nearer than ' +
          `that. ${percentilesText}\n\n${againMarkdown(rows)}${leftOutText(leftOut)}`,
      };
    }),
};

/** A server that used more of its core than this is not asked again. */
const mostCpuShare = 0.6;
const [eventsEach, leastMeasureMs] = [250, 5000];

/**
 * Of each pattern that the grid has too, three of its points, as trials: with few subscribers the fewest and
 * the most events a second, and one with many subscribers.
 * @param quick of one pattern alone
 */
export function pointsOf(
  registry: PatternRegistry,
  { variants }: Pick<Profile, 'variants'>,
  quick: boolean,
): Point[] {
  const names = calibrated(registry).filter((name) => registry[name]!.holdsConnection);
  const ofPattern = Object.values(variants).filter(({ pattern }) => names.includes(pattern));
  return ofPattern.slice(0, quick ? 1 : undefined).flatMap(({ pattern, points }) => {
    const known = points.filter(({ serverCpuShare }) => serverCpuShare < mostCpuShare);
    const few = known.filter(({ subscribers }) => subscribers === known[0]?.subscribers);
    // None, where the machine carries nothing so easily.
    const chosen = new Set([few[0], few.at(-1), known.at(-1)].filter((one) => one !== undefined));
    return [...chosen].map(({ subscribers, perS }, i): Point => {
      const measureMs = Math.max(leastMeasureMs, Math.ceil(eventsEach / perS) * 1000);
      return { pattern, subscribers, perS, measureMs, repetition: 201 + i };
    });
  });
}

function rowOf(profile: Profile, same: readonly Measured[]): Row<'simulated'> {
  const { pattern, subscribers, perS } = same[0]!.point; // a group has one
  const { simulated, stated } = simulatedPoint(
    profile,
    same.map(({ point }) => point),
  );
  return {
    pattern,
    subscribers,
    perS,
    ...measuredIn(same.flatMap((one) => completedIn(one.trial))),
    predicted: { simulated },
    stated,
  };
}
