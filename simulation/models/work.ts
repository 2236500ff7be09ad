// Adds up the work that a process is asked to do and the work that it does, by slot of the measured phase:
// for the thread of a server, a broker or a proxy.

import { demandOf, type Demand, type Load } from './demand.ts';

export type Work = ReturnType<typeof createWork>;

/** Parts of time, each as wide as the others but for the last. */
export type Dealer = {
  measureUs: number;
  slotUs: number;
  count: number;
  isMeasured(atUs: number): boolean;
  /** Deals an amount over the slots that a stretch of time lies in, in proportion. */
  deal(fromUs: number, toUs: number, amount: number, add: (slot: number, part: number) => void): void;
  widthUs(slot: number): number;
};

export function createDealer(measureUs: number, slotUs: number): Dealer {
  const isMeasured = (atUs: number) => atUs >= 0 && atUs < measureUs;
  return {
    measureUs,
    slotUs,
    count: Math.ceil(measureUs / slotUs),
    isMeasured,
    deal(fromUs, toUs, amount, add) {
      if (amount === 0) return;
      const lengthUs = toUs - fromUs;
      if (lengthUs <= 0) {
        if (isMeasured(fromUs)) add(Math.floor(fromUs / slotUs), amount);
        return;
      }
      const [from, to] = [Math.max(0, fromUs), Math.min(measureUs, toUs)];
      for (let i = Math.floor(from / slotUs); i * slotUs < to; i++) {
        const within = Math.min(to, (i + 1) * slotUs) - Math.max(from, i * slotUs);
        add(i, (amount * within) / lengthUs);
      }
    },
    widthUs: (slot) => Math.min(measureUs, (slot + 1) * slotUs) - slot * slotUs,
  };
}

/** @param done is told of the work done in each slot */
export function createWork(dealer: Dealer, done: (slot: number, us: number) => void = () => {}) {
  const { measureUs, slotUs, isMeasured, deal, widthUs } = dealer;
  const askedUs = Array.from({ length: dealer.count }, () => 0);
  let askedInAllUs = 0;
  let largestUs = 0;
  let cpuUs = 0;
  return {
    /** Work that comes to the thread, whenever it gets to it. */
    asked(atUs: number, tookUs: number): void {
      largestUs = Math.max(largestUs, tookUs);
      if (!isMeasured(atUs)) return;
      askedInAllUs += tookUs;
      askedUs[Math.floor(atUs / slotUs)]! += tookUs;
    },
    /** What was asked for up to a moment. @param freeAtUs when the queue is empty, where that is known */
    loadAt(atUs: number, freeAtUs = atUs): Load {
      return {
        behindUs: Math.max(freeAtUs - atUs, askedInAllUs - atUs),
        askedUs: askedInAllUs,
        largestUs,
      };
    },
    worked(fromUs: number, tookUs: number): void {
      const within = Math.max(0, Math.min(measureUs, fromUs + tookUs) - Math.max(0, fromUs));
      cpuUs += within;
      deal(fromUs, fromUs + tookUs, tookUs, done);
    },
    /** @param slotsUs what of it is in each slot */
    workedBySlot(totalUs: number, slotsUs: readonly number[]): void {
      cpuUs += totalUs;
      for (const [slot, us] of slotsUs.entries()) {
        done(slot, us);
        askedUs[slot]! += us;
      }
    },
    /** Work that is spread evenly over a stretch of the measured phase. */
    workedEvenly(fromUs: number, toUs: number, totalUs: number): void {
      cpuUs += totalUs;
      askedInAllUs += totalUs;
      deal(fromUs, toUs, totalUs, (slot, part) => (askedUs[slot]! += part));
      deal(fromUs, toUs, totalUs, done);
    },
    /** What was done up to a moment stands for the rest. */
    stretch(untilUs: number): void {
      cpuUs *= measureUs / untilUs;
      for (let i = Math.floor(untilUs / slotUs); i < askedUs.length; i++)
        askedUs[i] = (askedInAllUs * widthUs(i)) / untilUs;
    },
    /** @param idleShare what it uses beside, as a share of a core */
    finish(idleShare: number): { cpuUs: number } & Demand {
      const demand = demandOf({ askedUs, measureUs, slotUs, largestUs, idleShare });
      return { cpuUs: cpuUs + idleShare * measureUs, ...demand };
    },
  };
}
