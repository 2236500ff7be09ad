// Counts the signs of life on streams (core/policy/server/heartbeat.ts). Each subscriber has its turn twice
// in an interval: the first turn after something was written finds it fresh, the one after that sends, and
// from then on every second one, until something is written again.

import { heartbeatTurnMs } from '../../core/policy/server/heartbeat.ts';
import { divideInterval } from '../../core/policy/server/turns.ts';
import type { Followers } from './followers.ts';

export type SignsOfLife = {
  /** Something is written to all of a class: counts what was sent before. */
  written(ofClass: number, atUs: number): void;
  /** The time is over. @returns how many were sent within the measured phase */
  finish(atUs: number): number;
};

/**
 * @param beginsUs when streams were opened
 * @param shift where in its first interval the server's timer is, 0 to 1
 */
export function createSignsOfLife(
  followers: Followers,
  heartbeatMs: number,
  { beginsUs, measureUs, shift }: { beginsUs: number; measureUs: number; shift: number },
): SignsOfLife {
  const turns = divideInterval(heartbeatTurnMs(heartbeatMs));
  const intervalUs = heartbeatMs * 1000;
  const turnUs = turns.everyMs * 1000;
  const lapUs = intervalUs / 2;
  const shiftUs = beginsUs + shift * lapUs;
  const lastUs = new Float64Array(followers.classes).fill(beginsUs);
  let sent = 0;

  /** Turns that come after a moment, and members who have them: the class's subscribers are dealt on. */
  function count(ofClass: number, toUs: number): void {
    const fromUs = lastUs[ofClass]!;
    const size = followers.size(ofClass);
    if (toUs - fromUs <= lapUs || size === 0) return;
    const stride = followers.classes % turns.count;
    const lap = stride === 0 ? 1 : turns.count / divisor(turns.count, stride);
    for (let i = 0; i < Math.min(size, lap); i++) {
      const turn = (ofClass + i * followers.classes) % turns.count;
      const members = Math.floor((size - i - 1) / lap) + 1;
      const intoLap = (fromUs - shiftUs - turn * turnUs) / lapUs;
      const firstTurnUs = shiftUs + turn * turnUs + Math.max(0, Math.floor(intoLap) + 1) * lapUs;
      sent += members * (sentBefore(firstTurnUs + lapUs, toUs) - sentBefore(firstTurnUs + lapUs, 0));
    }
  }

  function sentBefore(firstUs: number, us: number): number {
    return Math.max(0, Math.ceil((Math.min(Math.max(us, 0), measureUs) - firstUs) / intervalUs));
  }

  return {
    written(ofClass, atUs) {
      count(ofClass, atUs);
      lastUs[ofClass] = atUs;
    },
    finish(atUs) {
      for (let i = 0; i < followers.classes; i++) count(i, atUs);
      return sent;
    },
  };
}

/** How many turns come in the measured phase where each sends, whatever was written (WebSocket's pings). */
export function turnsWithin(
  subscribers: number,
  intervalMs: number,
  { beginsUs, measureUs, shift }: { beginsUs: number; measureUs: number; shift: number },
): number {
  const turns = divideInterval(intervalMs);
  const intervalUs = intervalMs * 1000;
  let sum = 0;
  for (let turn = 0; turn < Math.min(turns.count, subscribers); turn++) {
    const members = Math.floor((subscribers - turn - 1) / turns.count) + 1;
    const atUs = beginsUs + shift * intervalUs + turn * turns.everyMs * 1000;
    const before = (us: number) => Math.max(0, Math.ceil((us - atUs) / intervalUs));
    sum += members * (before(measureUs) - before(0));
  }
  return sum;
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
