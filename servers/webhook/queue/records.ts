// Keeps in Redis what a queue cannot tell: what became of each delivery, its attempts and the event's body,
// who works on it now, and which event a publisher's key made. What is to be done is in the queue alone; a
// record is written behind it, so a queue that has a work without a record is in order, and the first server
// that takes it writes the record.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import type { ServerBacklog } from '../../../core/protocol/control.ts';
import type { DeliveryState } from '../api.ts';
import { keyStaysMs } from '../../http/idempotency.ts';
import type { AttemptRow } from '../records.ts';
import type { RedisLink } from '../redis/link.ts';
import { defineScripts } from './scripts.ts';
import { encodeWork, type Work } from './work-queue.ts';

export type DeliveryRecord = {
  readonly endpoint: string;
  readonly key: number;
  readonly event: string;
  readonly topic: string;
  readonly createdMs: number;
  readonly state: DeliveryState;
  readonly attempts: readonly AttemptRow[];
  /** How often it was replayed, and how many attempts were made before the last time. */
  readonly round: number;
  readonly spent: number;
  /** When the next attempt is due, after a failed one. */
  readonly nextMs?: number;
  readonly settledMs?: number;
};

/** An event as the list of events has it. */
export type EventNote = {
  id: string;
  topic: string;
  createdMs: number;
  bodyBytes: number;
  deliveries: number;
};

/** Which event a publisher's key made; `work` until it is known to be in the queue. */
export type KeyedWork = { fingerprint: string; id: string; seq: number; work?: Work };

/** `text` is what Redis has, to be given back with the outcome. `busy`: another server works on it. */
export type Taken = { kind: 'busy' } | { kind: 'taken'; text: string; record: DeliveryRecord };

export type Records = {
  /** @returns the first of so many numbers for deliveries */
  newIds(count: number): Promise<number>;
  /** Writes the records of works whose event has none. */
  add(works: readonly Work[]): Promise<void>;
  /** The same of one that mostly has them already. */
  addMissing(work: Work): Promise<void>;
  /** Claims a delivery for one attempt, as long as its lease. Writes the record where there is none. */
  take(work: Work, claim: string): Promise<Taken>;
  release(id: number, claim: string): Promise<void>;
  /**
   * Enters what became of a delivery, and ends the claim.
   * @param before the text that it was taken with
   * @returns false when another server has it by now: nothing was entered
   */
  enter(id: number, record: DeliveryRecord, before: string, claim: string): Promise<boolean>;
  /** @returns undefined where there is none any more */
  read(ids: readonly number[]): Promise<(DeliveryRecord | undefined)[]>;
  message(event: string): Promise<Message | undefined>;
  /** Newest first. `key` counts from 1. */
  events(most: number): Promise<{ notes: EventNote[]; total: number }>;
  newestId(): Promise<number>;
  /** Numbers of deliveries that were given up or cancelled, accepted from `sinceMs` up to `untilMs`. */
  unsent(sinceMs: number, untilMs: number, from: number, count: number): Promise<number[]>;
  backlog(nowMs: number): Promise<ServerBacklog & { deadLetters: number }>;
  keyed(keys: readonly string[]): Promise<(KeyedWork | undefined)[]>;
  /** @returns false when the key stands for something already */
  keepKey(key: string, event: KeyedWork): Promise<boolean>;
  confirmKey(key: string, event: KeyedWork): Promise<void>;
  forgetKey(key: string): Promise<void>;
};

export type RecordsOptions = {
  link: RedisLink;
  prefix: string;
  /** How many settled deliveries are kept, and for how long. */
  keep: number;
  retainMs: number;
  leaseMs: number;
  nowMs: () => number;
};

/** A record or body that nobody has asked for in so long has no work in the queue any more. */
const staysMs = 30 * 86_400_000;
/** Works that are sent to Redis at once. */
const worksAtOnce = 100;

