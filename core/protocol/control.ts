// Defines what the harness and its child processes tell one another. Each child gets commands and sends
// reports over Node's IPC channel in structured-clone form, so typed arrays pass as they are. The real
// processes and the scripted ones of the fake pattern use the same protocol; the harness cannot tell them
// apart.

import type { LoadFaultCommand, ServerFaultCommand } from '../fault/faults.ts';
import type { DrainedReport } from '../policy/server/drain.ts';
import type { Counters } from '../result/counters.ts';
import type { Conduct } from '../scenario/endpoint-conduct.ts';
import type { SparseHistogram } from '../result/histogram.ts';
import type { LoadRecovery } from '../result/recovery.ts';
import type { Injection } from '../scenario/injection.ts';
import type { ReconnectPolicy } from '../scenario/scenario.ts';
import type { ServerSetup, WayIn } from '../scenario/server-options.ts';
import type { BrokerName } from '../scenario/servers.ts';
import type { PublishPlan } from '../plan/publish-plan.ts';
import type { SourceAddresses } from '../base/source-address.ts';
import type { TargetAccess } from '../target/access.ts';
import type { TopicGroupPlan } from '../scenario/topics.ts';

/** Where a server listens. */
export type Endpoint = WayIn & {
  /** `http://127.0.0.1:PORT` (or `[::1]`) or `https://...`; every path of the pattern hangs below it. */
  url: string;
  /** The pattern's protocol, where it is not HTTP/1.1. */
  over: 'h1' | 'h2' | 'h2c';
  /** Where events are published: HTTP/1.1 always, so that all patterns are fed alike. */
  publishUrl: string;
  /** The system behind it is not ours: how to speak to it. */
  target?: TargetAccess;
  /** Of a cluster without anything in front of it: where each server is, the first like `url`. */
  urls?: readonly string[];
  /** Of a cluster: where each server takes events, the first like `publishUrl`. */
  publishUrls?: readonly string[];
};

/** The broker that connects the servers of a trial. */
export type BrokerAccess = {
  kind: Exclude<BrokerName, 'in-process'>;
  /** `redis://127.0.0.1:PORT`, `nats://...` or `kafka://...`. */
  url: string;
  /** It stands in for the broker, and does not do all that one does. */ emulated?: true;
  /** What this trial's keys and subjects begin with: trials may share a broker. */ name: string;
};

/** What a process says of itself at one moment; everything cumulative since it started. */
export type SelfSample = {
  atUs: number;
  cpuUs: number;
  rssBytes: number;
  heapUsedBytes: number;
  /**
   * Since the last sample. A server's: how long the turns of its event loop took; the load side's: how late
   * a timer came to its turn.
   */
  loopDelayP99Us: number;
  loopDelayMaxUs: number;
  gcCount: number;
  gcPauseUs: number;
};

/**
 * The measured phase, on the host's monotonic clock. An event is measured when its planned time lies within.
 */
export type Window = {
  warmupFromUs: number;
  fromUs: number;
  toUs: number;
  /** Width of a slot of the time series. Slot `i` starts at `fromUs + i * slotUs`. */
  slotUs: number;
};

/** Of a command that is part of a fault: the number that the process says it by when it has acted. */
export type ForAct = { act: number };
/** The process did its part of a fault, at this moment of its own clock. */
export type Acted = { kind: 'acted'; act: number; atUs: number };

/** A child that cannot go on says why before it exits. */
export type Failed = { kind: 'failed'; code: string; message: string };

// --- server -----------------------------------------------------------------------------------------

export type ServerCommand =
  | (ServerSetup & {
      kind: 'start';
      pattern: string;
      options: Readonly<Record<string, unknown>>;
      seed: number;
      /** Connects its hub with those of the trial's other servers. */
      broker?: BrokerAccess;
      /** The address that it listens on; that of loopback when left out. */ host?: string;
      /** Where it listens, and takes events where that is another; any free ones when left out. */
      ports?: { main: number; publish: number };
      /** Made worse on purpose. */ injection?: Injection;
    })
  /** Collect garbage, so that the sample that follows is the idle baseline. */
  | { kind: 'collect' }
  | { kind: 'sample' }
  /** `disconnect`: cut this share of the connections that carry events, without a goodbye. */
  | (ServerFaultCommand & ForAct)
  /** Close everything, count a last time, and exit. */
  | { kind: 'stop' };

