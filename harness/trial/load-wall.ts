// Tells, where a ramp failed, whether all load processes stopped at one count for a reason of their own: then
// the machines that make the load are at a limit, and not the server.

import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import { within } from '../../core/base/within.ts';
import type { LoadReport } from '../../core/protocol/control.ts';
import { TrialFailure } from '../process/peer.ts';
import type { LoadPeer } from './fleet.ts';

/** Counts of connections that are so near to one another are one count. */
const sameCountShare = 0.01;
/** What the system of a client says when it can make no more connections; no server causes it. */
const ownLimits = ['EADDRNOTAVAIL', 'EMFILE', 'ENFILE', 'ENOBUFS'];
/** Their ramps began together, so they give up together. */
const othersWithinMs = 2000;

type Short = Extract<LoadReport, { kind: 'short' }>;

/**
 * @param failure why the trial cannot go on
 * @param over ends the wait for what the other load processes say
 * @returns the failure, with that added where it is so
 */
export async function explainShort(
  failure: unknown,
  loads: readonly LoadPeer[],
  over: AbortSignal,
): Promise<unknown> {
  if (!(failure instanceof TrialFailure) || failure.code !== 'not-connected' || loads.length < 2)
    return failure;
  try {
    const all = Promise.all(loads.map((load) => load.next('short', othersWithinMs)));
    const wall = wallIn(await within(all, othersWithinMs, over));
    return wall === undefined ? failure : new TrialFailure(failure.code, `${failure.message}. ${wall}`);
  } catch {
    return failure; // some have all of their subscribers, or say nothing
  }
}

/** A server that can take no more stops at a number of its own, not at one number for each load process. */
function wallIn(all: readonly Short[]): string | undefined {
  const counts = all.map(({ connected }) => connected);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const codes = [...new Set(all.map(({ code = '' }) => code))];
  const isOne = most > 0 && most - least <= most * sameCountShare;
  if (!isOne || !codes.every((code) => ownLimits.includes(code))) return undefined;
  const count = least === most ? formatNumber(most) : `${formatNumber(least)} to ${formatNumber(most)}`;
  return (
    `Each of the ${all.length} load processes stopped at ${count} subscribers, short of its share, and ` +
    `their systems said ${listed(codes)}: that is a limit of the machines that make the load (ports, ` +
    'descriptors), and not of the server. Raise it there, or take more machines'
  );
}
