// Defines what every phase of a trial is given: the plan, the processes, and a way to tell a view how far it
// is.

import type { Variant } from '../../core/pattern/variant.ts';
import type { TrialPlan } from '../plan/plan.ts';
import type { Beside } from '../cluster/beside.ts';
import type { BrokerProcess } from '../cluster/brokers.ts';
import type { Member } from '../cluster/member.ts';
import type { Fleet, LoadPeer, NetworkPeer, PublisherPeer } from './fleet.ts';

/** What a view of the run is told, several times a second. */
export type Progress = {
  phase: 'start' | 'connect' | 'warmup' | 'measure' | 'drain' | 'close';
  /** Share of the phase that is over, where its length is known. */
  share?: number;
  connected: number;
  published: number;
  delivered: number;
  p50Us?: number | undefined;
  slowestUs?: number | undefined;
};

/** The processes of a trial. */
export type Peers = {
  /** Those included that a fault starts later. */
  servers: readonly [Member, ...Member[]];
  loads: readonly LoadPeer[];
  publisher: PublisherPeer;
  /** Where the scenario has a network between the others. */
  network?: NetworkPeer;
};

export type Stage = {
  plan: TrialPlan;
  variant: Variant;
  fleet: Fleet;
  peers: Peers;
  /** What else the trial has running; see start-servers.ts. */
  beside: Beside;
  /** Of servers that one connects. */
  broker: BrokerProcess | undefined;
  report: (progress: Progress) => void;
  /** Aborted when the trial is over, however it ended. Every wait of a phase ends with it. */
  over: AbortSignal;
};

const replyMs = 10_000;
/** What so many subscribers take to be collected, closed or counted does not count in that. */
const fewSubscribers = 10_000;
/**
 * For each beyond. 40,000 WebSockets on two cores that all processes share needed more than 16 s to close; a
 * process that has died is noticed by that, and not by this limit.
 */
const msEach = 1;

/** How long a process of the trial may take to answer a question. */
export function replyLimitMs({ plan: { scenario } }: Pick<Stage, 'plan'>): number {
  return replyMs + Math.max(0, scenario.subscribers - fewSubscribers) * msEach;
}
