// Puts together what a model returns: what was tallied, what the profile knows of a subscriber at rest, and
// how far outside of the profile that is.

import type { ExpectedError } from '../../core/result/simulated.ts';
import type { Simulated, ModelInput } from '../model.ts';
import type { Prepared } from './prepare.ts';
import type { Tally } from './tally.ts';
import type { Part } from './windows.ts';

export type Outcome = {
  idleShare: number;
  extrapolated: number;
  expectedError: ExpectedError;
  /** Descriptors under load besides those of subscribers at rest. */
  moreDescriptors?: number;
  /** Connections at rest, where not those that were measured. */
  connections?: number;
  leavesOut?: readonly string[];
  /** How much of the time was computed. */
  part: Part;
};

/** The publisher's. */
const otherDescriptors = 1;

export function outcomeOf(
  { profile }: ModelInput,
  { measured: { atRest }, subscribers, leavesOut }: Prepared,
  tally: Tally,
  outcome: Outcome,
): Simulated {
  const { cpuUs, busiestShare, ...figures } = tally.finish(outcome.idleShare);
  const restFactor = Math.max(1, subscribers / atRest.subscribers);
  return {
    ...figures,
    server: {
      cpuUs,
      idleShare: outcome.idleShare,
      busiestShare,
      rssBytes: profile.serverBaseRssBytes + atRest.serverRssBytes * subscribers,
      kernelSocketBytes: atRest.kernelSocketBytes * subscribers,
      descriptors: Math.round(
        atRest.descriptors * subscribers + otherDescriptors + (outcome.moreDescriptors ?? 0),
      ),
    },
    connections: Math.round(outcome.connections ?? atRest.connections * subscribers),
    saturated: outcome.part === 'overload' || busiestShare >= 1,
    how: outcome.part === 'whole' ? 'exact' : 'windows',
    extrapolated: Math.max(1, outcome.extrapolated, restFactor),
    expectedError: outcome.expectedError,
    leavesOut: [...leavesOut, ...(outcome.leavesOut ?? [])],
  };
}
