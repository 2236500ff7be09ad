// Numbers the events of a batch, stores it in Redis, and answers those who published; finds out what became
// of a batch whose answer was lost.

import { randomUUID } from 'node:crypto';
import type { Message } from '../../../core/policy/webhook/delivery.ts';
import { fingerprintOf } from '../../http/idempotency.ts';
import { RequestError } from '../../http/request.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { BatchOutcome, StoredBatch } from './batch.ts';
import type { EventNote } from './delivery-log.ts';
import { AnswerLost, refusalOf } from './link.ts';
import { forget, release, takeAll, type Answer, type Publishing, type Waiting } from './publishing.ts';

/** Deliveries that one batch holds at most, but for the last event's. */
const jobsMost = 2000;
/**
 * What Redis may take for a batch at least, however long what came before it took; and for each delivery
 * besides.
 */
const batchWithinMs = 500;
const perJobMs = 0.2;
/** A batch that another server's changes got in the way of is tried again so often. */
const triesMost = 5;

type Growing<T> = { [K in keyof T]: T[K] extends readonly (infer One)[] ? One[] : never };

/** A batch as it grows. */
type Numbered = {
  readonly batch: Growing<StoredBatch>;
  readonly answers: Map<Waiting, Answer>;
  /** Which of the batch's deliveries is the one of a message for one endpoint. */
  readonly places: Map<Waiting, number>;
  readonly messages: Message[];
};

/** @param leftMs until the answers are due */
export async function storeBatch(
  p: Publishing,
  all: readonly Waiting[],
  leftMs: () => number,
): Promise<void> {
  const { batch, answers, places, messages } = number(p, all);
  const token = randomUUID();
  let outcome: BatchOutcome;
  try {
    outcome = await send(p, batch, token, leftMs);
  } catch (error) {
    if (error instanceof AnswerLost) {
      p.unsettled = token;
      for (const { what, reject } of answers.keys()) reject(lost(p, error, what.kind));
      return;
    }
    forget(p);
    return refuse(answers, refusalOf(error, p.host));
  }
  if (outcome.state === 'stored') {
    p.follows = token;
    for (const message of messages) p.stored(message);
    takeAll(p);
    for (const [one, answer] of answers) {
      const place = places.get(one);
      one.resolve(place === undefined ? answer : { ...answer, delivery: outcome.firstId + place });
    }
    return;
  }
  forget(p);
  if (outcome.state === 'emptied') p.emptied();
  if (outcome.state === 'fenced') {
    const what = `another program changes what this server keeps in Redis at ${p.host}; nothing was stored`;
    return refuse(answers, new RequestError(503, 'store-failed', what));
  }
  p.waiting = [...answers.keys(), ...p.waiting]; // the next round finds the key, or refuses all
}

/** Whether the batch whose answer was lost is there. Until that is known nothing is numbered. */
export async function settle(p: Publishing, token: string, withinMs: number): Promise<void> {
  const fence = randomUUID();
  const found = await p.link.ask((redis) => p.batches.settle(redis, token, fence), withinMs);
  p.unsettled = undefined;
  p.follows = found === 'stored' ? token : fence;
  if (found === 'stored') takeAll(p);
  else forget(p);
  if (found === 'emptied') p.emptied();
}

async function send(
  p: Publishing,
  batch: StoredBatch,
  token: string,
  leftMs: () => number,
): Promise<BatchOutcome> {
  const limitMs = Math.max(leftMs(), batchWithinMs) + batch.jobs.length * perJobMs;
  const prepared = await p.batches.prepare(batch);
  const once = () => p.link.ask((redis) => p.batches.store(redis, prepared, p.follows, token), limitMs);
  let outcome = await once();
  for (let tries = 1; outcome.state === 'fenced' && tries < triesMost; tries++) {
    await agree(p, leftMs());
    outcome = await once();
  }
  return outcome;
}

/** The token here and the one in Redis differ: Redis came back with an older state. */
async function agree(p: Publishing, withinMs: number): Promise<void> {
  const fence = randomUUID();
  await p.link.ask((redis) => p.batches.settle(redis, randomUUID(), fence), withinMs);
  p.follows = fence;
}

/** Numbers the events and says what to store. Publishers of events that get no number are answered. */
function number(p: Publishing, all: readonly Waiting[]): Numbered {
  const numbered: Numbered = {
    batch: { events: [], keys: [], jobs: [] },
    answers: new Map(),
    places: new Map(),
    messages: [],
  };
  const createdMs = Math.round(p.nowMs());
  for (const [i, one] of all.entries()) {
    if (numbered.batch.jobs.length >= jobsMost) {
      p.waiting = [...all.slice(i), ...p.waiting];
      break;
    }
    const { what } = one;
    if (what.kind === 'message') {
      numbered.answers.set(one, { id: what.message.id, seq: 0 });
      numbered.places.set(one, numbered.batch.jobs.length);
      put(p, numbered, what.message, [what.endpoint], createdMs);
      continue;
    }
    try {
      const message = draft(p, numbered, one, what);
      const followers = p.hub.followers(what.topic) as WebhookEndpoint[]; // the store alone subscribes
      put(p, numbered, message, followers.filter(p.isStored), createdMs);
    } catch (error) {
      one.reject(error); // too many topics
    }
  }
  return numbered;
}

/** @throws TooManyTopics */
function draft(
  p: Publishing,
  { batch, answers }: Numbered,
  one: Waiting,
  { topic, body, stamps, key }: Extract<Waiting['what'], { kind: 'event' }>,
): Message {
  const { id, seq, json } = p.hub.draft(topic, body, stamps, ({ id: taken }) => release(p, taken));
  p.drafted.set(id, Promise.withResolvers());
  p.draftIds.push(id);
  answers.set(one, { id, seq });
  if (key !== undefined) {
    const text = JSON.stringify({ id, seq, fingerprint: fingerprintOf(topic, body) });
    batch.keys.push({ key: p.idempotencyKey(key), text });
  }
  return { id, topic, body: json, bodyBytes: Buffer.byteLength(json) };
}

/** Puts a message and its deliveries into the batch. */
function put(
  p: Publishing,
  { batch, messages }: Numbered,
  message: Message,
  endpoints: readonly WebhookEndpoint[],
  createdMs: number,
): void {
  if (endpoints.length === 0) return;
  const { id, topic, bodyBytes } = message;
  const note: EventNote = { id, topic, createdMs, bodyBytes };
  messages.push(message);
  batch.events.push({ key: p.eventKey(id), text: JSON.stringify(message), note: JSON.stringify(note) });
  for (const { id: endpoint, stored } of endpoints)
    batch.jobs.push({ endpoint, key: stored.key, event: id, topic, createdMs, attempts: [] });
}

/** What is told when nobody knows whether the batch is stored. */
const advice = {
  event: 'the event may or may not have been stored; repeat it with the same Idempotency-Key',
  message: 'it may or may not be sent; GET /webhooks/deliveries shows it when Redis is back',
} as const;

function lost({ host }: Publishing, { message }: AnswerLost, kind: Waiting['what']['kind']): RequestError {
  const sentence = `Redis at ${host} did not answer (${message.slice(0, 100)}): ${advice[kind]}`;
  return new RequestError(503, 'unknown', sentence);
}

function refuse(answers: ReadonlyMap<Waiting, Answer>, error: Error): void {
  for (const { reject } of answers.keys()) reject(error);
}
