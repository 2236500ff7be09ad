// Searches for the most subscribers that one server carries. Neither search asks how many there are in all,
// so more subscribers never need fewer servers. The one for a latency asks the same sizes whatever the bound
// is, so that a looser bound never finds fewer: where two bounds part for the first time, the looser one goes
// up and the tighter one down.

/** A share of a capacity that is near enough. */
const nearEnough = { cpu: 0.01, latency: 0.03 };
/** From one size to the next while nothing is exceeded. */
const steps = 8;
/** Guesses before the search halves what is left. */
const mostGuesses = 6;

/** So many subscribers are tried first, unless they have many events each. */
export const usualFirst = 1000;
/** Events a second, of all topics, of the first try: with more of them the simulation takes long. */
const mostFirstPerS = 100_000;

/** How many subscribers are tried first, where each has so many events a second of its own. */
export function firstWith(eventsPerS: number): number {
  return Math.max(1, Math.min(usualFirst, Math.floor(mostFirstPerS / eventsPerS)));
}

/** The smallest of the sizes 1, 8, 64, ... with room for so many. */
export function sizeFor(subscribers: number): number {
  let size = 1;
  while (size < subscribers) size *= steps;
  return size;
}

/**
 * The most subscribers with which a server stays within a share of a core.
 * @param shareAt rises with subscribers, about in proportion
 * @param most none is tried above
 * @param first how many are tried first
 * @returns 0 where one is too many; `most` where it carries them all
 */
export function mostWithinCpu(
  shareAt: (subscribers: number) => number,
  limit: number,
  most: number,
  first = usualFirst,
): number {
  let [carried, tooMany] = [0, most + 1];
  let subscribers = Math.min(most, first);
  for (let guesses = 1; ; guesses++) {
    const share = shareAt(subscribers);
    if (share <= limit) carried = subscribers;
    else tooMany = subscribers;
    if (tooMany - carried <= Math.max(1, carried * nearEnough.cpu)) return carried;
    // A little beyond the guess, so that the search closes in from both sides.
    const aside = share <= limit ? 1 + nearEnough.cpu / 3 : 1 - nearEnough.cpu / 3;
    const guess = Math.round(((subscribers * limit) / Math.max(share, limit / 1000)) * aside);
    const next = guesses < mostGuesses ? guess : Math.floor((carried + tooMany) / 2);
    subscribers = Math.min(tooMany - 1, Math.max(carried + 1, next));
  }
}

/**
 * The most subscribers with which a latency keeps its bound.
 * @param most none is tried above
 * @returns 0 where it does not with one; `most` where it keeps it with all of them
 */
export function mostInTime(isInTime: (subscribers: number) => boolean, most: number): number {
  let carried = 0;
  let tooMany = most + 1;
  for (let size = 1; carried < most; size *= steps) {
    const next = Math.min(size, most);
    if (!isInTime(next)) {
      tooMany = next;
      break;
    }
    carried = next;
  }
  while (tooMany - carried > Math.max(1, carried * nearEnough.latency)) {
    const middle = Math.max(carried + 1, Math.floor(Math.sqrt(Math.max(1, carried) * tooMany)));
    if (isInTime(middle)) carried = middle;
    else tooMany = middle;
  }
  return carried;
}
