// Counts the signs of life on streams (core/policy/server/heartbeat.ts). Each subscriber has its turn twice
// in an interval: the first turn after something was written finds it fresh, the one after that sends, and
// from then on every second one, until something is written again.

import { formatNumber } from '../../core/base/units.ts';
import { heartbeatTurnMs } from '../../core/policy/server/heartbeat.ts';
import { divideInterval } from '../../core/policy/server/turns.ts';
import type { Followers } from './followers.ts';

export type SignsOfLife = {
  /** Something is written to all of a class: counts what was sent before. */
  written(ofClass: number, atUs: number): void;
  /** The time is over. @returns how many were sent within the measured phase */
  finish(atUs: number): number;
};

export type TimerSpan = {
  /** When streams were opened. */
  beginsUs: number;
  measureUs: number;
  /**
   * Where each server's timer is in its interval as streams are opened, 0 to 1: it runs already, so everybody
   * has a turn within the next interval. Subscribers are dealt to servers in turn.
   */
  shifts: readonly number[];
};

export function createSignsOfLife(
  followers: Followers,
  heartbeatMs: number,
  { beginsUs, measureUs, shifts }: TimerSpan,
): SignsOfLife {
  const servers = shifts.length;
  const turns = divideInterval(heartbeatTurnMs(heartbeatMs));
  const intervalUs = heartbeatMs * 1000;
  const turnUs = turns.everyMs * 1000;
  const lapUs = intervalUs / 2;
  /** From one member of a class to the next, as its server counts them. */
  const apart = Math.floor(followers.classes / servers);
  const lastUs = new Float64Array(followers.classes).fill(beginsUs);
  let sent = 0;

  /** Turns that come after a moment, and members who have them: the class's subscribers are dealt on. */
  function count(ofClass: number, toUs: number): void {
    const fromUs = lastUs[ofClass]!;
    const size = followers.size(ofClass);
    if (toUs - fromUs <= lapUs || size === 0) return;
    const shift = shifts[ofClass % servers]!;
    const first = Math.floor(ofClass / servers);
    const stride = apart % turns.count;
    const lap = stride === 0 ? 1 : turns.count / divisor(turns.count, stride);
    for (let i = 0; i < Math.min(size, lap); i++) {
      const turn = (first + i * apart) % turns.count;
      const members = Math.floor((size - i - 1) / lap) + 1;
      const turnOfLapUs = beginsUs + firstTurnUsAfter(shift, turn * turnUs, lapUs);
      const laps = Math.max(0, Math.floor((fromUs - turnOfLapUs) / lapUs) + 1);
      const firstTurnUs = turnOfLapUs + laps * lapUs;
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

/**
 * When a turn first comes after streams were opened.
 * @param turnUs where it lies in the interval of the timer
 */
export function firstTurnUsAfter(shift: number, turnUs: number, intervalUs: number): number {
  return (shift * intervalUs + turnUs) % intervalUs;
}

/** How many turns come in the measured phase where each sends, whatever was written (WebSocket's pings). */
export function turnsWithin(
  subscribers: number,
  intervalMs: number,
  { beginsUs, measureUs, shifts }: TimerSpan,
): number {
  const turns = divideInterval(intervalMs);
  const intervalUs = intervalMs * 1000;
  let sum = 0;
  for (const [server, shift] of shifts.entries()) {
    const own = Math.floor((subscribers - server - 1) / shifts.length) + 1;
    for (let turn = 0; turn < Math.min(turns.count, own); turn++) {
      const members = Math.floor((own - turn - 1) / turns.count) + 1;
      const atUs = beginsUs + firstTurnUsAfter(shift, turn * turns.everyMs * 1000, intervalUs);
      const before = (us: number) => Math.max(0, Math.ceil((us - atUs) / intervalUs));
      sum += members * (before(measureUs) - before(0));
    }
  }
  return sum;
}

/**
 * What of the server's CPU for signs of life is in no figure: a server's idle CPU is that of the most
 * subscribers that the profile has.
 */
export function signsLeftOut(points: readonly { subscribers: number }[], subscribers: number): string[] {
  const most = Math.max(...points.map((point) => point.subscribers));
  return subscribers <= most
    ? []
    : [
        "the server's CPU for signs of life (pings, heartbeats) of more than " +
          `${formatNumber(most)} subscribers`,
      ];
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