/** Of a pattern that queues: deliveries accepted and not made; how long the oldest waits by its own clock. */
export type ServerBacklog = {
  depth: number;
  oldestAgeMs: number;
  /** All servers of the trial share one store, and each of them reports the same backlog. */
  shared?: boolean;
};

export type ServerReport =
  /**
   * `readings`: what its samples say. `self` when left out; `outside` from /proc alone, without event loop
   * and counters; `none`: nothing. `emulator`: what stands in for a service that it uses.
   */
  | { kind: 'listening'; endpoint: Endpoint; readings?: 'outside' | 'none'; emulator?: string }
  | {
      kind: 'sample';
      sample: SelfSample;
      counters: Counters;
      subscribers: number;
      publishedEvents: number;
      backlog?: ServerBacklog;
      gone?: boolean;
    }
  | Acted
  | DrainedReport
  | { kind: 'stopped' }
  | Failed;

// --- load -------------------------------------------------------------------------------------------

export type LoadCommand =
  /** The first to a process on another machine than the servers: how far its clock is put forward. */
  | { kind: 'clock'; shiftUs: number }
  | {
      kind: 'start';
      pattern: string;
      options: Readonly<Record<string, unknown>>;
      endpoint: Endpoint;
      /** This process runs subscribers `first` up to, not including, `first + count`. */
      first: number;
      count: number;
      topics: TopicGroupPlan[];
      /** Of the whole trial. */ subscribers: number;
      /** Where they connect from; 127.0.0.1 when left out. */ addresses?: SourceAddresses;
      connectMs: number;
      reconnect: ReconnectPolicy;
      seed: number;
      /** Keep every receiver's latency for one event in this many of each shared topic. */
      fanoutEvery: number;
      /**
       * The browsers that the subscribers are pages of. `free`: connections for their other requests;
       * undefined where they share one (HTTP/2).
       */
      browser?: { tabs: number; perS: number; free: number | undefined };
      /** How webhook endpoints fall short. */
      endpoints?: readonly Conduct[];
    }
  /** What its subscribers publish, from the window on: event `i` of the plan by subscriber `sender[i]`. */
  | { kind: 'messages'; plan: PublishPlan; sender: Int32Array; topics: TopicGroupPlan[]; seed: number }
  | { kind: 'window'; window: Window }
  /** `leave`: this share of the subscribers leaves for a while and comes back; `slow`: it reads slowly. */
  | (LoadFaultCommand & ForAct)
  /** Collect garbage, so that the next sample shows the memory that is really in use. */
  | { kind: 'collect' }
  /** Report now; before the start too, with nothing connected. */
  | { kind: 'sample' }
  /**
   * Stop asking for events, close the ledger, report, and keep nothing open.
   * Topic `i` has measured events `firstSeq[i]`..`lastSeq[i]`, none when first > last.
   */
  | { kind: 'close'; firstSeq: Int32Array; lastSeq: Int32Array; unconfirmed?: readonly EventNumber[] }
  | { kind: 'stop' };

/**
 * A measured event that took a number of its topic, though nobody knows whether the system took the event:
 * one of a target's publisher, which numbers events itself. It is expected from nobody and counts for nobody.
 */
export type EventNumber = { topic: number; seq: number };

export type LoadReport =
  /** All subscribers are subscribed; or it gives up with so many, `code` being that of most problems. */
  | { kind: 'ready'; connectMs: number }
  | { kind: 'short'; connected: number; code?: string }
  | LoadSample
  /** Every message was answered or has failed. `seq[i]`: what the server gave message `i`, or 0. */
  | { kind: 'sent'; seq: Int32Array; lag: SparseHistogram; upstream: SparseHistogram; problems: Problem[] }
  | LoadClosed
  | Acted
  | { kind: 'stopped' }
  | Failed;

