// Records every delivery of a load process: the exact account of what arrived, and how long it took. Looks
// into events, which the patterns do not; knows no pattern.

import { crc32 } from 'node:zlib';
import type { EventNumber, LoadClosed, LoadSample, Window } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import { locate, newLocated, type Located } from '../../core/event/envelope.ts';
import { maxValueUs, newHistogram, record, toSparse, type Histogram } from '../../core/result/histogram.ts';
import { close, enter, newLedger, type Ledger } from '../../core/result/ledger.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';
import type { Sink } from '../pattern.ts';
import { createProblemLog } from './problems.ts';
import { createReceiptLog } from './receipts.ts';
import { createSlots, type Slots } from './ledger-slots.ts';

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
  /** From now on events planned within are measured. */
  setWindow(window: Window): void;
  connected(): number;
  /** Measured deliveries so far, duplicates left out. */
  delivered(): number;
  /** The latencies since the last call. */
  takeLatency(): LoadSample['latency'];
  problems(): LoadClosed['problems'];
  /** Something that is no error, kept in case that nothing else explains why nothing came. */
  note(code: string, message: string): void;
  /** @param firstSeq, lastSeq, unconfirmed as in the command `close` */
  close(
    firstSeq: Int32Array,
    lastSeq: Int32Array,
    unconfirmed?: readonly EventNumber[],
  ): Omit<LoadClosed, 'kind' | 'counters'>;
};

/** Missed stretches listed in the ledger. */
const keptMissing = 100;
const largestSeq = 2 ** 31 - 2;

export function createRecorder({
  first,
  count,
  topics,
  subscribers,
  fanoutEvery,
  counters,
  onReady,
}: RecorderOptions): Recorder {
  const slots = createSlots(topics, first, count, subscribers);
  const ledger = newLedger(slots.count);
  const receipts = createReceiptLog(fanoutEvery);
  const problems = createProblemLog();
  const notes = createProblemLog();
  const latency = createSlottedHistograms();
  const acceptToReceipt = newHistogram();
  const up = new Uint8Array(count);
  /** When each subscriber came back; 0 while it has never been away. */
  const backAtUs = new Float64Array(count);
  const seen = new Uint8Array(count);
  const at = newLocated();
  let connected = 0;
  let fromUs = Infinity;
  let toUs = Infinity;
  let [delivered, duplicated, reordered, resumed, corrupted, unexpected] = [0, 0, 0, 0, 0, 0];

  const sink: Sink = {
    ready(subscriber, atUs) {
      const i = subscriber - first;
      if (seen[i] === 1) backAtUs[i] = atUs;
      seen[i] = 1;
      if (up[i] === 1) return;
      up[i] = 1;
      onReady(++connected);
    },
    lost(subscriber) {
      const i = subscriber - first;
      connected -= up[i]!;
      up[i] = 0;
    },
    event(subscriber, bytes, from, to, atUs) {
      if (!locate(bytes, from, to, at) || at.seq < 1 || at.seq > largestSeq) return false;
      const slot = slots.find(subscriber - first, at.topic);
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
      if ((at.acceptedUs || at.sentUs) < backAtUs[subscriber - first]!) resumed++;
      if (at.crc >= 0 && at.crc !== checksum(bytes, at)) corrupted++;
      const latencyUs = atUs - plannedUs;
      record(latency.at(plannedUs), latencyUs);
      if (at.acceptedUs > 0) record(acceptToReceipt, atUs - at.acceptedUs);
      const followers = slots.sharersAt(slot);
      if (followers > 0 && latencyUs <= maxValueUs) {
        const acceptedUs = at.acceptedUs > 0 ? at.acceptedUs - plannedUs : undefined;
        receipts.add(slots.topicAt(slot), at.seq, latencyUs, followers, acceptedUs);
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
    setWindow(window) {
      fromUs = window.fromUs;
      toUs = window.toUs;
      latency.setWindow(window);
    },
    connected: () => connected,
    delivered: () => delivered,
    takeLatency: latency.take,
    problems: problems.list,
    note: notes.add,
    close(firstSeq, lastSeq, unconfirmed = []) {
      const { expected, arrived, stray, missing } = settle(
        ledger,
        slots,
        first,
        firstSeq,
        lastSeq,
        unconfirmed,
      );
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
        acceptToReceipt: toSparse(acceptToReceipt),
        ...receipts.take(),
        problems: delivered === 0 ? [...problems.list(), ...notes.list()] : problems.list(),
      };
    },
  };
}

/**
 * What the published range of each topic comes to.
 * @returns how many of it each follower was owed, how many arrived, arrivals of events that were not
 *   confirmed, and the first missing stretches
 */
function settle(
  ledger: Ledger,
  slots: Slots,
  first: number,
  firstSeq: Int32Array,
  lastSeq: Int32Array,
  unconfirmed: readonly EventNumber[],
) {
  const disregarded = seqsByTopic(unconfirmed);
  const missing: LoadClosed['ledger']['missing'] = [];
  let [expected, arrived, stray] = [0, 0, 0];
  for (let slot = 0; slot < slots.count; slot++) {
    const topic = slots.topicAt(slot);
    const range = close(ledger, slot, firstSeq[topic]!, lastSeq[topic]!);
    expected += Math.max(0, lastSeq[topic]! - firstSeq[topic]! + 1);
    arrived += range.delivered;
    // Nobody is owed an event that was not confirmed, and one that came all the same counts for nobody.
    for (const seq of disregarded.get(topic) ?? []) {
      const came = seq > ledger.to[slot]! ? 0 : close(ledger, slot, seq, seq).delivered;
      stray += came;
      if (seq < firstSeq[topic]! || seq > lastSeq[topic]!) continue;
      expected--;
      arrived -= came;
    }
    for (const [from, to] of range.missing) {
      if (missing.length < keptMissing)
        missing.push({ subscriber: first + slots.subscriberAt(slot), topic, from, to });
    }
  }
  return { expected, arrived, stray, missing };
}

function seqsByTopic(events: readonly EventNumber[]): Map<number, number[]> {
  const byTopic = new Map<number, number[]>();
  for (const { topic, seq } of events) byTopic.set(topic, [...(byTopic.get(topic) ?? []), seq]);
  return byTopic;
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
      for (const used of filling.values()) spare.push(clear(used));
      filling.clear();
      current = NaN;
      return taken;
    },
  };
}

function clear(histogram: Histogram): Histogram {
  histogram.counts.fill(0);
  return Object.assign(histogram, {
    count: 0,
    sumUs: 0,
    minUs: Infinity,
    maxUs: 0,
    overRange: 0,
    negative: 0,
  });
}
