// Says what a scenario does to servers behind HAProxy that can run, and that its author may not have meant:
// a server that is drained while HAProxy keeps sending clients to it.

import type { Fault } from '../fault/faults.ts';
import { writeDuration } from '../base/units.ts';
import type { NoteCode } from '../result/trial-warning.ts';
import { isCluster } from './servers.ts';
import type { Scenario } from './scenario.ts';

type FrontNote = { code: NoteCode; message: string };

/** A sentence for each server that refuses what HAProxy sends to it. */
export function frontNotes({ servers, faults }: Pick<Scenario, 'servers' | 'faults'>): FrontNote[] {
  if (!isCluster(servers) || servers.inFront.kind === 'list') return [];
  // Asked for its health, a server that is drained says so.
  if (servers.inFront.check.kind === 'http') return [];
  return faults.flatMap((fault) => {
    if (fault.kind !== 'drain' || fault.servers === 'all') return [];
    return isDiverted(fault.servers, fault.atMs, faults) ? [] : [sentTo(fault.servers, fault.atMs)];
  });
}

/** Whether HAProxy has been told by then that the server gets nothing new. */
function isDiverted(server: number, atMs: number, faults: readonly Fault[]): boolean {
  const told = faults
    .filter((one) => one.kind === 'in-front')
    .filter((one) => one.server === server && one.atMs <= atMs && one.how !== 'shutdown');
  return told.toSorted((a, b) => a.atMs - b.atMs).at(-1)?.how === 'drain';
}

function sentTo(server: number, atMs: number): FrontNote {
  const at = writeDuration(atMs);
  return {
    code: 'drained-behind-haproxy',
    message:
      `server ${server} is drained at ${at} and refuses new clients, but HAProxy does not know and keeps ` +
      'sending them there, because it has the fewest connections: they find no server until it is ' +
      `stopped. Tell HAProxy first: { at: ${at}, in-front: drain, server: ${server} } before the ` +
      'drain. Or let it ask: servers: { in-front: { kind: haproxy, check: http } }.',
  };
}
