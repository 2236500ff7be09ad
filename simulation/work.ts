// Estimates how long a simulation computes and what it holds, so that it can be said before it begins.

import type { PatternRegistry } from '../core/pattern/pattern.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import type { ModelInput } from './model.ts';

export type Work = {
  /** What is computed one after the other: events and slots of polls, or each delivery and each request. */
  steps: number;
  us: number;
  bytes: number;
};

/** About so many steps a microsecond does a core at the least; most models do more. */
const stepsPerUs = 1;
/** A planned event, in typed arrays: when, where, what. */
const eventBytes = 16;
/** Histograms by slot and in all, whatever the scenario. */
const leastBytes = 60e6;
/** What a client takes that is computed by itself. */
const clientBytes = 64;
/** Steps of a delivery that the server makes by a request of its own, and what such a subscriber takes. */
const callSteps = 4;
const calledBytes = 4000;

/** @param events planned, the warm-up included */
export function workOf(
  { subscribers, phases }: Pick<Scenario, 'subscribers' | 'phases'>,
  { pattern, options }: Variant,
  { events, deliveries }: { events: number; deliveries: number },
  clients: ModelInput['clients'],
  registry: PatternRegistry,
): Work {
  // Whom the server calls are computed one by one, whatever was asked for.
  if (registry[pattern]?.holdsConnection === false) {
    const steps = deliveries * callSteps;
    return {
      steps,
      us: steps / stepsPerUs,
      bytes: leastBytes + events * eventBytes + subscribers * calledBytes,
    };
  }
  const everyMs = registry[pattern]?.asksEveryMs?.(options);
  const cycles = everyMs === undefined ? 0 : phases.measure / everyMs;
  const steps = clients === 'groups' ? events + cycles : deliveries + cycles * subscribers;
  return {
    steps,
    us: steps / stepsPerUs,
    bytes: leastBytes + events * eventBytes + (clients === 'groups' ? 0 : subscribers * clientBytes),
  };
}