/** Sent at each slot's end, and when asked. Histograms hold what came since the last one. */
export type LoadSample = {
  kind: 'sample';
  sample: SelfSample;
  counters: Counters;
  /** Subscribers that are connected and subscribed now. */ connected: number;
  /** Subscribers that were cut off and are still trying to come back. */ coming: number;
  /** Measured deliveries so far, duplicates left out. */ delivered: number;
  /** Planned time to receipt, by the slot of the planned time. */
  latency: { slot: number; histogram: SparseHistogram }[];
};

export type LoadClosed = {
  kind: 'closed';
  /** Other requests of browsers, of the measured phase: planned, and planned to answered. */
  pages?: { planned: number; latency: SparseHistogram };
  /** Planned time to receipt by the attempt that brought it, of patterns that try again. */
  byAttempt?: { attempt: number; histogram: SparseHistogram }[];
  /** Subscribers by the pattern whose transport they came to, where they may fall back. */
  transports?: Record<string, number>;
  counters: Counters;
  ledger: LoadLedger;
  recovery?: LoadRecovery;
  /** Server accept to receipt. */ acceptToReceipt: SparseHistogram;
  /** Sent to answered, of those who ask on a schedule. */ request?: SparseHistogram;
  /**
   * Receipts of the events whose fan-out was kept: one entry an event, latencies from
   * planned time, ascending. `acceptedUs`: the server's acceptance, from planned time; left out where it
   * said none.
   */
  fanout: { topic: number; seq: number; latenciesUs: Int32Array; acceptedUs?: number }[];
  /** Receipts of all events with several receivers in the trial, kept or not. */
  shared: number;
  /** The first problems, with their count, for people to read. */
  problems: Problem[];
};

/** One load process's part of the ledger; counts of measured deliveries. */
export type LoadLedger = {
  expected: number;
  delivered: number;
  missed: number;
  /** Of a process that was lost in the trial: what it had not said. 0 when left out. */ unreported?: number;
  duplicated: number;
  /** First arrivals behind a later event of the same topic. */ reordered: number;
  /** First arrivals that a resume brought: accepted before the subscriber's latest (re)connection. */
  resumed: number;
  /** Bodies whose checksum differed from the published one. */ corrupted: number;
  /** Events that this subscriber had not asked for, or that no schedule published. */
  unexpected: number;
  /** Some of the missed, for people to read. */
  missing: { subscriber: number; topic: number; from: number; to: number }[];
};

export type Problem = { code: string; message: string; count: number };

// --- publisher --------------------------------------------------------------------------------------

export type PublisherCommand =
  | {
      kind: 'start';
      publishUrl: string;
      /** Of a cluster: one for each server, which get the events in turn. */
      publishUrls?: readonly string[];
      target?: TargetAccess;
      /** One request of a topic at a time, as targets are published to, so that the two compare. */
      inTurn?: boolean;
      topics: TopicGroupPlan[];
      plan: PublishPlan;
      /** What bursts publish before the window; their times mean nothing. */
      warmUp?: PublishPlan;
      seed: number;
    }
  /** Publish events `from` up to, not including, `to` of `warmUp` at once. */
  | { kind: 'burst'; from: number; to: number }
  | { kind: 'window'; window: Window }
  | { kind: 'sample' }
  | { kind: 'stop' };

export type PublisherReport =
  | { kind: 'ready' }
  /** The burst is over: so many of its events were confirmed. */
  | { kind: 'burst-done'; confirmed: number }
  | PublisherSample
  /**
   * Every event was answered or has failed. `seq[i]` is what the server gave event `i`, 0 where it gave none.
   */
  | {
      kind: 'done';
      seq: Int32Array;
      unconfirmed?: EventNumber[];
      lag: SparseHistogram;
      roundTrip: SparseHistogram;
      problems: Problem[];
    }
  | { kind: 'stopped' }
  | Failed;

export type PublisherSample = {
  kind: 'sample';
  sample: SelfSample;
  sent: number;
  confirmed: number;
  /** Connections and bytes of publishing, so that the host's counters can be compared with them. */
  counters: Counters;
};
