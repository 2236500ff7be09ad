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
  /** Of requests under way, where connections are not kept. */
  descriptors?: number;
  /** Connections at rest, where not those that were measured. */
  connections?: number;
  leavesOut?: readonly string[];
  /** How much of the time was computed. */
  part: Part;
};

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
    // As subscribers count, who get what the server sends.
    counters: { ...figures.counters, bytesIn: figures.counters.bytesOut, bytesOut: figures.counters.bytesIn },
    server: {
      cpuUs,
      idleShare: outcome.idleShare,
      busiestShare,
      rssBytes: profile.serverBaseRssBytes + atRest.serverRssBytes * subscribers,
      kernelSocketBytes: atRest.kernelSocketBytes * subscribers,
      descriptors: Math.round(outcome.descriptors ?? atRest.descriptors * subscribers),
    },
    connections: Math.round(outcome.connections ?? atRest.connections * subscribers),
    saturated: outcome.part === 'overload' || busiestShare >= 1,
    how: outcome.part === 'whole' ? 'exact' : 'windows',
    extrapolated: Math.max(1, outcome.extrapolated, restFactor),
    expectedError: outcome.expectedError,
    leavesOut: [...leavesOut, ...(outcome.leavesOut ?? [])].map(asSentence),
  };
}

function asSentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
