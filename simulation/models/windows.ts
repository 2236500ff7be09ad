// Decides when enough was computed: a scenario whose parts of time are all alike, with more work in it than
// anybody waits for, is computed for a part of the time, which then stands for the rest. So is one whose server
// has more to do than it can: the queue grows from there on, and nothing is left to be computed.

/** Classes that events may touch: a second or two of work. */
const mostTouched = 1_500_000;
/** A server of a steady load that is so far behind does not catch up. */
const hopelessUs = 10_000_000;

export type Part = 'whole' | 'enough' | 'overload';

/**
 * @param steady whether a part of the time can stand for the rest at all
 * @param leastUs a part is not shorter: some rounds of what clients do again and again
 * @returns notes an event's work, and says whether that is all: `whole` goes on
 */
export function createBudget(
  steady: boolean,
  leastUs: number,
): (touched: number, atUs: number, behindUs: number) => Part {
  let left = mostTouched;
  return (touched, atUs, behindUs) => {
    left -= touched;
    if (!steady || atUs <= 0) return 'whole';
    if (behindUs > hopelessUs) return 'overload';
    return left < 0 && atUs >= leastUs ? 'enough' : 'whole';
  };
}
