// Adds a model's deliveries up to its figures: latencies by slot of the planned time, the ledger, and the
// counts that server and clients would have between both ends of the measured phase.

import { newCounters, type CounterName } from '../../core/result/counters.ts';
import { merge, newSimulatedHistogram, record } from '../../core/result/histogram.ts';
import type { Simulated, Slot } from '../model.ts';
import type { Demand } from './demand.ts';
import { createLines } from './line.ts';
import { createDealer, createWork, type Work } from './work.ts';

export type Tally = ReturnType<typeof createTally>;

const slotWidthsMs = [1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400].map((seconds) => seconds * 1000);
const mostSlots = 48;

export function slotUsOf(measureUs: number): number {
  const widthMs =
    slotWidthsMs.find((ms) => measureUs / 1000 / ms <= mostSlots) ?? measureUs / 1000 / mostSlots;
  return widthMs * 1000;
}

/**
 * @param drainUs how long after the last event a delivery may still come
 * @param servers whose work is added up, each by itself
 */
export function createTally(measureUs: number, drainUs: number, subscribers: number, servers = 1) {
  const slotUs = slotUsOf(measureUs);
  const dealer = createDealer(measureUs, slotUs);
  const { isMeasured, deal } = dealer;
  const slots = Array.from({ length: dealer.count }, (): Slot => {
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
  const works = Array.from({ length: servers }, () =>
    createWork(dealer, (slot, us) => (slots[slot]!.serverCpuUs += us)),
  );
  const beside: Work[] = [];
  let untilUs = measureUs;

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

  function spread(field: 'requests' | 'bytesOut', fromUs: number, toUs: number, amount: number): void {
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
    /** One request that takes the first server's CPU, at one moment. */
    requestedOne(atUs: number, bytes: number, tookUs: number): void {
      if (!isMeasured(atUs)) return;
      const slot = slots[Math.floor(atUs / slotUs)]!;
      slot.requests++;
      slot.bytesOut += bytes;
      counters.bytesOut += bytes;
      works[0]!.workedEvenly(atUs, atUs, tookUs);
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
    /** The work of each server's thread. */
    works,
    /** The work of a process that is not a server. */
    addWork(): Work {
      const work = createWork(dealer);
      beside.push(work);
      return work;
    },
    /** Work that comes with deliveries, to all servers; each has a part of it. */
    workedByDeliveries(totalUs: number, parts: readonly number[]): void {
      const all = slots.reduce((sum, { deliveries }) => sum + deliveries, 0);
      for (const [server, part] of parts.entries()) {
        const ownUs = totalUs * part;
        works[server]!.workedBySlot(
          ownUs,
          slots.map(({ deliveries }) => (all === 0 ? 0 : (ownUs * deliveries) / all)),
        );
      }
    },
    /**
     * Nothing is computed from here on. Events published and not yet arrived stand for events that were
     * published before the measured phase and were on the way when it began.
     * @param onTheWay deliveries that `delivered` was not told of, and that arrive later
     */
    endAt(atUs: number, onTheWay = 0): void {
      untilUs = atUs;
      ledger.delivered += onTheWay;
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
      for (const work of [...works, ...beside]) work.stretch(untilUs);
      const fields = ['deliveries', 'requests', 'bytesOut', 'serverCpuUs'] as const;
      const sums = fields.map((field) => slots.reduce((sum, slot) => sum + slot[field], 0));
      for (let i = Math.floor(untilUs / slotUs); i < slots.length; i++) {
        for (const [k, field] of fields.entries())
          slots[i]![field] = (sums[k]! * dealer.widthUs(i)) / untilUs;
      }
    },
    /** @returns beside the figures what each server did */
    finish(idleShares: readonly number[]): Pick<
      Simulated,
      'latency' | 'ledger' | 'counters' | 'slots' | 'slotUs'
    > & {
      works: ({ cpuUs: number } & Demand)[];
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
        works: works.map((work, i) => work.finish(idleShares[i]!)),
      };
    },
    /** Whether all that was published so far has arrived. */
    isComplete: () => ledger.delivered >= ledger.expected,
    bytesOut: () => counters.bytesOut,
    deliveries: () => counters.events,
  };

  function inTimeOf(atUs: number, firstUs: number, stepUs: number, count: number): number {
    const endUs = measureUs + drainUs - atUs;
    if (firstUs + stepUs * (count - 1) <= endUs) return count;
    return stepUs <= 0 ? 0 : Math.max(0, Math.min(count, Math.floor((endUs - firstUs) / stepUs) + 1));
  }
}
