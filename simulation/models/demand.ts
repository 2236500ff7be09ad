// Judges what a server's one thread is asked for: whether its queue grows without end, and whether that is
// clear before all of the time is computed. A burst that the server works off later is not such a queue: its
// latencies are long, and are those of the scenario.

/** What was asked for up to a moment. */
export type Load = {
  /** How long the server is busy from now on, or how much more was asked for than there was time for. */
  behindUs: number;
  /** Of the measured phase. */
  askedUs: number;
  /** The largest single piece of work. */
  largestUs: number;
};

/** Less work than this is never hopeless. */
const hopelessUs = 10_000_000;
/** Chance does not pile up this many of the largest pieces, even at 99 % of what the server can do. */
const manyPieces = 1000;
/** So many are enough where twice as much is asked for as there is time for. */
const somePieces = 10;

/** Whether a server under a steady load is so far behind at `atUs` that it never catches up. */
export function isHopeless({ behindUs, askedUs, largestUs }: Load, atUs: number): boolean {
  const pieces = askedUs >= 2 * atUs ? somePieces : manyPieces;
  return behindUs > hopelessUs && behindUs > pieces * largestUs;
}

export type Demand = {
  /** The largest share of a core that a slot asks for. */
  busiestShare: number;
  /** The share of a core that the whole measured phase asks for. */
  askedShare: number;
  /** Work that is left at the end of the measured phase. */
  leftUs: number;
  /** The queue grows: its length says how long the phase was and not how long events take. */
  grows: boolean;
};

type Asked = {
  /** By slot. */
  askedUs: readonly number[];
  measureUs: number;
  slotUs: number;
  largestUs: number;
  idleShare: number;
};

/**
 * A queue grows where the whole phase asks for more than there is time for; or where at its end more is left
 * than a slot can do, one piece of work aside, and no longer queue before it was worked off.
 */
export function demandOf({ askedUs, measureUs, slotUs, largestUs, idleShare }: Asked): Demand {
  let [busiestShare, inAllUs, leftUs] = [0, 0, 0];
  let [longestUs, workedOffUs] = [0, 0];
  for (const [i, asked] of askedUs.entries()) {
    const widthUs = Math.min(measureUs, (i + 1) * slotUs) - i * slotUs;
    busiestShare = Math.max(busiestShare, asked / widthUs);
    inAllUs += asked;
    leftUs = Math.max(0, leftUs + asked - widthUs * (1 - idleShare));
    longestUs = Math.max(longestUs, leftUs);
    if (leftUs > 0) continue;
    workedOffUs = Math.max(workedOffUs, longestUs);
    longestUs = 0;
  }
  const askedShare = inAllUs / measureUs + idleShare;
  const isLeft = leftUs - largestUs > slotUs && leftUs > workedOffUs;
  return { busiestShare: busiestShare + idleShare, askedShare, leftUs, grows: askedShare >= 1 || isLeft };
}
