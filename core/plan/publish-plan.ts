// Defines the plan that a publisher works off: when each event is due, on which topic, with which body.

/** The open-model schedule, fixed before the run. Parallel arrays, ascending in time. */
export type PublishPlan = {
  /** Offsets from the start of the warm-up. */
  offsetUs: Float64Array;
  /** Index among all topics. */
  topic: Uint32Array;
  /** An index in `corpus`, or, below zero, minus the size in bytes of a body to generate. */
  body: Int32Array;
  corpus: string[];
  /**
   * The number that each event has in its topic, from 1, where the publisher gives it: events of a topic that
   * go to several servers are numbered by nobody else.
   */
  seq?: Int32Array;
};
