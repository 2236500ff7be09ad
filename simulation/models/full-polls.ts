// Counts the polls of classes of clients, and those that find an event: from one event of a class to the
// next, each client's first poll is full and all others are empty.

import type { Followers } from './followers.ts';
import type { PollWaits } from './poll-waits.ts';

export type FullPolls = {
  /** An event comes that a class follows: counts what polled since the one before. */
  happened(ofClass: number, atUs: number): void;
  /** How far into the distance of two polls of the class the next one comes, 0 to 1; without jitter. */
  shiftAt(ofClass: number, atUs: number): number;
  /** @returns polls within the measured phase up to `untilUs`; fractions where chance decides */
  finish(untilUs: number): { full: number; all: number };
};

export type Phases = {
  everyUs: number;
  jitter: number;
  shiftOf: Float64Array;
  beginsUs: number;
  measureUs: number;
};

export function createFullPolls(
  followers: Followers,
  waits: PollWaits,
  { everyUs, jitter, shiftOf, beginsUs, measureUs }: Phases,
): FullPolls {
  const lastUs = new Float64Array(followers.classes).fill(-Infinity);
  let full = 0;

  /** Polls of a class from the beginning up to and with this moment; without jitter. */
  function pollsUntil(ofClass: number, size: number, us: number): number {
    const stepUs = everyUs / size;
    return Math.floor((us - beginsUs) / stepUs - shiftOf[ofClass]!) + 1;
  }

  /** Those of the polls behind `fromUs` up to `toUs` that are the first of their client. */
  function firstPolls(ofClass: number, size: number, fromUs: number, toUs: number): number {
    const from = Math.max(fromUs, -Number.MIN_VALUE);
    if (jitter === 0) {
      const to = Math.min(toUs, fromUs + everyUs, measureUs);
      return to <= from ? 0 : pollsUntil(ofClass, size, to) - pollsUntil(ofClass, size, from);
    }
    const to = Math.min(toUs, measureUs);
    return to <= from ? 0 : size * (waits.shareWithin(to - fromUs) - waits.shareWithin(from - fromUs));
  }

  function settle(ofClass: number, untilUs: number): void {
    const fromUs = lastUs[ofClass]!;
    if (fromUs === -Infinity) return;
    full += firstPolls(ofClass, followers.size(ofClass), fromUs, untilUs);
  }

  return {
    happened(ofClass, atUs) {
      settle(ofClass, atUs);
      lastUs[ofClass] = atUs;
    },
    shiftAt(ofClass, atUs) {
      const phase = (atUs - beginsUs) / (everyUs / followers.size(ofClass)) - shiftOf[ofClass]!;
      return Math.floor(phase) + 1 - phase;
    },
    finish(untilUs) {
      let all = 0;
      for (let i = 0; i < followers.classes; i++) {
        settle(i, untilUs);
        const size = followers.size(i);
        if (size === 0) continue;
        all +=
          jitter > 0
            ? (size * untilUs) / everyUs
            : pollsUntil(i, size, untilUs) - pollsUntil(i, size, -Number.MIN_VALUE);
      }
      return { full, all };
    },
  };
}
