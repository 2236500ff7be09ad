// Records every delivery of a load process: which events arrived, exactly, and how long they took. It looks
// into events, which patterns do not, and knows no pattern.

import { crc32 } from 'node:zlib';
import type { EventNumber, LoadClosed, LoadSample, Window } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import { locate, newLocated, type Located } from '../../core/event/envelope.ts';
import {
  emptied,
  maxValueUs,
  newHistogram,
  record,
  toSparse,
  type Histogram,
} from '../../core/result/histogram.ts';
import { enter, newLedger } from '../../core/result/ledger.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';
import type { Sink } from '../pattern.ts';
import { createAbsences } from './absences.ts';
import { createConnectLog, type ConnectLog } from '../wire/connect-log.ts';
import { createProblemLog } from './problems.ts';
import { createReceiptLog } from './receipts.ts';
import { createSlots } from './ledger-slots.ts';
import { settle } from './settle.ts';

export type RecorderOptions = {
  /** Subscribers `first` up to, not including, `first + count`. */
  first: number;
  count: number;
  topics: readonly TopicGroupPlan[];
  /** Subscribers of the whole trial. */
  subscribers: number;
  fanoutEvery: number;
  counters: Counters;
  /** Called with the number of subscribers that are subscribed, each time one more is. */
  onReady(connected: number): void;
};

export type Recorder = {
  sink: Sink;
  connects: ConnectLog;
  /** From now on events planned within are measured. */
  setWindow(window: Window): void;
  connected(): number;
  /** Subscribers that were cut off and are still trying to come back. */
  coming(): number;
  /** Measured deliveries so far, duplicates left out. */
  delivered(): number;
  /** The latencies since the last call. */
  takeLatency(): LoadSample['latency'];
  problems(): LoadClosed['problems'];
  /** Something that is not an error, kept in case that nothing else explains why nothing came. */
  note(code: string, message: string): void;
  /** The subscribers are being closed: from now on losing one is not an absence, and none comes back. */
  closing(atUs: number): void;
  /** @param firstSeq, lastSeq, unconfirmed as in the command `close` */
  close(
    firstSeq: Int32Array,
    lastSeq: Int32Array,
    unconfirmed?: readonly EventNumber[],
  ): Omit<LoadClosed, 'kind' | 'counters'>;
};

const largestSeq = 2 ** 31 - 2;

