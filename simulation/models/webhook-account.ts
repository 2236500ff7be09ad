// Adds up what becomes of deliveries and attempts in a simulation of webhooks: receipts into the tally of all
// models, and what only patterns that try again have: duplicates, order, latencies by attempt, the backlog.

import { newCounters, type CounterName } from '../../core/result/counters.ts';
import { newSimulatedHistogram, record, type Histogram } from '../../core/result/histogram.ts';
import type { Tally } from './tally.ts';

/** Attempts beyond it are counted with it, as the load side does. */
const lastAttempt = 8;

export type Receipt = {
  atUs: number;
  plannedUs: number;
  attempt: number;
  /** Its place among all pairs of a receiver and a topic, and its number in the topic. */
  slot: number;
  seq: number;
  isFirst: boolean;
};

export type Account = ReturnType<typeof createAccount>;

/**
 * @param pairs of a receiver and a topic
 * @param endUs nothing counts from then on
 */
export function createAccount(tally: Tally, pairs: number, endUs: number) {
  /** Of the whole trial, as the load side counts: it gets the requests. */
  const counters = newCounters();
  const lastSeq = new Uint32Array(pairs);
  const byAttempt: (Histogram | undefined)[] = [];
  const roundTrips = newSimulatedHistogram();
  const backlog: { depth: number[]; oldestMs: number[] } = { depth: [], oldestMs: [] };
  const sums = { duplicated: 0, reordered: 0 };

  function count(name: CounterName, atUs: number): void {
    counters[name]++;
    if (tally.isMeasured(atUs)) tally.add(name, 1);
  }

  return {
    endUs,
    count,
    /** A receiver acted, and the server does not get to know. */
    lost: (atUs: number): void => count('answersLost', atUs),
    /** A request has reached its receiver. @param cpuUs that it takes of the server, its answer included */
    requested(atUs: number, isFirst: boolean, bytes: number, cpuUs: number): void {
      if (atUs > endUs) return;
      count(isFirst ? 'deliveryRequests' : 'retries', atUs);
      counters.bytesIn += bytes;
      tally.requestedOne(atUs, bytes, cpuUs);
    },
    /** A receiver has answered. */
    answered(atUs: number, bytes: number): void {
      if (atUs > endUs) return;
      counters.bytesOut += bytes;
      if (tally.isMeasured(atUs)) tally.add('bytesIn', bytes);
    },
    /** A receiver has acted upon a delivery. Calls come in the order of time. */
    received({ atUs, plannedUs, attempt, slot, seq, isFirst }: Receipt): void {
      counters.events++;
      const latencyUs = Math.round(atUs - plannedUs);
      const isOver = lastSeq[slot]! > seq;
      if (!isOver) lastSeq[slot] = seq;
      if (isFirst) tally.deliveredOne(plannedUs, latencyUs, 0);
      else {
        counters.deduplicated++;
        if (tally.isMeasured(atUs)) {
          tally.add('events', 1);
          tally.add('deduplicated', 1);
        }
      }
      if (!tally.isMeasured(plannedUs)) return;
      if (!isFirst) sums.duplicated++;
      else if (isOver) sums.reordered++;
      record((byAttempt[Math.min(attempt, lastAttempt)] ??= newSimulatedHistogram()), latencyUs);
    },
    /** An event with several receivers is over. */
    ended(plannedUs: number, firstUs: number, medianUs: number, lastUs: number): void {
      tally.receivers(plannedUs, firstUs, medianUs, lastUs);
    },
    /** The publisher of an event has its answer, where that is computed. */
    confirmed(plannedUs: number, tookUs: number): void {
      if (tally.isMeasured(plannedUs)) record(roundTrips, Math.round(tookUs));
    },
    /** What was pending at the end of a slot. @param oldestMs on the server's clock */
    sampled(depth: number, oldestMs: number): void {
      backlog.depth.push(depth);
      backlog.oldestMs.push(Math.round(oldestMs));
    },
    finish: () => ({
      ...sums,
      backlog,
      roundTrips,
      wholeTrial: counters,
      byAttempt: byAttempt.flatMap((histogram, attempt) => (histogram ? [{ attempt, histogram }] : [])),
    }),
  };
}
