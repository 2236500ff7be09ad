// Connects servers through a topic of Kafka with one partition, which orders the events. Every server reads
// all of it from its beginning and counts the events in that order (kafka-log.ts), so epoch and offset mean
// the same on all of them. Kafka stores an event again that is sent again; all servers drop the second copy.
//
// An event is confirmed when it has come back to the server that sent it: all replicas had it then. A server
// that starts writes a mark of its own and has caught up when it reads it.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf } from '../../core/base/address.ts';
import { messageOf } from '../../core/base/errors.ts';
import type { Place } from '../hub/event.ts';
import type { RequestError } from '../http/request.ts';
import { openKafkaPartition } from '../kafka/kafkajs.ts';
import { KafkaWriteError, type KafkaPartition } from '../kafka/topic.ts';
import {
  confirmWithinMs,
  createRoom,
  leftStaysMs,
  refusalsOf,
  type OpenBroker,
  type Refusals,
} from './broker.ts';
import { createDeadlines } from './deadlines.ts';
import { createKafkaLog, encodeMessage, type KafkaLog } from './kafka-log.ts';
import { createKafkaWriter } from './kafka-writer.ts';

/** A group of one takes three seconds to form (`group.initial.rebalance.delay.ms`). */
const openWithinMs = 12_000;
const markAgainMs = 100;

export const openKafka: OpenBroker = async ({ access, log }) => {
  const refusals = refusalsOf('Kafka', access.url);
  const makeRoom = createRoom(refusals);
  const { host, port } = addressOf(access.url);
  const partition = openKafkaPartition({
    host: `${host}:${port}`,
    topic: access.name.replaceAll(/[^\w.-]/g, '_'),
    withinMs: confirmWithinMs,
    retentionMs: leftStaysMs,
    isEmulated: access.emulated === true,
  });
  const own = randomUUID();
  const begun = Promise.withResolvers<void>();
  /** Own events by their count: where they came to, or why they did not. */
  const outcomes = new Map<number, Place | RequestError>();
  const waiting = createDeadlines<number>(confirmWithinMs);
  const end = (count: number, outcome: Place | RequestError) => {
    outcomes.set(count, outcome); // for who waits, who is called within `done`
    waiting.done(count);
    outcomes.delete(count);
  };
  const reader = createKafkaLog(log, own, { marked: begun.resolve, placed: end });
  const writer = createKafkaWriter(partition, refusals, end);
  let sent = 0;
  let closed = false;

  async function close(): Promise<void> {
    closed = true;
    waiting.end();
    writer.stop();
    await partition.close();
  }

  try {
    await catchUp(partition, reader, { own, begun: begun.promise, refusals });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    async publish(topic, body, { seq, ...stamps }, { key } = {}) {
      if (closed) throw refusals.away('the server is closing');
      log.admit(topic);
      const rest = log.encode(body, stamps);
      const free = makeRoom(rest.length);
      const count = ++sent;
      const one = { count, key, value: encodeMessage(own, count, seq, topic, rest), written: false };
      try {
        return await new Promise<Place>((resolve, reject) => {
          waiting.add(count, () => {
            const outcome = outcomes.get(count);
            if (outcome && 'id' in outcome) return resolve(outcome);
            writer.drop(one);
            const silent = one.written ? refusals.unknown : refusals.away;
            reject(outcome ?? silent('it says nothing'));
          });
          writer.add(one);
        });
      } finally {
        free();
      }
    },
    close,
  };
};

/** Reads up to a mark that is written now. @throws UserError when that is not possible in time */
async function catchUp(
  partition: KafkaPartition,
  reader: KafkaLog,
  { own, begun, refusals }: { own: string; begun: Promise<void>; refusals: Refusals },
): Promise<void> {
  const lateMs = performance.now() + openWithinMs;
  partition.read(reader.next, reader.take);
  for (;;) {
    try {
      await partition.write([{ key: undefined, value: own }]);
      break;
    } catch (error) {
      const isAway = error instanceof KafkaWriteError && error.kind === 'away';
      if (isAway || performance.now() > lateMs) throw refusals.absent(messageOf(error));
      await sleep(markAgainMs);
    }
  }
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(refusals.absent('what was written to it cannot be read')),
    Math.max(0, lateMs - performance.now()),
  );
  await Promise.race([begun, promise]).finally(() => clearTimeout(timer));
}
