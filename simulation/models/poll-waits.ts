// Says how long an event waits for the next poll, for clients that ask once in every interval, each at a
// phase of its own. Where waits between polls vary by chance, phases drift over the whole interval, and what
// is left of a wait at any moment is spread evenly up to the shortest one and then thins out to the longest.

export type PollWaits = {
  /** The share of clients that ask within so long a time. */
  shareWithin(us: number): number;
  /**
   * The waits of `count` clients, as lines. @param shift where the first is, 0 to 1 of the distance of two
   */
  lines(count: number, shift: number, line: (firstUs: number, stepUs: number, count: number) => void): void;
};

/** Straight lines that stand for the bend of the thinning part. */
const pieces = 24;

/** @param jitter by how much each wait may be shorter or longer, as a share of `everyUs` */
export function createPollWaits(everyUs: number, jitter: number): PollWaits {
  /** The wait that a share of clients is below. */
  const waitOf = (share: number) =>
    share <= 1 - jitter
      ? share * everyUs
      : everyUs * (1 + jitter - 2 * Math.sqrt(jitter * Math.max(0, 1 - share)));
  const bend = Array.from({ length: pieces + 1 }, (_, i) => 1 - jitter * (1 - i / pieces) ** 2);
  const knots = jitter === 0 ? [0, 1] : [0, ...bend];
  return {
    shareWithin(us) {
      const of = us / everyUs;
      if (of <= 1 - jitter) return Math.max(0, of);
      if (of >= 1 + jitter) return 1;
      return 1 - (1 + jitter - of) ** 2 / (4 * jitter);
    },
    lines(count, shift, line) {
      let from = 0;
      for (let i = 1; i < knots.length; i++) {
        const to =
          i === knots.length - 1 ? count : Math.min(count, Math.max(0, Math.ceil(knots[i]! * count - shift)));
        if (to <= from) continue;
        const [low, high] = [waitOf(knots[i - 1]!), waitOf(knots[i]!)];
        const slope = (high - low) / (knots[i]! - knots[i - 1]!);
        const firstShare = (from + shift) / count;
        line(low + slope * (firstShare - knots[i - 1]!), slope / count, to - from);
        from = to;
      }
    },
  };
}
