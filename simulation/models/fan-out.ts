// Simulates how an event reaches its receivers one after the other: the first, the median and the last by one
// draw from the profile's distributions, the others in between on two straight lines. An event that comes
// while the server still writes the one before waits for it.

import type { Random } from '../../core/base/random.ts';
import type { Costs } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { Server } from './server.ts';
import type { Tally } from './tally.ts';

/** Where the receivers of an event are in time, from when it was planned. */
export type FanOut = {
  count: number;
  firstUs: number;
  medianUs: number;
  lastUs: number;
  /** Until the server is done with it. */
  doneUs: number;
};

export type Asked = { atUs: number; perS: number; payloadBytes: number; receivers: number };

export type FanOuts = {
  /** Calls come in the order of time. */
  of(event: Asked): FanOut;
  extrapolated(): number;
};

export function createFanOuts(
  costs: Costs,
  server: Server,
  tally: Pick<Tally, 'asked' | 'worked'>,
  random: Random,
): FanOuts {
  let extrapolated = 1;
  return {
    of({ atUs, perS, payloadBytes, receivers }) {
      const cost = costs.at({ receivers, perS, payloadBytes });
      extrapolated = Math.max(extrapolated, cost.extrapolated);
      const u = random();
      const beginsUs = server.serve(atUs, cost.cpuUs);
      tally.asked(atUs, cost.cpuUs);
      tally.worked(beginsUs, cost.cpuUs);
      const waitUs = beginsUs - atUs;
      const medianUs = waitUs + drawUs(cost.medianUs, u);
      // One receiver is first, median and last.
      const firstUs = receivers > 1 ? waitUs + drawUs(cost.firstUs, u) : medianUs;
      const lastUs = receivers > 1 ? waitUs + drawUs(cost.lastUs, u) : medianUs;
      return { count: receivers, firstUs, medianUs, lastUs, doneUs: waitUs + cost.cpuUs };
    },
    extrapolated: () => extrapolated,
  };
}

/** The receivers `from` up to `to` of a fan-out, as lines. */
export function linesOf(
  { count, firstUs, medianUs, lastUs }: FanOut,
  from: number,
  to: number,
  line: (firstUs: number, stepUs: number, count: number) => void,
): void {
  const middle = (count - 1) >> 1;
  const before = middle === 0 ? 0 : (medianUs - firstUs) / middle;
  const behind = count - 1 === middle ? 0 : (lastUs - medianUs) / (count - 1 - middle);
  const split = Math.min(to, Math.max(from, middle + 1));
  if (split > from) line(middle === 0 ? medianUs : firstUs + before * from, before, split - from);
  if (to > split) line(medianUs + behind * (split - middle), behind, to - split);
}