export function createRecords(options: RecordsOptions): Records {
  const { link, prefix, keep, retainMs, leaseMs, nowMs } = options;
  const run = defineScripts(link, prefix);
  const px = retainMs + staysMs;
  const keyOf = (key: string) => `${prefix}:idempotency:${key}`;

  async function add(works: readonly Work[], where: 'new' | 'any' = 'new'): Promise<void> {
    for (let i = 0; i < works.length; i += worksAtOnce)
      await run('add', [px, keep, where, ...works.slice(i, i + worksAtOnce).flatMap(addArguments)]);
  }

  return {
    newIds: async (count) => (await link.ask((redis) => redis.incrby(`${prefix}:id`, count))) - count + 1,
    add: (works) => add(works),
    async addMissing(work) {
      const found = await link.ask((redis) => redis.exists(`${prefix}:event:${work.message.id}`));
      if (found === 0) await add([work]);
    },
    async take(work, claim) {
      // Longer than an attempt may take, and over before the queue hands it out again.
      const claimMs = leaseMs - 500;
      const given = [work.firstId, claim, claimMs];
      let text = (await run('take', given)) as string;
      if (text === 'busy') return { kind: 'busy' };
      if (text === '') {
        await add([work], 'any');
        text = textOf(recordOf(work, 0));
      }
      const record = JSON.parse(text) as DeliveryRecord; // written here alone
      if (record.state === 'pending' || work.round <= record.round) return { kind: 'taken', text, record };
      return { kind: 'taken', text, record: reopened(record) };
    },
    release: async (id, claim) => void (await run('release', [id, claim])),
    async enter(id, record, before, claim) {
      const { state, createdMs } = record;
      const keptFromMs = nowMs() - retainMs;
      const given = [id, textOf(record), before, claim, state, createdMs, nowMs(), px, keep, keptFromMs];
      return (await run('enter', given)) === 'entered';
    },
    async read(ids) {
      if (ids.length === 0) return [];
      const texts = await link.ask((redis) => redis.mget(ids.map((id) => `${prefix}:delivery:${id}`)));
      return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as DeliveryRecord)));
    },
    async message(event) {
      const text = await link.ask((redis) => redis.get(`${prefix}:event:${event}`));
      return text === null ? undefined : (JSON.parse(text) as Message);
    },
    async events(most) {
      const [texts, total] = await link.ask((redis) =>
        Promise.all([redis.lrange(`${prefix}:events`, 0, most - 1), redis.llen(`${prefix}:events`)]),
      );
      return { notes: texts.map((text) => JSON.parse(text) as EventNote), total };
    },
    newestId: async () => Number((await link.ask((redis) => redis.get(`${prefix}:id`))) ?? 0),
    async unsent(sinceMs, untilMs, from, count) {
      const ids = await link.ask((redis) =>
        redis.zrangebyscore(`${prefix}:unsent`, sinceMs, `(${untilMs}`, 'LIMIT', from, count),
      );
      return ids.map(Number);
    },
    async backlog(now) {
      const [depth, oldest, deadLetters] = await link.ask((redis) =>
        Promise.all([
          redis.zcard(`${prefix}:pending`),
          redis.zrange(`${prefix}:pending`, '0', '0', 'WITHSCORES'),
          redis.scard(`${prefix}:dead`),
        ]),
      );
      return {
        depth,
        deadLetters,
        oldestAgeMs: oldest[1] === undefined ? 0 : Math.max(0, now - Number(oldest[1])),
      };
    },
    async keyed(keys) {
      if (keys.length === 0) return [];
      const texts = await link.ask((redis) => redis.mget(keys.map(keyOf)));
      return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as KeyedWork)));
    },
    keepKey: async (key, event) =>
      (await link.ask((redis) => redis.set(keyOf(key), JSON.stringify(event), 'PX', keyStaysMs, 'NX'))) ===
      'OK',
    confirmKey: async (key, { fingerprint, id, seq }) =>
      void (await link.ask((redis) =>
        redis.set(keyOf(key), JSON.stringify({ fingerprint, id, seq }), 'PX', keyStaysMs),
      )),
    forgetKey: async (key) => void (await link.ask((redis) => redis.del(keyOf(key)))),
  };
}

/** What `add` takes of one work. */
function addArguments(work: Work): (string | number)[] {
  const { message, firstId, receivers, createdMs } = work;
  const { id, topic, bodyBytes } = message;
  const note: EventNote = { id, topic, createdMs, bodyBytes, deliveries: receivers.length };
  return [
    id,
    JSON.stringify(message),
    JSON.stringify(note),
    createdMs,
    receivers.length,
    ...receivers.flatMap((_, i) => [firstId + i, textOf(recordOf(work, i))]),
  ];
}

function recordOf({ message, receivers, createdMs }: Work, i: number): DeliveryRecord {
  const { id, key } = receivers[i]!; // one of them
  const { id: event, topic } = message;
  return { endpoint: id, key, event, topic, createdMs, state: 'pending', attempts: [], round: 0, spent: 0 };
}

/** A settled delivery that is to be sent again: its schedule begins again. */
export function reopened(settled: DeliveryRecord): DeliveryRecord {
  const { nextMs: _nextMs, settledMs: _settledMs, ...record } = settled;
  return { ...record, state: 'pending', round: record.round + 1, spent: record.attempts.length };
}

/** The same text for the same record, whichever server writes it. */
export function textOf(record: DeliveryRecord): string {
  return JSON.stringify(record);
}

/** Bytes that a work takes in a queue. */
export function workBytes(work: Work): number {
  return Buffer.byteLength(encodeWork(work));
}
