// Reads the options of `pushbench run` that take its load to workers, and joins these to the run.

import { exitCodes, UserError } from '../core/base/errors.ts';
import { loopback } from '../core/base/loopback.ts';
import { isLoopbackHost } from '../core/http/access.ts';
import { patterns } from '../core/pattern/registry.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { descriptorsOfLoad, portsOfLoad } from '../harness/run/preflight.ts';
import type { OnWorkers } from '../harness/run/run-options.ts';
import { socketsHeld } from '../harness/run/sockets.ts';
import type { PreparedTarget } from '../harness/target/target-peer.ts';
import { connectionsEach } from '../harness/target/variants.ts';
import type { Fleet } from '../harness/trial/fleet.ts';

export type WorkerFlags = {
  workers?: string;
  token?: string;
  workerCount?: string;
  listen?: string;
};

/** The workers of a run; none where it has its load processes beside the servers. */
export type Crew = {
  at: OnWorkers | undefined;
  /** The options again, for the command that repeats the run; the token is not among them. */
  args: readonly string[];
  /** Waits until all have joined. @returns what they take the place of in the fleet */
  join(signal: AbortSignal, note: (text: string) => void): Promise<Partial<Fleet>>;
  close(): Promise<void>;
};

/** In the place of --token, so that it stands in no list of processes and no history of a shell. */
export const tokenVariable = 'PUSHBENCH_WORKERS_TOKEN';
/** As many load processes as a scenario may have. */
const mostWorkers = 64;

const nobody: Crew = { at: undefined, args: [], join: async () => ({}), close: async () => {} };

/** @throws UserError when an option is wrong, the scenario cannot run so, or no Redis answers */
export async function gatherWorkers(
  { workers: url, token, workerCount, listen }: WorkerFlags,
  scenario: Scenario,
  targets: readonly PreparedTarget[],
): Promise<Crew> {
  if (url === undefined) {
    refuseAlone({ token, workerCount, listen });
    return nobody;
  }
  const { checkedListen, refuseForeign, refuseUnfit } = await import('../harness/workers/fit.ts');
  const { openLobby } = await import('../harness/workers/join.ts');
  const { hostsOfTarget } = await import('../harness/workers/addresses.ts');
  const host = listen === undefined ? undefined : checkedListen(listen);
  if (host !== undefined) await refuseForeign(host);
  refuseUnfit(scenario, patterns, host);
  const asked = workerCount === undefined ? undefined : checkedCount(workerCount);
  const lobby = await openLobby(url, tokenOf(token), new AbortController().signal);
  const count = asked ?? Math.min(Math.max(1, lobby.waiting), mostWorkers);
  const hosts = [
    ...(scenario.variants.some(({ target }) => target === undefined) ? [host ?? loopback()] : []),
    ...targets.flatMap(({ access }) => hostsOfTarget(access)),
  ];
  const held = socketsHeld(scenario, patterns) * connectionsEach(scenario, targets);
  // Only on loopback do subscribers have several addresses to come from (addressesOf of start-load.ts).
  const isAway = (one: string) => host !== undefined || !isLoopbackHost(one);
  const portsOf = (workers: number) =>
    hosts.some(isAway) ? portsOfLoad(held, scenario, workers / count) : 0;
  let joined: { close(): Promise<void> } | undefined;
  return {
    at: { count, away: hosts.every(isAway) },
    args: [
      '--workers',
      lobby.place,
      '--worker-count',
      String(count),
      ...(host === undefined ? [] : ['--listen', host]),
    ],
    async join(signal, note) {
      const needs = { hosts, descriptors: descriptorsOfLoad(held, count), ports: portsOf, note };
      const workers = await lobby.join(count, needs, signal);
      joined = workers;
      note(`load from ${workers.names.join(', ')}`);
      return { load: workers.load, ...(host !== undefined && { host }) };
    },
    async close() {
      await joined?.close();
      lobby.close();
    },
  };
}

/** @throws UserError */
function refuseAlone(flags: Record<'token' | 'workerCount' | 'listen', string | undefined>): void {
  const names = { token: '--token', workerCount: '--worker-count', listen: '--listen' } as const;
  for (const [key, option] of Object.entries(names))
    if (flags[key as keyof typeof names] !== undefined)
      throw new UserError('workers', `${option} goes with --workers, which says where the workers are.`);
}

/** @throws UserError */
function checkedCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= mostWorkers) return count;
  throw new UserError('workers', `--worker-count ${text}: give a whole number from 1 to ${mostWorkers}.`);
}

/** @throws UserError when there is none */
export function tokenOf(given: string | undefined): string {
  const token = given ?? process.env[tokenVariable];
  if (token !== undefined && token !== '') return token;
  throw new UserError(
    'token',
    `A run and its workers need one token: give --token to both, or set ${tokenVariable}.`,
    exitCodes.usage,
  );
}
