// Uses topics of Kafka for webhook deliveries: one of works that are due, some in which works wait
// (delays.ts), and one of dead letters. All servers are one consumer group, which deals out the partitions.
//
// Kafka takes no receipt for a single message: a group only says from where it goes on in a partition
// (offsets.ts). So a work that has to wait is written again, to the topic of its wait, and only then finished
// where it was. A server that dies in between leaves it in both; records.ts in ../queue knows what was done.

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../core/base/errors.ts';
import type { KafkaGroup, KafkaOffset, KafkaPlace, KafkaRecord } from '../../kafka/group.ts';
import {
  decodeWork,
  encodeWork,
  type End,
  type Sent,
  type Work,
  type WorkQueue,
} from '../queue/work-queue.ts';
import { everyMs } from '../redis/look.ts';
import { deadTopic, delayTopic, delayUntil, readTopics } from './delays.ts';
import {
  isFull,
  keyOf,
  newPartition,
  takeIn,
  waitHeaders,
  type Partition,
  type Waiting,
} from './partition.ts';
import { createSender, type Sender, type Written } from './sender.ts';

export type KafkaQueueOptions = {
  topic: string;
  /** What stands in for Kafka. */
  emulator: string | undefined;
  /** How long a delivery is claimed for one server. */
  leaseMs: number;
  /** The most works that are handed out at once. */
  concurrency: number;
  report: (error: unknown) => void;
};

type Queue = KafkaQueueOptions & {
  readonly group: KafkaGroup;
  readonly sender: Sender;
  /** What this server has, by topic and partition; whose turn it is comes first. */
  readonly partitions: Map<string, Partition>;
  readonly underWay: Set<Promise<void>>;
  handle: (work: Work) => Promise<End>;
  isStopped: boolean;
  isClosed: boolean;
  timer: NodeJS.Timeout | undefined;
};

/** What a work may be in bytes: a broker takes 1 MiB with all that is around it, by default. */
const workBytesMost = 1_000_000;
const commitEveryMs = 200;
/** A work whose endpoint has enough under way: tried here some times, then somewhere in a second. */
const soon = { hereMs: 50, timesHere: 4, elsewhereMs: 1000 };
const againMs = 500;
const longestTimerMs = 60_000;

export function createKafkaQueue(group: KafkaGroup, options: KafkaQueueOptions): WorkQueue {
  const { topic, emulator, leaseMs, report } = options;
  const name = `Kafka topic ${topic}`;
  const q: Queue = {
    ...options,
    report: (error) => report(new Error(`the ${name}: ${messageOf(error)}`)),
    group,
    sender: createSender(group),
    partitions: new Map(),
    underWay: new Set(),
    handle: () => Promise.resolve({ kind: 'left' }),
    isStopped: false,
    isClosed: false,
    timer: undefined,
  };
  let stopCommitting = () => {};
  return {
    name,
    path: `kafka:${group.clusterId}/${topic}`,
    emulator,
    ordered: false,
    leaseMs,
    workBytesMost,
    send: async (works) => (await q.sender.send(works.map((work) => recordOf(topic, work)))).map(sentOf),
    async bury(work) {
      // A work that is written from there to the topic is sent again: its higher round marks it as replayed.
      const dead = recordOf(deadTopic(topic), { ...work, round: work.round + 1 });
      const [written] = await q.sender.send([dead]);
      if (written!.state !== 'stored')
        q.report(new Error(`no copy of a dead letter was kept: ${written!.why}`));
    },
    start(handle) {
      q.handle = handle;
      stopCommitting = everyMs(commitEveryMs, () => commit(q));
      group.read(readTopics(topic), {
        assigned: (places) => assign(q, places),
        take(place, messages) {
          const partition = q.partitions.get(keyOf(place));
          if (!partition || q.isStopped) return;
          takeIn(partition, messages);
          tend(q, partition);
          handOut(q);
        },
        dealing: () => void commit(q),
        failed: q.report,
      });
    },
    async stop() {
      q.isStopped = true;
      clearTimeout(q.timer);
      await Promise.all(q.underWay);
      stopCommitting();
      await commit(q);
      await group.leave();
    },
    close() {
      q.isClosed = true;
      stopCommitting();
      void group.leave().then(() => group.close());
    },
  };
}

function recordOf(topic: string, work: Work, headers: Record<string, string> = {}): KafkaRecord {
  return { topic, value: encodeWork(work), headers };
}

function sentOf(written: Written): Sent {
  return written.state === 'away' ? { ...written, state: 'refused' } : written;
}

/**
 * Keeps what was had before with all that is under way, and drops what another server has now.
 * @returns where to go on in what is kept
 */
