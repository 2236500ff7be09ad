// Defines the contract of publishers: what one is given, and what it reports.

import type { EventNumber, Problem, Window } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import type { Histogram } from '../../core/result/histogram.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';

export type PublisherSetup = {
  publishUrl: string;
  topics: TopicGroupPlan[];
  plan: PublishPlan;
  seed: number;
};

export type Published = {
  /** What the server gave event `i`, 0 where it gave none. */
  seq: Int32Array;
  /**
   * Of a target's publisher, which numbers events itself: numbers given to measured events that were not
   * confirmed. Others have none.
   */
  unconfirmed: EventNumber[];
  /** Planned to sent, of the measured events. */
  lag: Histogram;
  /** Sent to answered, of the measured events. */
  roundTrip: Histogram;
  problems: Problem[];
};

export type Publisher = {
  /**
   * Resolves when there is a connection.
   * @throws UserError `publisher-unreachable` when it does not after 5 s of trying
   */
  readonly ready: Promise<void>;
  /**
   * Publishes the plan. Resolves when every event was answered or has failed; at the latest 5 s after the
   * last one was sent, or was due and could not be, or when the measured phase is over if that is later.
   * @throws UserError `publisher-backlog` when more than `largestQueueBytes` wait for the server to take them
   */
  run(window: Window): Promise<Published>;
  sent(): number;
  confirmed(): number;
  /** Its connections and their bytes so far; no part of what a pattern costs. */
  readonly counters: Readonly<Counters>;
  close(): void;
};