export function createRecorder(options: RecorderOptions): Recorder {
  const { first, count, topics, subscribers, fanoutEvery, counters, onReady } = options;
  const slots = createSlots(topics, first, count, subscribers);
  const ledger = newLedger(slots.count);
  const receipts = createReceiptLog(fanoutEvery);
  const problems = createProblemLog();
  const notes = createProblemLog();
  const latency = createSlottedHistograms();
  const acceptToReceipt = newHistogram();
  const up = new Uint8Array(count);
  const absences = createAbsences(count, slots.width, ledger.to);
  const { watchUntilUs } = absences;
  const connects = createConnectLog();
  const at = newLocated();
  let connected = 0;
  let fromUs = Infinity;
  let toUs = Infinity;
  let [delivered, duplicated, reordered, resumed, corrupted, unexpected] = [0, 0, 0, 0, 0, 0];

  const sink: Sink = {
    ready(subscriber, atUs, resumes = false) {
      const i = subscriber - first;
      absences.ready(i, atUs, resumes);
      if (up[i] === 1) return;
      up[i] = 1;
      onReady(++connected);
    },
    lost(subscriber, atUs, cause = 'cut') {
      const i = subscriber - first;
      absences.lost(i, atUs, cause);
      connected -= up[i]!;
      up[i] = 0;
    },
    reset: (subscriber) => absences.reset(subscriber - first),
    gone: (subscriber) => absences.gone(subscriber - first),
    event(subscriber, bytes, from, to, atUs) {
      if (!locate(bytes, from, to, at) || at.seq < 1 || at.seq > largestSeq) return false;
      const i = subscriber - first;
      const slot = slots.find(i, at.topic);
      if (slot < 0) {
        unexpected++;
        return true;
      }
      const arrival = enter(ledger, slot, at.seq);
      const { plannedUs } = at;
      if (plannedUs < fromUs || plannedUs >= toUs) return true;
      if (arrival === 'duplicate') {
        duplicated++;
        return true;
      }
      delivered++;
      if (arrival === 'late') reordered++;
      // A server that is not ours does not say when it took the event; then it counts from when it was sent.
      const acceptedUs = at.acceptedUs || at.sentUs;
      if (acceptedUs < watchUntilUs[i]! && absences.arrived(i, slot, at.seq, acceptedUs, atUs)) resumed++;
      if (at.crc >= 0 && at.crc !== checksum(bytes, at)) corrupted++;
      const latencyUs = atUs - plannedUs;
      record(latency.at(plannedUs), latencyUs);
      if (at.acceptedUs > 0) record(acceptToReceipt, atUs - at.acceptedUs);
      const followers = slots.sharersAt(slot);
      if (followers > 0 && latencyUs <= maxValueUs) {
        const tookUs = at.acceptedUs > 0 ? at.acceptedUs - plannedUs : undefined;
        receipts.add(slots.topicAt(slot), at.seq, latencyUs, followers, tookUs);
      }
      return true;
    },
    problem(code, message) {
      counters.errors++;
      problems.add(code, message);
    },
  };

  return {
    sink,
    connects: connects.log,
    setWindow(window) {
      fromUs = window.fromUs;
      toUs = window.toUs;
      absences.countFrom(fromUs);
      connects.countFrom(fromUs);
      latency.setWindow(window);
    },
    connected: () => connected,
    coming: absences.coming,
    delivered: () => delivered,
    takeLatency: latency.take,
    problems: problems.list,
    note: notes.add,
    closing(atUs) {
      absences.closing(atUs);
      connects.closing(atUs);
    },
    close(firstSeq, lastSeq, unconfirmed = []) {
      const settled = settle({ ledger, slots, absences, first }, firstSeq, lastSeq, unconfirmed);
      const { expected, arrived, stray, missedAway, missing } = settled;
      return {
        ledger: {
          expected,
          delivered: arrived,
          missed: expected - arrived,
          duplicated,
          reordered,
          resumed,
          corrupted,
          // Arrivals that were planned in the window but lie outside the published range are nobody's.
          unexpected: unexpected + Math.max(0, delivered - arrived - stray),
          missing,
        },
        recovery: { ...absences.close(), missedAway, connects: connects.close() },
        acceptToReceipt: toSparse(acceptToReceipt),
        ...receipts.take(),
        problems: delivered === 0 ? [...problems.list(), ...notes.list()] : problems.list(),
      };
    },
  };
}

/** CRC-32 of the body as it was published. */
function checksum(bytes: Buffer, { bodyFrom, bodyTo, quoted }: Located): number {
  if (!quoted) return crc32(bytes.subarray(bodyFrom, bodyTo));
  try {
    return crc32(String(JSON.parse(bytes.toString('utf8', bodyFrom, bodyTo))));
  } catch {
    return -1; // no checksum at all
  }
}

/** Histograms by the slot of the planned time, cleared and used again once taken. */
function createSlottedHistograms() {
  const filling = new Map<number, Histogram>();
  const spare: Histogram[] = [];
  let fromUs = 0;
  let slotUs = 1;
  let current = NaN;
  let histogram = newHistogram();

  return {
    setWindow(window: Window): void {
      ({ fromUs, slotUs } = window);
    },
    at(plannedUs: number): Histogram {
      const slot = Math.floor((plannedUs - fromUs) / slotUs);
      if (slot === current) return histogram;
      const known = filling.get(slot);
      histogram = known ?? spare.pop() ?? newHistogram();
      if (!known) filling.set(slot, histogram);
      current = slot;
      return histogram;
    },
    take(): LoadSample['latency'] {
      const taken = [...filling].map(([slot, full]) => ({ slot, histogram: toSparse(full) }));
      for (const used of filling.values()) spare.push(emptied(used));
      filling.clear();
      current = NaN;
      return taken;
    },
  };
}
