// Defines what a model of a pattern is given and what it returns: one file a pattern in models/. A model
// computes; it knows no clock, no chance but the streams that it is given, and no machine but the profile.

import type { Random } from '../core/base/random.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Counters } from '../core/result/counters.ts';
import type { Histogram } from '../core/result/histogram.ts';
import type { ExpectedError } from '../core/result/simulated.ts';
import type { Profile } from '../core/profile/profile.ts';
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
  /** The schedule, ascending; read once, and never held as a whole. */
  events: Iterable<PlannedEvent>;
  /** The stream of random numbers of that name: the same seed and name give the same numbers. */
  random: (stream: string) => Random;
  /**
   * `groups`: exchangeable clients as one; `one-by-one`: each by itself, which groups are held against.
   */
  clients: 'groups' | 'one-by-one';
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

export type Simulated = {
  /** Of the measured phase. */
  latency: {
    endToEnd: Histogram;
    firstReceiver: Histogram;
    medianReceiver: Histogram;
    lastReceiver: Histogram;
  };
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
  server: {
    cpuUs: number;
    idleShare: number;
    /** The largest share of a core that a slot asks for. */
    busiestShare: number;
    /** The share of a core that the whole measured phase asks for; from 1 on the server is saturated. */
    askedShare: number;
    /** Work that is left at the end of the measured phase. */
    leftUs: number;
    rssBytes: number;
    kernelSocketBytes: number;
    descriptors: number;
  };
  connections: number;
  slotUs: number;
  /** From the start of the measured phase on. */
  slots: Slot[];
  /** The server's queue grows without end: latencies say how long that lasted, and are no figures. */
  saturated: boolean;
  /** `windows`: parts of the time were computed and stand for the rest. */
  how: 'exact' | 'windows';
  /** How far outside of what was calibrated: 1 is inside, 4 is four times the largest or smallest point. */
  extrapolated: number;
  /** By how much figures of each kind are off, as far as predictions were held against measurements. */
  expectedError: ExpectedError;
  /** What the model leaves out, as sentences for readers. */
  leavesOut: string[];
};

export type Model = (input: ModelInput) => Simulated;

/** Models by pattern. */
export type ModelRegistry = Readonly<Partial<Record<string, Model>>>;

/** Grows when the same scenario, profile and seed give other figures. */
export const modelVersion = 3;
