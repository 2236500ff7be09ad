// Simulates HAProxy in front of servers: one thread that passes on what all of them send, a delivery after
// the other. Where it is no slower than they are it adds a delay; else it is what subscribers wait for.

import type { Random } from '../../core/base/random.ts';
import type { FrontCost } from '../costs/cluster-costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { FanOut } from './fan-out.ts';
import { createServer } from './server.ts';
import type { Work } from './work.ts';

export type Front = {
  /** What becomes of an event's fan-outs on their way to subscribers. Calls come in the order of time. */
  pass(atUs: number, fanOuts: readonly FanOut[]): FanOut[];
  /** Answers of the measured phase that pass by themselves, from `atUs` on. */
  passed(atUs: number, answers: number): void;
  /** Requests that come evenly over a stretch of the measured phase. */
  passedEvenly(fromUs: number, toUs: number, requests: number): void;
  /** By how much later an answer comes, by chance and at the median. */
  addsUs(): number;
  usuallyAddsUs: number;
  cost: FrontCost;
  work: Work;
};

export function createFront(cost: FrontCost, work: Work, random: Random): Front {
  const thread = createServer();
  return {
    cost,
    work,
    usuallyAddsUs: drawUs(cost.addedUs, 0.5),
    addsUs: () => drawUs(cost.addedUs, random()),
    pass(atUs, fanOuts) {
      const some = fanOuts.filter(({ count }) => count > 0);
      if (some.length === 0) return [...fanOuts];
      const firstUs = atUs + Math.min(...some.map((one) => one.firstUs));
      const tookUs = cost.cpuUs * some.reduce((sum, { count }) => sum + count, 0);
      const beginsUs = thread.serve(firstUs, tookUs);
      work.asked(firstUs, tookUs);
      work.worked(beginsUs, tookUs);
      const addsUs = drawUs(cost.addedUs, random());
      const [soonestUs, doneUs] = [beginsUs - atUs, beginsUs + tookUs - atUs];
      const later = (us: number, leastUs: number) => Math.max(us, leastUs) + addsUs;
      return fanOuts.map((one) =>
        one.count === 0
          ? one
          : {
              ...one,
              // Those of a single receiver are one and the same.
              firstUs: later(one.firstUs, one.count === 1 ? doneUs : soonestUs),
              medianUs: later(one.medianUs, one.count === 1 ? doneUs : (soonestUs + doneUs) / 2),
              lastUs: later(one.lastUs, doneUs),
            },
      );
    },
    passed(atUs, answers) {
      if (answers > 0) work.workedEvenly(Math.max(0, atUs), Math.max(0, atUs), answers * cost.cpuUs);
    },
    passedEvenly: (fromUs, toUs, requests) => work.workedEvenly(fromUs, toUs, requests * cost.cpuUs),
  };
}
