// Adds up what a model computes into what it returns: latencies by slot of the planned time, the ledger, and
// what the counters of server and clients would say between both ends of the measured phase.

import { newCounters, type CounterName } from '../../core/result/counters.ts';
import { merge, newSimulatedHistogram, record } from '../../core/result/histogram.ts';
import type { Simulated, Slot } from '../model.ts';
import { demandOf, type Demand, type Load } from './demand.ts';
import { createLines } from './line.ts';

export type Tally = ReturnType<typeof createTally>;

const slotWidthsMs = [1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400].map((seconds) => seconds * 1000);
const mostSlots = 48;

export function slotUsOf(measureUs: number): number {
  const widthMs =
    slotWidthsMs.find((ms) => measureUs / 1000 / ms <= mostSlots) ?? measureUs / 1000 / mostSlots;
  return widthMs * 1000;
}

/** @param drainUs how long after the last event a delivery may still come */
export function createTally(measureUs: number, drainUs: number, subscribers: number) {
  const slotUs = slotUsOf(measureUs);
  const slots = Array.from({ length: Math.ceil(measureUs / slotUs) }, (): Slot => {
    const sums = { deliveries: 0, requests: 0, bytesOut: 0, serverCpuUs: 0, connected: subscribers };
    return { latency: newSimulatedHistogram(), ...sums };
  });
  const lines = slots.map(({ latency }) => createLines(latency));
  const counters = newCounters();
  const ledger = { published: 0, expected: 0, delivered: 0, missed: 0, duplicated: 0, reordered: 0 };
  const [firstReceiver, medianReceiver, lastReceiver] = [
    newSimulatedHistogram(),
    newSimulatedHistogram(),
    newSimulatedHistogram(),
  ];
  let cpuUs = 0;
  const askedUs = slots.map(() => 0);
  let askedInAllUs = 0;
  let largestUs = 0;
  let untilUs = measureUs;

  const isMeasured = (atUs: number) => atUs >= 0 && atUs < measureUs;

  /** How many of `count` moments, evenly spaced, lie within the measured phase. */
  function countWithin(firstUs: number, stepUs: number, count: number): number {
    const before = (us: number) =>
      stepUs <= 0
        ? firstUs < us
          ? count
          : 0
        : Math.min(count, Math.max(0, Math.ceil((us - firstUs) / stepUs)));
    return before(measureUs) - before(0);
  }

  /** Deals an amount over the slots that a stretch of time lies in, in proportion. */
  function deal(
    fromUs: number,
    toUs: number,
    amount: number,
    add: (slot: number, part: number) => void,
  ): void {
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
  }

  function spread(
    field: 'requests' | 'bytesOut' | 'serverCpuUs',
    fromUs: number,
    toUs: number,
    amount: number,
  ): void {
    deal(fromUs, toUs, amount, (slot, part) => (slots[slot]![field] += part));
  }

  return {
    measureUs,
    isMeasured,
    countWithin,
    spread,
    /** An event is published that so many follow. */
    published(atUs: number, followers: number): void {
      if (!isMeasured(atUs)) return;
      ledger.published++;
      ledger.expected += followers;
    },
    /**
     * An event that was planned at `atUs` reaches `count` receivers, evenly spaced in time.
     * @param bytes that the server sends for each
     * @returns how many of them get it within the measured phase
     */
    delivered(atUs: number, firstUs: number, stepUs: number, count: number, bytes: number): number {
      const within = countWithin(atUs + firstUs, stepUs, count);
      counters.events += within;
      counters.bytesOut += within * bytes;
      if (within > 0)
        spread('bytesOut', atUs + firstUs, atUs + firstUs + stepUs * (count - 1), count * bytes);
      if (isMeasured(atUs)) {
        const inTime = inTimeOf(atUs, firstUs, stepUs, count);
        const i = Math.floor(atUs / slotUs);
        const slot = slots[i]!;
        lines[i]!.add(firstUs, stepUs, inTime);
        slot.deliveries += inTime;
        ledger.delivered += inTime;
      }
      return within;
    },
    /** As `delivered`, one by itself. */
    deliveredOne(atUs: number, latencyUs: number, bytes: number): void {
      if (isMeasured(atUs + latencyUs)) {
        counters.events++;
        counters.bytesOut += bytes;
        slots[Math.floor((atUs + latencyUs) / slotUs)]!.bytesOut += bytes;
      }
      if (!isMeasured(atUs) || atUs + latencyUs > measureUs + drainUs) return;
      const i = Math.floor(atUs / slotUs);
      const slot = slots[i]!;
      lines[i]!.addOne(latencyUs);
      slot.deliveries++;
      ledger.delivered++;
    },
    /** Of an event with several receivers. */
    receivers(atUs: number, firstUs: number, medianUs: number, lastUs: number): void {
      if (!isMeasured(atUs)) return;
      record(firstReceiver, Math.round(firstUs));
      record(medianReceiver, Math.round(medianUs));
      record(lastReceiver, Math.round(lastUs));
    },
    add(name: CounterName, amount: number): void {
      counters[name] += amount;
    },
    /** Requests that come evenly over the time that is computed. */
    requested(requests: number): void {
      spread('requests', 0, untilUs, requests);
    },
    /** Bytes that the server sends at any time of the measured phase. */
    addOut(bytes: number): void {
      counters.bytesOut += bytes;
      spread('bytesOut', 0, untilUs, bytes);
    },
    /** Work that comes to the server's thread, whenever it gets to it. */
    asked(atUs: number, tookUs: number): void {
      largestUs = Math.max(largestUs, tookUs);
      if (!isMeasured(atUs)) return;
      askedInAllUs += tookUs;
      askedUs[Math.floor(atUs / slotUs)]! += tookUs;
    },
    /** What the server was asked for up to a moment. @param freeAtUs when its queue is empty */
    loadAt(atUs: number, freeAtUs: number): Load {
      return {
        behindUs: Math.max(freeAtUs - atUs, askedInAllUs - atUs),
        askedUs: askedInAllUs,
        largestUs,
      };
    },
    /** Work of the server's thread. */
    worked(fromUs: number, tookUs: number): void {
      const within = Math.max(0, Math.min(measureUs, fromUs + tookUs) - Math.max(0, fromUs));
      cpuUs += within;
      spread('serverCpuUs', fromUs, fromUs + tookUs, tookUs);
    },
    /** Work that comes with deliveries. */
    workedByDeliveries(totalUs: number): void {
      cpuUs += totalUs;
      const all = slots.reduce((sum, { deliveries }) => sum + deliveries, 0);
      for (const [i, slot] of slots.entries()) {
        const share = all === 0 ? 0 : (totalUs * slot.deliveries) / all;
        slot.serverCpuUs += share;
        askedUs[i]! += share;
      }
    },
    /** Work that is spread evenly over a stretch of the measured phase. */
    workedEvenly(fromUs: number, toUs: number, totalUs: number): void {
      cpuUs += totalUs;
      askedInAllUs += totalUs;
      deal(fromUs, toUs, totalUs, (slot, part) => (askedUs[slot]! += part));
      spread('serverCpuUs', fromUs, toUs, totalUs);
    },
    /**
     * Nothing is computed from here on. What was published and has not arrived yet stands for what had been
     * published before the measured phase, and was on the way when it began.
     */
    endAt(atUs: number): void {
      untilUs = atUs;
      const factor = counters.events === 0 ? 1 : ledger.delivered / counters.events;
      counters.events = ledger.delivered;
      counters.bytesOut *= factor;
    },
    /**
     * What was computed, up to `endAt`, stands for the rest.
     * @param published events of the whole measured phase
     */
    stretch(published: number): void {
      const factor = measureUs / untilUs;
      const computed = ledger.published;
      for (const name of Object.keys(counters) as CounterName[]) counters[name] *= factor;
      for (const name of Object.keys(ledger) as (keyof typeof ledger)[])
        ledger[name] = Math.round((ledger[name] * published) / computed);
      cpuUs *= factor;
      const fields = ['deliveries', 'requests', 'bytesOut', 'serverCpuUs'] as const;
      const sums = fields.map((field) => slots.reduce((sum, slot) => sum + slot[field], 0));
      for (let i = Math.floor(untilUs / slotUs); i < slots.length; i++) {
        const widthUs = Math.min(measureUs, (i + 1) * slotUs) - i * slotUs;
        for (const [k, field] of fields.entries()) slots[i]![field] = (sums[k]! * widthUs) / untilUs;
        askedUs[i] = (askedInAllUs * widthUs) / untilUs;
      }
    },
    finish(idleShare: number): Pick<Simulated, 'latency' | 'ledger' | 'counters' | 'slots' | 'slotUs'> & {
      cpuUs: number;
      demand: Demand;
    } {
      const endToEnd = newSimulatedHistogram();
      for (const one of lines) merge(endToEnd, one.finish());
      for (const name of Object.keys(counters) as CounterName[]) counters[name] = Math.round(counters[name]);
      ledger.missed = ledger.expected - ledger.delivered;
      return {
        latency: { endToEnd, firstReceiver, medianReceiver, lastReceiver },
        ledger,
        counters,
        slotUs,
        slots,
        cpuUs: cpuUs + idleShare * measureUs,
        demand: demandOf({ askedUs, measureUs, slotUs, largestUs, idleShare }),
      };
    },
    bytesOut: () => counters.bytesOut,
    deliveries: () => counters.events,
  };

  function inTimeOf(atUs: number, firstUs: number, stepUs: number, count: number): number {
    const endUs = measureUs + drainUs - atUs;
    if (firstUs + stepUs * (count - 1) <= endUs) return count;
    return stepUs <= 0 ? 0 : Math.max(0, Math.min(count, Math.floor((endUs - firstUs) / stepUs) + 1));
  }
}
