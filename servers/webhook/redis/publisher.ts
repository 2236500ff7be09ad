// Publishes over Redis: what comes while a batch is on its way goes into the next one, and only one is under
// way. Events are drafts of the hub until Redis has answered. What it refused is dropped; where its answer
// was lost the drafts wait until Redis says whether they are there (redis/batch.ts), and nothing else is
// published meanwhile.

import { randomUUID } from 'node:crypto';
import { fingerprintOf, keyReused } from '../../http/idempotency.ts';
import type { Hub, Stamps } from '../../hub/hub.ts';
import type { Publish } from '../../pattern.ts';
import { RequestError } from '../../http/request.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { BatchOutcome, Batches, StoredBatch } from './batch.ts';
import { AnswerLost, answerWithinMs, refusalOf, type RedisLink } from './link.ts';
import type { EventNote } from './log.ts';
import type { Message } from '../store.ts';

/** What one batch holds at the most: requests, bytes of their bodies, deliveries. */
const batchMost = { requests: 500, bytes: 8 * 1024 ** 2, jobs: 2000 };
/** Requests that may wait for their batch. */
const waitingMost = 10_000;
/**
 * What Redis may take for a batch at least, however long what came before it took; and for each delivery
 * besides.
 */
const batchWithinMs = 500;
const perJobMs = 0.2;
/** A batch that another server's changes got in the way of is tried again so often. */
const triesMost = 5;

type Answer = { id: string; seq: number };
type Waiting = PromiseWithResolvers<Answer> & {
  bytes: number;
  /** An event to be numbered, or a message for some endpoints alone. */
  what:
    | { kind: 'event'; topic: string; body: string; stamps: Stamps; key: string | undefined }
    | { kind: 'message'; message: Message; endpoints: readonly WebhookEndpoint[] };
};

type Growing<T> = { [K in keyof T]: T[K] extends readonly (infer One)[] ? One[] : never };

export type RedisPublisher = {
  publish: Publish;
  /** Stores one message for these endpoints alone; it has no number. @throws RequestError 503 */
  send(message: Message, endpoints: readonly WebhookEndpoint[]): Promise<void>;
  /** Settles what is unknown, now that Redis answers again. */
  resume(): void;
  /** Resolves when the event is one: not before it was taken. */
  taken(event: string): Promise<void>;
  /** Resolves when nothing is under way. What waits is refused. */
  close(): Promise<void>;
};

export type RedisPublisherOptions = {
  hub: Hub;
  link: RedisLink;
  /** Of Redis, for people. */
  host: string;
  batches: Batches;
  eventKey: (id: string) => string;
  idempotencyKey: (key: string) => string;
  nowMs: () => number;
  /** Resolves when endpoints that were changed here are in Redis, and the copy here is what Redis has. */
  endpointsReady: () => Promise<void>;
  /** Whether deliveries may be made for it: Redis has it. */
  isStored: (endpoint: WebhookEndpoint) => boolean;
  /** @throws RequestError 503 when the store was emptied */
  check: () => void;
  /** Called when a batch finds that the store was emptied. */
  emptied: () => unknown;
  /** Called with each message that is stored. */
  stored: (message: Message) => void;
};

