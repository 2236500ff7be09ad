// Publishes into a queue: what comes while works are on their way to it goes into the next round, and one
// round is under way at a time, so that the queue has events in the order of their numbers. An event is in
// the queue as a whole or not at all, each on its own: where the queue refuses one of a round and takes
// another, the refused one leaves a gap in its topic's numbers.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import { fingerprintOf, keyReused } from '../../http/idempotency.ts';
import type { Hub, Stamps } from '../../hub/hub.ts';
import type { Publish } from '../../pattern.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import { refusalOf } from '../redis/link.ts';
import type { Records } from './records.ts';
import { checkSize, deliveriesNotSent, eventNotSent, refused } from './refusals.ts';
import type { Sent, Work, WorkQueue } from './work-queue.ts';

export type QueuePublisherOptions = {
  hub: Hub;
  queue: WorkQueue;
  records: Records;
  /** Of Redis, for people. */
  host: string;
  nowMs: () => number;
  /** Resolves when endpoints that were changed here are in Redis, and the copy here is what Redis has. */
  endpointsReady: () => Promise<void>;
  /** Whether deliveries may be made for it: Redis has it. */
  isStored: (endpoint: WebhookEndpoint) => boolean;
  /** @throws RequestError 503 when the store was emptied */
  check: () => void;
  report: (error: unknown) => void;
};

export type QueuePublisher = {
  publish: Publish;
  /** One message for one endpoint; it has no number. @returns the delivery's. @throws RequestError 503 */
  send(message: Message, endpoint: WebhookEndpoint): Promise<number>;
  /** Sends works that were sent before. @throws RequestError 503 */
  again(works: readonly Work[]): Promise<void>;
  /** Resolves when the event is one: not before it was taken. */
  taken(event: string): Promise<void>;
  /** Resolves when nothing is under way. What waits is refused. */
  close(): Promise<void>;
};

type Answer = { id: string; seq: number };
type Waiting = PromiseWithResolvers<Answer> & {
  readonly topic: string;
  readonly body: string;
  readonly stamps: Stamps;
  readonly key: string | undefined;
};
/** An event that is numbered; `work` when somebody gets it. */
type Numbered = {
  readonly one: Waiting;
  readonly answer: Answer;
  work: Work | undefined;
  /** Its key stands for this event. */
  hasKey: boolean;
};

type Publishing = QueuePublisherOptions & {
  waiting: Waiting[];
  pumping: Promise<void> | undefined;
  closed: boolean;
  /** Events that are none yet, by id. */
  readonly drafted: Map<string, PromiseWithResolvers<void>>;
};

/** How many events go in one round, and how many may wait for the next. */
const roundMost = 100;
const waitingMost = 10_000;

export function createQueuePublisher(options: QueuePublisherOptions): QueuePublisher {
  const p: Publishing = {
    ...options,
    waiting: [],
    pumping: undefined,
    closed: false,
    drafted: new Map(),
  };
  return {
    publish: (topic, body, stamps, given) => {
      const one: Waiting = { ...Promise.withResolvers<Answer>(), topic, body, stamps, key: given?.key };
      const limit = `${waitingMost} events wait for the ${p.queue.name}, which is the limit`;
      if (p.closed) one.reject(refused('the server is closing; nothing was stored'));
      else if (p.waiting.length >= waitingMost) one.reject(refused(`${limit}; try again later`));
      else p.waiting.push(one);
      pump(p);
      return one.promise;
    },
    async send(message, { id, stored: { key } }) {
      const work: Work = {
        kind: 'delivery',
        message,
        firstId: await firstId(p, 1),
        receivers: [{ id, key }],
        createdMs: Math.round(p.nowMs()),
        round: 0,
      };
      await sendAll(p, [work]);
      await p.records.add([work]).catch(p.report); // else the server that takes it writes it
      return work.firstId;
    },
    again: (works) => sendAll(p, works),
    taken: async (event) => p.drafted.get(event)?.promise,
    async close() {
      p.closed = true;
      for (const { reject } of p.waiting) reject(refused('the server is closing; nothing was stored'));
      p.waiting = [];
      await p.pumping;
    },
  };
}

/** @throws RequestError 503 */
async function firstId(p: Publishing, count: number): Promise<number> {
  try {
    return await p.records.newIds(count);
  } catch (error) {
    throw refusalOf(error, p.host);
  }
}

/** @throws RequestError 503 */
async function sendAll({ queue }: Publishing, works: readonly Work[]): Promise<void> {
  const refusal = deliveriesNotSent(queue, await queue.send(works));
  if (refusal) throw refusal;
}

/** Makes rounds until nothing waits. */
function pump(p: Publishing): void {
  if (p.pumping || p.waiting.length === 0) return;
  p.pumping = (async () => {
    // What comes in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    while (p.waiting.length > 0) {
      const some = p.waiting.splice(0, roundMost);
      await round(p, some).catch((error: unknown) => {
        const refusal = refusalOf(error, p.host);
        for (const { reject } of some) reject(refusal);
      });
    }
    p.pumping = undefined;
  })();
}

