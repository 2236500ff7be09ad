// Runs a clock of virtual time up to given moments, and tells on the way how far it is.

import type { ModelInput } from '../model.ts';

/** How often it tells. */
const times = 100;

/**
 * @param clock whose `run` does all that is due before a moment, in microseconds
 * @param span from where to where all of it goes
 * @param computed is told the share that is done, a hundred times
 * @returns runs the clock up to a moment
 */
export function runTelling(
  clock: { run(untilUs: number): void },
  { fromUs, toUs }: { fromUs: number; toUs: number },
  computed: ModelInput['computed'],
): (untilUs: number) => void {
  const stepUs = Math.max(1, Math.ceil((toUs - fromUs) / times));
  let nextUs = fromUs + stepUs;
  return (untilUs) => {
    for (; nextUs < untilUs; nextUs += stepUs) {
      clock.run(nextUs);
      computed?.(Math.min(1, (nextUs - fromUs) / (toUs - fromUs)));
    }
    clock.run(untilUs);
  };
}
