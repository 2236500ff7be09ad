// Decides which cores the processes of a calibrating trial are kept to, so that none of them waits for
// another: the server has one of its own.

import { canKeepToCores } from '../process/child.ts';
import type { Pinned } from '../trial/fleet.ts';
import { usableNumbers } from '../run/machine.ts';

/** Cores for each role, or a sentence that says why there are none. */
export type Cores = { pinned: Pinned } | { pinned: null; why: string };

/**
 * With two cores, the server has one, and load processes and publisher share the other. With more, the
 * publisher has its own too, and the load processes share the rest.
 * @param numbers of the cores that may be used; undefined where the system does not say
 */
export function coresFrom(numbers: readonly number[] | undefined, canKeep: boolean): Cores {
  if (!canKeep)
    return {
      pinned: null,
      why:
        'taskset is not installed, so server, load and publisher share all cores, and latencies include ' +
        'the time that they wait for one another. It is part of util-linux: apt-get install util-linux.',
    };
  const [server, publisher, ...load] = numbers ?? [];
  if (server === undefined || publisher === undefined)
    return {
      pinned: null,
      why:
        'there is one core for all processes, so latencies include the time that server, load and ' +
        'publisher wait for one another.',
    };
  const rest = load.length > 0 ? load : [publisher];
  return { pinned: { server: `${server}`, load: rest.join(','), publisher: `${publisher}` } };
}

/** Of this machine. */
export function coresHere(): Cores {
  return coresFrom(usableNumbers(), canKeepToCores());
}