export function createRedisPublisher(options: RedisPublisherOptions): RedisPublisher {
  const { hub, link, host, batches, eventKey, idempotencyKey, nowMs } = options;
  let waiting: Waiting[] = [];
  let follows = '';
  let unsettled: string | undefined;
  let pumping: Promise<void> | undefined;
  let closed = false;
  /** Events that are none yet, by id; those of the batch under way. */
  const drafted = new Map<string, PromiseWithResolvers<void>>();
  let draftIds: string[] = [];

  function add(what: Waiting['what'], bytes: number): Promise<Answer> {
    const one: Waiting = { ...Promise.withResolvers<Answer>(), what, bytes };
    const refusal = closed
      ? 'the server is closing; nothing was stored'
      : waiting.length >= waitingMost
        ? `${waitingMost} events wait for Redis, which is the limit; nothing was stored, try again later`
        : undefined;
    if (refusal === undefined) waiting.push(one);
    else one.reject(new RequestError(503, 'store-failed', refusal));
    pump();
    return one.promise;
  }

  function pump(): void {
    if (pumping || (waiting.length === 0 && unsettled === undefined)) return;
    pumping = (async () => {
      // What comes in one turn of the event loop goes together.
      await new Promise((resolve) => setImmediate(resolve));
      try {
        while (waiting.length > 0 || unsettled !== undefined) await round();
      } catch (error) {
        refuse(waiting, refusalOf(error, host));
        waiting = [];
      } finally {
        pumping = undefined;
      }
    })();
  }

  /** @throws what no waiting request can be served for */
  async function round(): Promise<void> {
    try {
      options.check();
    } catch (error) {
      forget();
      unsettled = undefined;
      throw error;
    }
    const untilMs = performance.now() + answerWithinMs;
    const leftMs = () => Math.max(1, untilMs - performance.now());
    if (unsettled !== undefined) await settle(unsettled, leftMs());
    await options.endpointsReady();
    const fresh = await answerRepeats(nextOnes(), leftMs());
    if (fresh.length > 0) await store(fresh, leftMs);
  }

  /** Takes the first of those that wait, as many as a batch may hold. */
  function nextOnes(): Waiting[] {
    let [count, bytes] = [0, 0];
    for (const { bytes: more } of waiting) {
      if (count > 0 && (count >= batchMost.requests || bytes + more > batchMost.bytes)) break;
      count++;
      bytes += more;
    }
    return waiting.splice(0, count);
  }

  /** Answers those whose key has made an event before. @returns the others */
  async function answerRepeats(all: readonly Waiting[], withinMs: number): Promise<Waiting[]> {
    const keyed = all.filter(({ what }) => what.kind === 'event' && what.key !== undefined);
    if (keyed.length === 0) return [...all];
    // Those filtered have one.
    const names = keyed.map(({ what }) => idempotencyKey((what as { key: string }).key));
    const texts = await giveBack(
      all,
      link.ask((redis) => redis.mget(names), withinMs),
    );
    const repeats = new Set<Waiting>();
    keyed.forEach((one, i) => {
      const text = texts[i];
      if (typeof text !== 'string' || one.what.kind !== 'event') return;
      repeats.add(one);
      // Written by `batchOf` alone.
      const { fingerprint, id, seq } = JSON.parse(text) as Answer & { fingerprint: string };
      if (fingerprint === fingerprintOf(one.what.topic, one.what.body)) one.resolve({ id, seq });
      else one.reject(keyReused(one.what.key!));
    });
    return all.filter((one) => !repeats.has(one));
  }

  /** Those of a batch wait again when it was not sent. */
  async function giveBack<T>(all: readonly Waiting[], made: Promise<T>): Promise<T> {
    try {
      return await made;
    } catch (error) {
      waiting = [...all, ...waiting];
      throw error;
    }
  }

  async function store(all: readonly Waiting[], leftMs: () => number): Promise<void> {
    const { batch, answers, messages } = batchOf(all);
    const token = randomUUID();
    const limitMs = Math.max(leftMs(), batchWithinMs) + batch.jobs.length * perJobMs;
    let outcome: BatchOutcome;
    try {
      const prepared = await batches.prepare(batch);
      const send = () => link.ask((redis) => batches.store(redis, prepared, follows, token), limitMs);
      outcome = await send();
      for (let tries = 1; outcome === 'fenced' && tries < triesMost; tries++) {
        await agree(leftMs());
        outcome = await send();
      }
    } catch (error) {
      if (error instanceof AnswerLost) {
        unsettled = token;
        return refuse(answers.keys(), lost(error));
      }
      forget();
      return refuse(answers.keys(), refusalOf(error, host));
    }
    if (outcome === 'stored') {
      follows = token;
      for (const message of messages) options.stored(message);
      draftIds = [];
      hub.take();
      for (const [one, answer] of answers) one.resolve(answer);
      return;
    }
    forget();
    if (outcome === 'emptied') options.emptied();
    if (outcome === 'fenced') {
      const what = `another program changes what this server keeps in Redis at ${host}; nothing was stored`;
      return refuse(answers.keys(), new RequestError(503, 'store-failed', what));
    }
    waiting = [...answers.keys(), ...waiting]; // the next round finds the key, or refuses all
  }

  function lost({ message }: AnswerLost): RequestError {
    const what = 'the event may or may not have been stored; repeat it with the same Idempotency-Key';
    return new RequestError(
      503,
      'unknown',
      `Redis at ${host} did not answer (${message.slice(0, 100)}): ${what}`,
    );
  }

  /** Numbers the events and says what is stored of all. Those that cannot be numbered are answered. */
  function batchOf(all: readonly Waiting[]) {
    const answers = new Map<Waiting, Answer>();
    const messages: Message[] = [];
    const batch: Growing<StoredBatch> = { events: [], keys: [], jobs: [] };
    const createdMs = Math.round(nowMs());
    for (const [i, one] of all.entries()) {
      if (batch.jobs.length >= batchMost.jobs) {
        waiting = [...all.slice(i), ...waiting];
        break;
      }
      const { what } = one;
      let [message, endpoints]: [Message | undefined, readonly WebhookEndpoint[]] = [undefined, []];
      if (what.kind === 'message') {
        ({ message, endpoints } = what);
        answers.set(one, { id: message.id, seq: 0 });
      } else {
        try {
          const { id, seq, json } = hub.draft(what.topic, what.body, what.stamps, ({ id: taken }) =>
            release(taken),
          );
          drafted.set(id, Promise.withResolvers());
          draftIds.push(id);
          message = { id, topic: what.topic, body: json, bodyBytes: Buffer.byteLength(json) };
          const followers = hub.followers(what.topic) as WebhookEndpoint[]; // the service alone subscribes
          endpoints = followers.filter(options.isStored);
          answers.set(one, { id, seq });
          if (what.key !== undefined) {
            const text = JSON.stringify({ id, seq, fingerprint: fingerprintOf(what.topic, what.body) });
            batch.keys.push({ key: idempotencyKey(what.key), text });
          }
        } catch (error) {
          one.reject(error); // too many topics
          continue;
        }
      }
      if (endpoints.length === 0) continue;
      const { id, topic, bodyBytes } = message;
      messages.push(message);
      const note: EventNote = { id, topic, createdMs, bodyBytes };
      batch.events.push({ key: eventKey(id), text: JSON.stringify(message), note: JSON.stringify(note) });
      for (const {
        id: endpoint,
        stored: { key },
      } of endpoints)
        batch.jobs.push({ endpoint, key, event: id, topic, createdMs, attempts: [] });
    }
    return { batch, answers, messages };
  }

  /** Whether the batch whose answer was lost is there. Until that is known nothing is numbered. */
  async function settle(token: string, withinMs: number): Promise<void> {
    const fence = randomUUID();
    const found = await link.ask((redis) => batches.settle(redis, token, fence), withinMs);
    unsettled = undefined;
    follows = found === 'stored' ? token : fence;
    if (found !== 'stored') forget();
    draftIds = [];
    if (found === 'stored') hub.take();
    if (found === 'emptied') options.emptied();
  }

  /** The token here and the one in Redis differ: a Redis that went back to what it had saved. */
  async function agree(withinMs: number): Promise<void> {
    const fence = randomUUID();
    await link.ask((redis) => batches.settle(redis, randomUUID(), fence), withinMs);
    follows = fence;
  }

  function forget(): void {
    hub.drop();
    for (const id of draftIds) release(id);
    draftIds = [];
  }

  function release(id: string): void {
    drafted.get(id)?.resolve();
    drafted.delete(id);
  }

  function refuse(all: Iterable<Waiting>, error: Error): void {
    for (const { reject } of all) reject(error);
  }

  return {
    publish: (topic, body, stamps, given) =>
      add({ kind: 'event', topic, body, stamps, key: given?.key }, Buffer.byteLength(body)),
    send: async (message, endpoints) =>
      void (await add({ kind: 'message', message, endpoints }, message.bodyBytes)),
    resume: pump,
    taken: async (event) => drafted.get(event)?.promise,
    async close() {
      closed = true;
      refuse(waiting, new RequestError(503, 'store-failed', 'the server is closing; nothing was stored'));
      waiting = [];
      await pumping;
    },
  };
}
