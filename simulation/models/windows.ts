// Decides when enough was computed: a scenario whose parts of time are all alike, with more work in it than
// anybody waits for, is computed for a part of the time, which then stands for the rest.

/** Classes that events may touch: some seconds of work. */
const mostTouched = 20_000_000;

export type Budget = {
  /** Notes an event's work. @returns whether the part that stands for the rest is over */
  isSpent(touched: number, atUs: number): boolean;
};

/** @param steady whether a part of the time can stand for the rest at all */
export function createBudget(steady: boolean): Budget {
  let left = mostTouched;
  return {
    isSpent(touched, atUs) {
      left -= touched;
      return steady && left < 0 && atUs > 0;
    },
  };
}
