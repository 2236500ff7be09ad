// Puts together what a model returns: what was tallied, what the profile knows of a subscriber at rest, and
// how far outside of the profile that is.

import type { ExpectedError } from '../../core/result/simulated.ts';
import type { Variant } from '../../core/pattern/variant.ts';
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
  input: ModelInput,
  { measured: { atRest }, subscribers, leavesOut }: Prepared,
  tally: Tally,
  outcome: Outcome,
): Simulated {
  const { cpuUs, demand, ...figures } = tally.finish(outcome.idleShare);
  const restFactor = Math.max(1, subscribers / atRest.subscribers);
  return {
    ...figures,
    // As subscribers count, who get what the server sends.
    counters: { ...figures.counters, bytesIn: figures.counters.bytesOut, bytesOut: figures.counters.bytesIn },
    server: {
      cpuUs,
      idleShare: outcome.idleShare,
      busiestShare: demand.busiestShare,
      askedShare: demand.askedShare,
      leftUs: demand.leftUs,
      rssBytes: input.profile.serverBaseRssBytes + atRest.serverRssBytes * subscribers,
      kernelSocketBytes: atRest.kernelSocketBytes * subscribers,
      descriptors: Math.round(outcome.descriptors ?? atRest.descriptors * subscribers),
    },
    connections: Math.round(outcome.connections ?? atRest.connections * subscribers),
    saturated: outcome.part === 'overload' || demand.grows,
    how: outcome.part === 'whole' ? 'exact' : 'windows',
    extrapolated: Math.max(1, outcome.extrapolated, restFactor),
    expectedError: { ...outcome.expectedError, ...countsAreOff(input.variant) },
    leavesOut: [...leavesOut, ...(outcome.leavesOut ?? [])].map(asSentence),
  };
}

/** By how much, at the most, as real runs say (test/simulation/models/measured.test.ts). */
function countsAreOff({
  pattern,
  options,
}: Variant): Pick<ExpectedError, 'requests' | 'bytes' | 'descriptors'> {
  const isCompressed = options['gzip'] === true || options['deflate'] === true;
  const isBatched = Number(options['batch'] ?? 0) > 0;
  if (isCompressed || isBatched) return { requests: isBatched ? null : 0.02, bytes: null, descriptors: 0.01 };
  return { requests: pattern === 'long-polling' ? 0.02 : 0.01, bytes: 0.01, descriptors: 0.01 };
}

function asSentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}
