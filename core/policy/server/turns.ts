// Decides when each of thousands of subscribers has its turn, once in every interval: the turns are spread
// over the interval. Pure: the caller has the timer.

const mostTurns = 64;
/** Each turn wakes a process that would sleep: about 0.3 ms of CPU, however little there is to do. */
const leastTurnMs = 500;

/** How an interval is divided: so many turns, one every so many milliseconds. */
export type Turns = { readonly count: number; readonly everyMs: number };

export function divideInterval(intervalMs: number): Turns {
  const count = Math.max(1, Math.min(mostTurns, Math.floor(intervalMs / leastTurnMs)));
  return { count, everyMs: intervalMs / count };
}

/**
 * The turn of the member that comes as number `dealt` (from 0): one after the other, so that turns differ by
 * one member at most.
 */
export function turnOfMember({ count }: Turns, dealt: number): number {
  return dealt % count;
}
