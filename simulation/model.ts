// Defines what a model of a pattern is given and what it returns: one file a pattern in models/. A model
// computes; it knows no clock, no chance but the streams that it is given, and no machine but the profile.

import type { Random } from '../core/base/random.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Counters } from '../core/result/counters.ts';
import type { Histogram } from '../core/result/histogram.ts';
import type { ExpectedError } from '../core/result/simulated.ts';
import type { Recovery } from '../core/result/recovery.ts';
import type { TrialFault } from '../core/result/trial-fault.ts';
import type { TrialWarning } from '../core/result/trial-warning.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Traces } from '../core/scenario/arrivals.ts';
import type { Scenario } from '../core/scenario/scenario.ts';

/** An event as the schedule has it; times count from the start of the measured phase, the warm-up below 0. */
export type PlannedEvent = {
  atUs: number;
  /** Index among all topics. */
  topic: number;
  bodyBytes: number;
};

export type ModelInput = {
  scenario: Scenario;
  variant: Variant;
  profile: Profile;
  /**
   * The schedule, ascending, and read once. Models of steady traffic do not hold it; with faults, and one by
   * one, all of it is held (harness/run/prepare-simulated.ts says how much may be).
   */
  events: Iterable<PlannedEvent>;
  /** The traces that topics play, by file: how many events they have is asked before `events` is read. */
  traces?: Traces;
  /** The stream of random numbers of that name: the same seed and name give the same numbers. */
  random: (stream: string) => Random;
  /**
   * `groups`: identical clients as one; `one-by-one`: each by itself, which groups are compared with.
   */
  clients: 'groups' | 'one-by-one';
  /** All servers have one core between them, as on a small machine; each has its own when left out. */
  oneCore?: true;
  /** What the host's monotonic clock says, whose digits are in every event; some hours when left out. */
  clockUs?: number;
  /** Is told, now and then, how much has been computed, from 0 to 1. */
  computed?: (share: number) => void;
};

/** What happened in a slot of time, added up. */
export type Slot = {
  latency: Histogram;
  deliveries: number;
  requests: number;
  bytesOut: number;
  serverCpuUs: number;
  /** At the end of the slot. */
  connected: number;
};

/** What one of several servers was used for in the measured phase. */
export type ServerFigures = {
  cpuUs: number;
  idleShare: number;
  handshakes: number;
  /** In the end, as the first fault was still to come, and at most. */
  subscribers: number;
  subscribersAtFirst: number;
  subscribersAtMost: number;
};

/** What came of it that things went wrong. */
export type Changes = {
  faults: TrialFault[];
  /** Left out where nobody was away. */
  recovery?: Recovery;
  /** Deliveries that a return brought. */
  resumed: number;
  /** Events of the measured phase that no server took. */
  unconfirmed: number;
  /** Left out of a server by itself. */
  servers?: { count: number; broker: string; inFront: string };
  perServer: ServerFigures[];
};

/** What a process is asked for. */
export type Asked = {
  /** The largest share of a core that a slot asks for. */
  busiestShare: number;
  /**
   * The share of a core that the whole measured phase asks for, including work due at its end in patterns
   * that have a backlog; from 1 on the process is saturated.
   */
  askedShare: number;
  /** Work that is left at the end of the measured phase. */
  leftUs: number;
  /** Its queue grows: its length says how long the phase was and not how long events take. */
  grows: boolean;
};

/** One of several servers. */
export type ServerPart = Asked & {
  cpuUs: number;
  idleShare: number;
  rssBytes: number;
  subscribers: number;
};

/** A process beside servers, of one thread. */
export type BesidePart = Asked & {
  role: 'broker' | 'in-front';
  cpuUs: number;
  rssBytes: number;
  /** Without subscribers. */
  baseRssBytes: number;
  /** Where subscribers go through it. */
  descriptors?: { baseline: number; connected: number };
};

export type Simulated = {
  /** Of the measured phase. */
  latency: {
    endToEnd: Histogram;
    firstReceiver: Histogram;
    medianReceiver: Histogram;
    lastReceiver: Histogram;
    /** Sent to confirmed, of an event whose publisher waits for its deliveries. */
    publishRoundTrip?: Histogram;
  };
  /** By the attempt that brought a delivery, from 1; of patterns that try again. */
  latencyByAttempt?: { attempt: number; histogram: Histogram }[];
  ledger: {
    published: number;
    expected: number;
    delivered: number;
    missed: number;
    duplicated: number;
    reordered: number;
  };
  /** Of the measured phase, as subscribers count: they get `bytesIn`. What the model does not count is 0. */
  counters: Counters;
  /** The same of the whole trial, where that is known. */
  wholeTrial?: Counters;
  /** Deliveries pending at the end of each slot, and the age of the oldest on the server's own clock. */
  backlog?: { depth: readonly number[]; oldestMs: readonly number[] };
  server: Omit<Asked, 'grows'> & {
    cpuUs: number;
    idleShare: number;
    rssBytes: number;
    kernelSocketBytes: number;
    descriptors: number;
  };
  /** Of several servers, with a broker or HAProxy too; `server` has all servers together, or the worst. */
  cluster?: { servers: ServerPart[]; beside: BesidePart[] };
  connections: number;
  slotUs: number;
  /** From the start of the measured phase on. */
  slots: Slot[];
  /** The server's queue grows without end: latencies say how long that lasted, and are no figures. */
  saturated: boolean;
  /** `windows`: parts of the time were computed and stand for the rest. */
  how: 'exact' | 'windows';
  /** How clients were computed, where that is not as it was asked for. */
  clients?: ModelInput['clients'];
  /** How far outside of what was calibrated: 1 is inside, 4 is four times the largest or smallest point. */
  extrapolated: number;
  /** By how much figures of each kind are off, as far as predictions were compared with measurements. */
  expectedError: ExpectedError;
  /** What the model leaves out, as sentences for readers. */
  leavesOut: string[];
  /** Where the scenario has faults. */
  changes?: Changes;
  /** What a reader of the figures has to know. */
  notes?: readonly TrialWarning[];
};

export type Model = {
  (input: ModelInput): Simulated;
  /** Why it cannot compute a variant of its pattern, whatever the profile; undefined where it can. */
  cannot?(variant: Variant, scenario: Pick<Scenario, 'server' | 'servers'>): string | undefined;
  /** It computes every delivery by itself, so its work grows with them. All that it does is for events. */
  eachDelivery?: true;
};

/** Models by pattern. */
export type ModelRegistry = Readonly<Partial<Record<string, Model>>>;

/** Grows when the same scenario, profile and seed give other figures. */
export const modelVersion = 6;
