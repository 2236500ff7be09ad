// Holds the times that the parts of an event core share.

/** Times lie below it: nearly nine years. */
export const endOfTimeUs = 2 ** 48;
/** What the high half of a time counts. */
export const highUs = 2 ** 32;

export type Clock = {
  nowUs: number;
  /** Due first of the queue: no event is earlier, and if the front has one, it is the front's first. */
  queueUs: number;
  /** Due first of all lanes; Infinity where they are empty. */
  laneUs: number;
  /** What is put before it goes into the front; 0 while the front takes none. */
  frontEndUs: number;
  /** What the high half of times in the front amounts to. */
  frontHighUs: number;
  /** How many events were put: the low 32 bits, and what is above. */
  putLow: number;
  putHigh: number;
};

export function newClock(): Clock {
  // V8 keeps a field that began as a fraction or Infinity as a double, which takes no new object when it
  // changes.
  const times = { nowUs: Infinity, queueUs: Infinity, laneUs: Infinity };
  const clock = { ...times, frontEndUs: Infinity, frontHighUs: Infinity, putLow: 0, putHigh: 0 };
  return Object.assign(clock, { nowUs: 0, frontEndUs: 0, frontHighUs: 0 });
}
