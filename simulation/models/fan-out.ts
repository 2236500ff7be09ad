// Simulates how an event reaches its receivers one after the other: the first, the median and the last by one
// draw from the profile's distributions, the others in between on two straight lines. An event that comes
// while the server still writes the one before waits for it.

import type { Random } from '../../core/base/random.ts';
import type { Costs } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import type { Server } from './server.ts';
import type { Work } from './work.ts';

/** Where the receivers of an event are in time, from when it was planned. */
export type FanOut = {
  count: number;
  firstUs: number;
  medianUs: number;
  lastUs: number;
  /** Until the server is done with it. */
  doneUs: number;
};

export type Asked = {
  atUs: number;
  perS: number;
  payloadBytes: number;
  receivers: number;
  /** Extra CPU, compared with an event that is published to a server without a broker; 0 when left out. */
  beyondUs?: number;
};

export type FanOuts = {
  /** Calls come in the order of time. */
  of(event: Asked): FanOut;
  extrapolated(): number;
};

export function createFanOuts(
  costs: Costs,
  server: Server,
  work: Pick<Work, 'asked' | 'worked'>,
  random: Random,
): FanOuts {
  let extrapolated = 1;
  return {
    of({ atUs, perS, payloadBytes, receivers, beyondUs = 0 }) {
      const cost = costs.at({ receivers, perS, payloadBytes });
      extrapolated = Math.max(extrapolated, cost.extrapolated);
      const u = random();
      const cpuUs = Math.max(0, cost.cpuUs + beyondUs);
      const beginsUs = server.serve(atUs, cpuUs);
      work.asked(atUs, cpuUs);
      work.worked(beginsUs, cpuUs);
      const waitUs = beginsUs - atUs;
      const medianUs = waitUs + drawUs(cost.medianUs, u);
      // One receiver is first, median and last.
      const firstUs = receivers > 1 ? waitUs + drawUs(cost.firstUs, u) : medianUs;
      const lastUs = receivers > 1 ? waitUs + drawUs(cost.lastUs, u) : medianUs;
      return { count: receivers, firstUs, medianUs, lastUs, doneUs: waitUs + cpuUs };
    },
    extrapolated: () => extrapolated,
  };
}

/** The same, told from a moment that is so much earlier. */
export function since(fanOut: FanOut, us: number): FanOut {
  if (us === 0) return fanOut;
  return {
    ...fanOut,
    firstUs: fanOut.firstUs + us,
    medianUs: fanOut.medianUs + us,
    lastUs: fanOut.lastUs + us,
    doneUs: fanOut.doneUs + us,
  };
}

/** When the first, the median and the last receiver of several fan-outs together have it. */
export function together(fanOuts: readonly FanOut[]): Pick<FanOut, 'firstUs' | 'medianUs' | 'lastUs'> {
  const some = fanOuts.filter(({ count }) => count > 0);
  if (some.length === 1) return some[0]!;
  const firstUs = Math.min(...some.map((one) => one.firstUs));
  const lastUs = Math.max(...some.map((one) => one.lastUs));
  const middle = (some.reduce((sum, { count }) => sum + count, 0) - 1) >> 1;
  let [low, high] = [firstUs, lastUs];
  // To a quarter of a microsecond: which of them it is shows in whole ones.
  while (high - low > 0.25) {
    const us = (low + high) / 2;
    if (some.reduce((sum, one) => sum + countUntil(one, us), 0) > middle) high = us;
    else low = us;
  }
  return { firstUs, medianUs: high, lastUs };
}

function countUntil(fanOut: FanOut, us: number): number {
  let all = 0;
  linesOf(fanOut, 0, fanOut.count, (firstUs, stepUs, count) => {
    if (us >= firstUs) all += stepUs <= 0 ? count : Math.min(count, Math.floor((us - firstUs) / stepUs) + 1);
  });
  return all;
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
