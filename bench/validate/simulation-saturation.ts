// Compares simulated saturation with reality: raises the rate of events until a server is too slow, in a run
// and in a simulation.

import { openProfile } from '../../api/profiles.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { Outcome, Part } from './part.ts';
import { onBench } from './simulation/bench.ts';
import { keptKnees, type KeptKnees } from './simulation/kept.ts';
import { kneeBound, kneePatterns, kneeSubscribers, measuredKnee, simulatedKnee } from './simulation/knee.ts';
import { kneeClaims, kneeMarkdown, type KneeRow } from './simulation/knee-judge.ts';
import { profileText } from './simulation/words.ts';

export const simulationSaturation: Part = {
  title: 'Simulated saturation against reality',
  run: (quick, _cases, profileName) =>
    onBench(profileName, async (bench) => {
      const rows: KeptKnees['rows'] = [];
      const asked = quick ? kneePatterns.slice(0, 1) : kneePatterns;
      for (const pattern of asked) {
        console.log(`[${rows.length + 1}/${asked.length}] ${pattern}`);
        const { limit, why } = await measuredKnee(pattern, bench, quick);
        rows.push({ pattern, measured: limit, why });
      }
      return outcomeOf(bench.profile, { rows, cores: bench.cores });
    }),
  again: (measured, profileName) => outcomeOf(openProfile(profileName), keptKnees.parse(measured)),
};

async function outcomeOf(profile: Profile, measured: KeptKnees): Promise<Outcome> {
  const rows: KneeRow[] = [];
  for (const row of measured.rows)
    rows.push({ ...row, predicted: await simulatedKnee(profile, row.pattern) });
  return {
    claims: kneeClaims(rows),
    markdown:
      `${profileText(profile)} predicts how many events a second a server sends to ${kneeSubscribers} ` +
      `subscribers before \`${kneeBound}\` no longer holds; one topic, 256 B, evenly spaced events, ` +
      `${measured.cores}. The search of the run goes up by half and then halves the gap twice, so its two ` +
      `rates are 11 % apart.\n\n${kneeMarkdown(rows)}`,
    measured,
  };
}
