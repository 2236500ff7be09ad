// Connects servers through a topic of Kafka with one partition, which orders the events. Every server reads
// all of it from its beginning and counts the events in that order, so epoch and offset mean the same on all
// of them. Kafka takes an event again that is sent again: who reads drops the second of two with the same
// key, and as all read the same, all drop the same one.
//
// An event is confirmed when it has come back to the server that sent it: all replicas had it then. A server
// that starts writes a mark of its own and has caught up when it reads it.

import { randomUUID } from 'node:crypto';
import { addressOf } from '../../core/base/address.ts';
import { urlHost } from '../../core/base/loopback.ts';
import type { Place } from '../hub/event.ts';
import { epochOf } from '../hub/epoch.ts';
import { RequestError } from '../http/request.ts';
import { openKafkaPartition } from '../kafka/kafkajs.ts';
import { KafkaWriteError, type KafkaMessage } from '../kafka/topic.ts';
import { confirmWithinMs, createRoom, leftStaysMs, refusalsOf, type OpenBroker } from './broker.ts';
import { createDeadlines } from './deadlines.ts';

/** A group of one takes three seconds to form (`group.initial.rebalance.delay.ms`). */
const openWithinMs = 12_000;
const markAgainMs = 100;
/** The newest keys, by which a second copy is known. All servers keep as many, so all know the same. */
const keysKept = 100_000;
/** Of one write; a broker takes 1 MiB by default. */
const batchMost = { events: 500, bytes: 512 * 1024 };

type Waiting = { count: number; key: string | undefined; value: string; written: boolean };

export const openKafka: OpenBroker = async ({ access, log }) => {
  const refusals = refusalsOf('Kafka', access.url);
  const makeRoom = createRoom(refusals);
  const partition = openKafkaPartition({
    host: hostAndPort(access.url),
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
  const places = new Map<string, Place>();
  let queue: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let sent = 0;
  let closed = false;
  /** Of the partition. */
  let next = 0;

  /** The partition is not the one that was read so far: its first message says which it is. */
  function begin(epoch: string): void {
    log.begin(epoch, 0);
    places.clear();
  }

  function take({ offset, key, value }: KafkaMessage): void {
    if (offset === 0 && (next === 0 || epochOf(value) !== log.epoch())) begin(epochOf(value));
    else if (offset < next) return;
    // What lay between is gone: how many events it had nobody knows, so no cursor from before means anything.
    else if (offset > next) begin(epochOf(`${log.epoch()} ${offset} ${value}`));
    next = offset + 1;
    // ORIGIN COUNT SEQ TOPIC REST, or ORIGIN alone
    const ends = [0, 0, 0, 0];
    for (let i = 0, from = 0; i < ends.length; i++) from = (ends[i] = value.indexOf(' ', from)) + 1;
    const [toCount, toSeq, toTopic, toRest] = ends as [number, number, number, number];
    if (toCount < 0) {
      if (value === own) begun.resolve();
      return;
    }
    const origin = value.slice(0, toCount);
    const count = Number(value.slice(toCount + 1, toSeq));
    const seq = Number(value.slice(toSeq + 1, toTopic));
    const before = key === undefined ? undefined : places.get(key);
    const place =
      before ??
      log.receive({
        offset: log.end() + 1,
        topic: value.slice(toTopic + 1, toRest),
        seq: seq === 0 ? undefined : seq,
        rest: value.slice(toRest + 1),
      });
    if (!place) return;
    if (key !== undefined && !before) remember(key, { id: place.id, seq: place.seq });
    if (origin === own) end(count, { id: place.id, seq: place.seq });
  }

  function remember(key: string, place: Place): void {
    places.set(key, place);
    if (places.size > keysKept) places.delete(places.keys().next().value!); // the oldest; there is one
  }

  function end(count: number, outcome: Place | RequestError): void {
    outcomes.set(count, outcome); // for who waits, who is called within `done`
    waiting.done(count);
    outcomes.delete(count);
  }

  async function writeAll(): Promise<void> {
    // What comes in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
      try {
        await partition.write(batch);
      } catch (error) {
        const refusal = refusalOf(error, refusals);
        // What may have been written may still come back.
        if (refusal.code !== 'unknown') for (const { count } of batch) end(count, refusal);
      }
    }
    writing = undefined;
  }

  function nextBatch(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const one of queue) {
      bytes += one.value.length;
      if (batch.length > 0 && (batch.length >= batchMost.events || bytes > batchMost.bytes)) break;
      one.written = true;
      batch.push(one);
    }
    queue = queue.slice(batch.length);
    return batch;
  }

  async function catchUp(): Promise<void> {
    const lateMs = performance.now() + openWithinMs;
    partition.read(() => next, take);
    for (;;) {
      try {
        await partition.write([{ key: undefined, value: own }]);
        break;
      } catch (error) {
        const isAway = error instanceof KafkaWriteError && error.kind === 'away';
        if (isAway || performance.now() > lateMs) throw refusals.absent(messageIn(error));
        await new Promise((resolve) => setTimeout(resolve, markAgainMs));
      }
    }
    const { promise, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(refusals.absent('what was written to it cannot be read')),
      Math.max(0, lateMs - performance.now()),
    );
    await Promise.race([begun.promise, promise]).finally(() => clearTimeout(timer));
  }

  async function close(): Promise<void> {
    closed = true;
    waiting.end();
    queue = [];
    await partition.close();
  }

  try {
    await catchUp();
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
      const value = `${own} ${count} ${seq ?? 0} ${topic} ${rest}`;
      const one: Waiting = { count, key, value, written: false };
      try {
        return await new Promise<Place>((resolve, reject) => {
          waiting.add(count, () => {
            const outcome = outcomes.get(count);
            if (outcome && 'id' in outcome) return resolve(outcome);
            if (!one.written) queue = queue.filter((other) => other !== one);
            reject(
              outcome ??
                (one.written ? refusals.unknown('it says nothing') : refusals.away('it says nothing')),
            );
          });
          queue.push(one);
          writing ??= writeAll();
        });
      } finally {
        free();
      }
    },
    close,
  };
};

function refusalOf(error: unknown, { away, unknown }: ReturnType<typeof refusalsOf>): RequestError {
  if (!(error instanceof KafkaWriteError)) throw error;
  const { kind, message } = error;
  if (kind === 'refused')
    return new RequestError(413, 'too-large-for-broker', `Kafka refused it: ${message}`);
  return kind === 'away' ? away(message) : unknown(message);
}

function hostAndPort(url: string): string {
  const { host, port } = addressOf(url);
  return `${urlHost(host)}:${port}`;
}

function messageIn(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
