// Starts the processes of one trial. The harness asks a fleet for them and cannot tell real ones from
// scripted ones, so the whole pipe from scenario to report is tested without a socket.

import { realClock, type Clock } from '../../core/base/clock.ts';
import type { Injection } from '../../core/scenario/injection.ts';
import type {
  LoadCommand,
  LoadReport,
  PublisherCommand,
  PublisherReport,
  ServerCommand,
  ServerReport,
} from '../../core/protocol/control.ts';
import type { NetworkCommand, NetworkReport } from '../../core/protocol/network.ts';
import type { WorkerUse } from '../../core/result/worker-use.ts';
import { brokerVersion, createBroker } from '../cluster/brokers.ts';
import { createEmulator, emulatorName } from '../cluster/emulators.ts';
import { createFront, frontVersion } from '../cluster/in-front.ts';
import { findPort } from '../cluster/ports.ts';
import { freeze } from '../process/freeze.ts';
import { forkPeer, type Peer } from '../process/peer.ts';
import { hostProbe, type Probe } from '../process/probe.ts';

export type ServerPeer = Peer<ServerCommand, ServerReport>;
export type LoadPeer = Peer<LoadCommand, LoadReport> & {
  /** Of a load process on a worker (`pushbench worker`). Its `pid` is 0: nobody here can look at it. */
  readonly worker?: RemoteWorker;
};
export type PublisherPeer = Peer<PublisherCommand, PublisherReport>;
export type NetworkPeer = Peer<NetworkCommand, NetworkReport>;

/** The machine that a load process runs on, where that may be another one. */
export type RemoteWorker = {
  readonly name: string;
  /** Compares the clocks once more, and says what became of the process. Never rejects. */
  account(): Promise<WorkerUse>;
};

/** The cores of each role, as taskset writes them: `0`, `2-5,8`. */
export type Pinned = { server: string; load: string; publisher: string };

export type Fleet = {
  clock: Clock;
  /** The cores that its processes are kept to; all of them share all when left out. */
  pinned?: Pinned;
  /** What its servers are made worse by. */
  injection?: Injection;
  /** The address that its servers listen on; that of loopback when left out. */
  host?: string;
  /** @param index of several servers of one trial, from 0; the first when left out */
  server(index?: number): ServerPeer;
  /** For a server that may go and come back. */
  freePort(): Promise<number>;
  /** It does not run yet. */
  broker: typeof createBroker;
  /** Of the broker that trials start; undefined where they start none. */
  brokerVersion: typeof brokerVersion;
  /** Of a queue that a variant does not name. It does not run yet. */
  emulator: typeof createEmulator;
  emulatorName: typeof emulatorName;
  /** It does not run yet. */
  front: typeof createFront;
  /** Of what trials start in front of servers; undefined where they start nothing. */
  frontVersion: typeof frontVersion;
  load(index: number): LoadPeer;
  publisher(): PublisherPeer;
  /** What stands between the others and makes the network bad. */
  network(): NetworkPeer;
  /**
   * Stops a process for a while and lets it go on, as soon as the trial is over at the latest; a fault.
   * Resolves as soon as the process stands still.
   * @returns whether it does; it may have ended before
   */
  freeze(pid: number, forMs: number, over: AbortSignal): Promise<boolean>;
  probe: Probe;
};

// The same file runs as .ts from the repository and as .js from the package.
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const entry = (path: string) => new URL(`../../${path}${extension}`, import.meta.url);

/** What a load process runs. */
export const loadEntry = entry('load/process');

/** The real fleet: one child process each. */
export const processes: Fleet = {
  clock: realClock,
  ...peersOn(undefined),
  freePort: () => findPort(),
  broker: createBroker,
  brokerVersion,
  emulator: createEmulator,
  emulatorName,
  front: createFront,
  frontVersion,
  network: () => forkPeer('network', entry('network/process')),
  freeze,
  probe: hostProbe,
};

/** The real fleet with servers, load processes and publisher on cores of their own. */
export function processesOn(pinned: Pinned): Fleet {
  return { ...processes, ...peersOn(pinned), pinned };
}

function peersOn(pinned: Pinned | undefined): Pick<Fleet, 'server' | 'load' | 'publisher'> {
  return {
    server: (index = 0) =>
      forkPeer(index === 0 ? 'server' : `server ${index + 1}`, entry('servers/process'), pinned?.server),
    load: (index) => forkPeer(`load ${index + 1}`, loadEntry, pinned?.load),
    publisher: () => forkPeer('publisher', entry('load/publisher-process'), pinned?.publisher),
  };
}
