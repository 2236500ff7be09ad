// Decides when enough was computed: a scenario whose parts of time are all alike, with more work in it than
// anybody waits for, is computed for a part of the time, which then stands for the rest. So is one whose
// server has more to do than it can: the queue grows from there on, and nothing is left to be computed.

import type { ModelInput } from '../model.ts';
import { isHopeless, type Load } from './demand.ts';

/** Classes that events may touch, or as much other work: a second or two. */
const mostTouched = 1_500_000;
export type Part = 'whole' | 'enough' | 'overload';

/** How much work lies between two moments at which it is said how far it is. */
const saidEvery = 20_000;

/**
 * @param steady whether a part of the time can stand for the rest at all
 * @param rounds the rounds that clients repeat. A computed part is at least `least` whole rounds:
 *   otherwise work that all do in the same part of a round would count too often or too seldom
 * @param measureUs the measured phase; `computed` is told how far the work is
 * @returns notes an event's work and the load of each server, and says whether that is all: `whole` goes on
 */
export function createBudget(
  steady: boolean,
  { roundUs, least }: { roundUs: number; least: number },
  measureUs: number,
  computed: ModelInput['computed'],
): (touched: number, atUs: number, loads?: readonly Load[]) => Part {
  const leastUs = least * roundUs;
  let left = mostTouched;
  let rounds = 0;
  let unsaid = 0;
  return (touched, atUs, loads = []) => {
    left -= touched;
    unsaid += touched + 1;
    if (unsaid > saidEvery) {
      unsaid = 0;
      const part = steady ? Math.min(1 - left / mostTouched, atUs / leastUs) : 0;
      computed?.(Math.max(0, Math.min(1, Math.max(part, atUs / measureUs))));
    }
    if (!steady || atUs <= 0) return 'whole';
    if (loads.some((load) => isHopeless(load, atUs))) return 'overload';
    const before = rounds;
    rounds = Math.floor(atUs / roundUs);
    return left < 0 && rounds >= least && rounds > before ? 'enough' : 'whole';
  };
}