function assign(q: Queue, places: readonly KafkaPlace[]): KafkaOffset[] {
  const before = new Map(q.partitions);
  q.partitions.clear();
  for (const place of places) {
    const key = keyOf(place);
    const partition = before.get(key) ?? newPartition(place);
    partition.committed = undefined; // the last commit may have come too late
    q.partitions.set(key, partition);
    if (partition.isPaused) q.group.pause(place);
    else q.group.resume(place); // it may have been paused when this server had it before
  }
  handOut(q);
  return [...q.partitions.values()].flatMap(({ place, offsets }) => {
    const offset = offsets.next();
    return offset === undefined ? [] : [{ ...place, offset }];
  });
}

/** Begins works that are due, a partition after the other, and comes back when the next one is. */
function handOut(q: Queue): void {
  if (q.isStopped) return;
  clearTimeout(q.timer);
  const nowMs = Date.now();
  let nextMs = Infinity;
  for (const [key, partition] of q.partitions) {
    if (q.underWay.size >= q.concurrency) return; // one that ends comes back
    const [first] = partition.waiting;
    if (!first) continue;
    if (first.untilMs > nowMs) {
      nextMs = Math.min(nextMs, first.untilMs);
      continue;
    }
    partition.waiting.shift();
    tend(q, partition);
    // Its next turn is after all others'; this loop comes to it again.
    q.partitions.delete(key);
    q.partitions.set(key, partition);
    begin(q, partition, first);
  }
  if (nextMs === Infinity) return;
  q.timer = setTimeout(() => handOut(q), Math.min(nextMs - nowMs, longestTimerMs));
}

function begin(q: Queue, partition: Partition, one: Waiting): void {
  const handling = handleOne(q, one).then((handled) => {
    // What is left stays in Kafka for another server.
    if (handled === 'finished') partition.offsets.finish(one.offset);
    if (handled === 'put-back')
      partition.waiting.push({ ...one, untilMs: Date.now() + soon.hereMs, putBack: one.putBack + 1 });
    q.underWay.delete(handling);
    tend(q, partition);
    handOut(q);
  });
  q.underWay.add(handling);
}

/** Has more of the partition fetched, or no more for now. */
function tend(q: Queue, partition: Partition): void {
  const full = isFull(partition, q.concurrency);
  if (full === partition.isPaused || q.partitions.get(keyOf(partition.place)) !== partition) return;
  partition.isPaused = full;
  if (full) q.group.pause(partition.place);
  else q.group.resume(partition.place);
}

/** What becomes of a message where it is. */
type Handled = 'finished' | 'put-back' | 'left';

async function handleOne(q: Queue, { value, untilMs, dueMs, putBack }: Waiting): Promise<Handled> {
  const work = decodeWork(value.toString());
  if (!work) return notOurs(q, value);
  if (dueMs > untilMs && dueMs > Date.now()) return wait(q, work, dueMs);
  const end = await q.handle(work);
  if (end.kind === 'done') return 'finished';
  if (end.kind === 'later') return wait(q, work, Date.now() + end.ms);
  if (q.isStopped) return 'left';
  if (end.kind === 'left') return wait(q, work, Date.now() + q.leaseMs);
  return putBack < soon.timesHere ? 'put-back' : wait(q, work, Date.now() + soon.elsewhereMs);
}

/** Writes the work to where it waits. */
function wait(q: Queue, work: Work, givenMs: number): Promise<Handled> {
  const dueMs = Math.ceil(givenMs); // not before
  const { tierMs, untilMs } = delayUntil(Date.now(), dueMs);
  return keep(q, recordOf(delayTopic(q.topic, tierMs), work, waitHeaders(untilMs, dueMs)));
}

/** Keeps a message of another program away from the work. */
function notOurs(q: Queue, value: Buffer): Promise<Handled> {
  q.report(new Error('it has a message that pushbench did not send'));
  return keep(q, { topic: deadTopic(q.topic), value, headers: {} }, true);
}

/**
 * Writes a record, however long that takes.
 * @param mayDrop finishes one that Kafka never takes
 * @returns `left` where the queue is closed first
 */
async function keep(q: Queue, record: KafkaRecord, mayDrop = false): Promise<Handled> {
  while (!q.isClosed) {
    const [written] = await q.sender.send([record]);
    if (written!.state === 'stored') return 'finished';
    q.report(new Error(written!.why));
    if (written!.state === 'refused' && mayDrop) return 'finished';
    await sleep(againMs);
  }
  return 'left';
}

/** Tells the group from where it goes on, as far as that has changed. */
async function commit(q: Queue): Promise<void> {
  const changed = [...q.partitions.values()].flatMap((partition) => {
    const offset = partition.offsets.lowest();
    if (offset === undefined || offset === partition.committed) return [];
    return [{ partition, offset }];
  });
  if (changed.length === 0) return;
  try {
    const offsets = changed.map(({ partition: { place }, offset }) => ({ ...place, offset }));
    const done = await q.group.commit(offsets);
    if (done) for (const { partition, offset } of changed) partition.committed = offset;
  } catch (error) {
    q.report(error);
  }
}