/** @throws what none of them can be served for; the others are answered */
async function round(p: Publishing, some: readonly Waiting[]): Promise<void> {
  p.check();
  await p.endpointsReady();
  const fresh = await answerRepeats(p, some);
  const numbered = number(p, fresh);
  let sent: Sent[];
  const works = numbered.flatMap(({ work }) => work ?? []);
  try {
    const receivers = works.reduce((sum, work) => sum + work.receivers.length, 0);
    await giveIds(p, numbered, receivers);
    if (!(await keepKeys(p, numbered))) {
      await dropAll(p, numbered);
      p.waiting = [...fresh, ...p.waiting]; // the next round finds the key
      return;
    }
    sent = await p.queue.send(numbered.flatMap(({ work }) => work ?? []));
  } catch (error) {
    await dropAll(p, numbered);
    throw error;
  }
  let next = 0;
  const outcomes = numbered.map(({ work }): Sent => (work ? sent[next++]! : { state: 'stored' })); // in order
  if (outcomes.every(({ state }) => state === 'refused')) p.hub.drop();
  else p.hub.take();
  for (const { answer } of numbered) release(p, answer.id);
  // None where nobody knows: it would be pending for ever if the event is not in the queue. If it is, the
  // server that takes it writes the record.
  const stored = numbered.filter((_, i) => outcomes[i]!.state === 'stored');
  await p.records.add(stored.flatMap(({ work }) => work ?? [])).catch(p.report);
  await Promise.all(numbered.map((one, i) => answerOne(p, one, outcomes[i]!)));
}

/** Answers those whose key has made an event before. @returns the others */
async function answerRepeats(p: Publishing, all: readonly Waiting[]): Promise<readonly Waiting[]> {
  const keyed = all.filter(({ key }) => key !== undefined);
  const made = await p.records.keyed(keyed.map(({ key }) => key!)); // it has one
  const repeats = new Map(keyed.flatMap((one, i) => (made[i] ? [[one, made[i]] as const] : [])));
  for (const [one, before] of repeats) {
    const { id, seq, work } = before;
    if (before.fingerprint !== fingerprintOf(one.topic, one.body)) one.reject(keyReused(one.key!));
    else if (!work) one.resolve({ id, seq });
    else {
      // Nobody heard whether it was stored. Sent twice, it is made once: its deliveries have their numbers.
      const [sent] = await p.queue.send([work]);
      if (sent!.state === 'stored') await p.records.add([work]).catch(p.report);
      await answerOne(p, { one, answer: { id, seq }, work, hasKey: false }, sent!); // one for one
    }
  }
  return all.filter((one) => !repeats.has(one));
}

/** Makes drafts of them. Those that cannot be numbered, or are too large, are answered. */
function number(p: Publishing, all: readonly Waiting[]): Numbered[] {
  const createdMs = Math.round(p.nowMs());
  return all.flatMap((one): Numbered[] => {
    const followers = p.hub.followers(one.topic) as WebhookEndpoint[]; // the store alone subscribes
    const receivers = followers.filter(p.isStored).map(({ id, stored: { key } }) => ({ id, key }));
    const kind = receivers.length === 1 && !p.queue.ordered ? 'delivery' : 'event';
    try {
      checkSize(p.queue, one, receivers);
      const { id, seq, json } = p.hub.draft(one.topic, one.body, one.stamps);
      p.drafted.set(id, Promise.withResolvers());
      const message: Message = { id, topic: one.topic, body: json, bodyBytes: Buffer.byteLength(json) };
      const work: Work = { kind, message, firstId: 0, receivers, createdMs, round: 0 };
      return [{ one, answer: { id, seq }, work: receivers.length === 0 ? undefined : work, hasKey: false }];
    } catch (error) {
      one.reject(error); // too many topics, or too large
      return [];
    }
  });
}

async function giveIds(p: Publishing, numbered: Numbered[], count: number): Promise<void> {
  if (count === 0) return;
  let next = await p.records.newIds(count);
  for (const one of numbered) {
    if (!one.work) continue;
    one.work = { ...one.work, firstId: next };
    next += one.work.receivers.length;
  }
}

/**
 * Before they are sent: what a key made can be sent again when the answer was lost.
 * @returns false when another server was given one of the keys meanwhile
 */
async function keepKeys(p: Publishing, numbered: readonly Numbered[]): Promise<boolean> {
  for (const now of numbered) {
    const { one, answer, work } = now;
    if (one.key === undefined) continue;
    const fingerprint = fingerprintOf(one.topic, one.body);
    now.hasKey = await p.records.keepKey(one.key, { fingerprint, ...answer, ...(work && { work }) });
    if (!now.hasKey) return false;
  }
  return true;
}

/** The drafts become nothing; their numbers go to the next events. */
async function dropAll(p: Publishing, numbered: readonly Numbered[]): Promise<void> {
  p.hub.drop();
  for (const one of numbered) {
    release(p, one.answer.id);
    await forgetKey(p, one);
  }
}

/** Of an event that is none: a repeat makes another one. */
async function forgetKey(p: Publishing, { one, hasKey }: Numbered): Promise<void> {
  if (hasKey && one.key !== undefined) await p.records.forgetKey(one.key).catch(p.report);
}

/** Lets go on who waits for the event to be one. */
function release({ drafted }: Publishing, id: string): void {
  drafted.get(id)?.resolve();
  drafted.delete(id);
}

async function answerOne(p: Publishing, numbered: Numbered, sent: Sent): Promise<void> {
  const { one, answer } = numbered;
  const { topic, body, key } = one;
  if (sent.state !== 'stored') {
    if (sent.state === 'refused') await forgetKey(p, numbered);
    return one.reject(eventNotSent(p.queue, sent));
  }
  if (key !== undefined)
    await p.records.confirmKey(key, { fingerprint: fingerprintOf(topic, body), ...answer }).catch(p.report);
  one.resolve(answer);
}
