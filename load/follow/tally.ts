// Counts what a followed address brought: how long events took, what was replayed, missing or came twice.
// Events and times in, figures out.

import { median } from '../../core/base/median.ts';
import type { Envelope } from '../../core/event/envelope.ts';
import type { Received } from './follow.ts';

/** What is noted about one event, besides its content. */
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
  let epoch = '';
  let wasReady = false;
  /** When it was back; what was accepted before is a replay. */
  let backUs = -Infinity;

  /** @returns whether it has come before */
  function noteSeq({ id, topic, seq }: Envelope): boolean {
    const life = id.slice(0, id.lastIndexOf('-'));
    if (life !== epoch) lastSeq.clear(); // another life of the server's log, in which all numbers begin again
    epoch = life;
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
    take({ envelope, atUs }) {
      events++;
      if (!envelope) return { replayed: false, repeated: false };
      const again = noteSeq(envelope);
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
