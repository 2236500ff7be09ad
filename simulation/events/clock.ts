// Names the times that the parts of an event core share: one array, since a number in an array takes no
// object, and one array is looked up once.

/** Times lie below it: nearly nine years. */
export const endOfTimeUs = 2 ** 48;
/** What the high half of a time counts. */
export const highUs = 2 ** 32;

/** Places of a clock. */
export const now = 0;
/** Due first of the queue: no event is earlier, and if the front has one, it is the front's first. */
export const queueFirst = 1;
/** Due first of all lanes; Infinity where they are empty. */
export const laneFirst = 2;
/** What is put before it goes into the front; 0 while the front takes none. */
export const frontEnd = 3;
/** What the high half of times in the front amounts to. */
export const frontHigh = 4;

export type Clock = Float64Array;

export function newClock(): Clock {
  const clock = new Float64Array(5);
  clock[queueFirst] = Infinity;
  clock[laneFirst] = Infinity;
  return clock;
}
