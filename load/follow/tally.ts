// Counts what a followed address brought: how long events took, what was replayed, missing or came twice.
// Events and times in, figures out.

import { median } from '../../core/base/median.ts';
import type { Received } from './follow.ts';

/** What there is to say of one event besides what it carries. */
export type Noted = { latencyUs?: number; replayed: boolean; repeated: boolean };

export type Totals = {
  events: number;
  reconnections: number;
  /** Of events of our servers. */
  replayed: number;
  missed: number;
  repeated: number;
  medianLatencyUs: number | undefined;
};

export type Tally = {
  ready(atUs: number): void;
  /** The server's history did not reach back: what is missing is not known. */
  reset(): void;
  take(received: Received): Noted;
  totals(): Totals;
};

/** Of so many events, the newest ones, is the median. */
const mostSamples = 10_000;

/** @param sameClock the server runs on this machine, so that its times are on our clock */
export function createTally(sameClock: boolean): Tally {
  const lastSeq = new Map<string, number>();
  const latencies: number[] = [];
  let [events, reconnections, replayed, missed, repeated] = [0, 0, 0, 0, 0];
  let wasReady = false;
  /** When it was back; what was accepted before is a replay. */
  let backUs = -Infinity;

  function seqOf(topic: string, seq: number): boolean {
    const last = lastSeq.get(topic);
    if (last !== undefined && seq <= last) {
      repeated++;
      return true;
    }
    if (last !== undefined) missed += seq - last - 1;
    lastSeq.set(topic, seq);
    return false;
  }

  return {
    ready(atUs) {
      if (wasReady) reconnections++;
      if (wasReady) backUs = atUs;
      wasReady = true;
    },
    reset: () => lastSeq.clear(),
    take({ envelope, atUs }) {
      events++;
      if (!envelope) return { replayed: false, repeated: false };
      const again = seqOf(envelope.topic, envelope.seq);
      if (!sameClock) return { replayed: false, repeated: again };
      const wasReplayed = envelope.acceptedUs < backUs;
      if (wasReplayed) replayed++;
      const latencyUs = Math.max(0, atUs - envelope.plannedUs);
      if (!wasReplayed && latencies.push(latencyUs) > mostSamples) latencies.shift();
      return { latencyUs, replayed: wasReplayed, repeated: again };
    },
    totals: () => ({
      events,
      reconnections,
      replayed,
      missed,
      repeated,
      medianLatencyUs: latencies.length === 0 ? undefined : median(latencies),
    }),
  };
}
