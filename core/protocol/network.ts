// Defines what the harness and the process of the network proxy tell one another; see control.ts for how.

import type { NetworkFaultCommand } from '../fault/faults.ts';
import type { Conditions, Placement } from '../network/conditions.ts';
import type { Acted, Failed, ForAct, SelfSample } from './control.ts';

/** One address that the proxy stands in front of. */
export type Route = {
  name: string;
  between: Placement;
  /** Where connections go on to: `http://127.0.0.1:PORT`, `redis://…`; only host and port count. */
  to: string;
};

/** Conditions, and of which connections. */
export type Imposed = {
  conditions: Conditions;
  between: Placement;
  /** Of the connections of clients; of the servers' ways to their broker, whole ones. */
  share: number;
};

export type NetworkCommand =
  /** `steady`: of every connection from the first on. */
  | { kind: 'start'; seed: number; steady?: Imposed }
  /** Listens for these too. */
  | { kind: 'open'; routes: readonly Route[] }
  /** `impose`: for `forMs`, and what was before holds again; a reset happens at once. */
  | (NetworkFaultCommand & ForAct)
  | { kind: 'collect' }
  | { kind: 'sample' }
  | { kind: 'stop' };

/** What went through the proxy, of all routes; cumulative. */
export type Traffic = {
  /** Connections that it holds now. */
  open: number;
  accepted: number;
  /** Bytes that were passed on. */
  bytesUp: number;
  bytesDown: number;
  /** Connections that it ended on purpose: reset, cut for silence, refused their Upgrade. */
  reset: number;
  idleCut: number;
  upgradesRefused: number;
  upgradesStripped: number;
  /** Connections that it was to look into and that speak no HTTP/1.1 in clear text. */
  unreadable: number;
};

export type NetworkReport =
  /** Where each route listens, in the order of the routes that were to be opened. */
  | { kind: 'opened'; urls: readonly string[] }
  | { kind: 'sample'; sample: SelfSample; traffic: Traffic }
  | Acted
  | { kind: 'stopped' }
  | Failed;
