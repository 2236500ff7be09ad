// Publishes over Redis: what comes while a batch is on its way goes into the next one, and only one is under
// way. Events are drafts of the hub until Redis has answered. What it refused is dropped; where its answer
// was lost the drafts wait until Redis says whether they are there (batch.ts), and nothing else is published
// meanwhile.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import { fingerprintOf, keyReused } from '../../http/idempotency.ts';
import { RequestError } from '../../http/request.ts';
import type { Publish } from '../../pattern.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import { answerWithinMs, refusalOf } from './link.ts';
import {
  forget,
  newPublishing,
  type Answer,
  type Publishing,
  type PublishingOptions,
  type Waiting,
} from './publishing.ts';
import { settle, storeBatch } from './publish-batch.ts';

/** What one batch holds at most: requests, and bytes of their bodies. */
const batchMost = { requests: 500, bytes: 8 * 1024 ** 2 };
/** Requests that may wait for their batch. */
const waitingMost = 10_000;

export type RedisPublisher = {
  publish: Publish;
  /**
   * Stores one message for this endpoint alone; it has no number.
   * @returns the delivery's
   * @throws RequestError 503
   */
  send(message: Message, endpoint: WebhookEndpoint): Promise<number>;
  /** Finds out, now that Redis answers again, which events it has stored. */
  resume(): void;
  /** Resolves when the event is stored. */
  taken(event: string): Promise<void>;
  /** Resolves when nothing is under way. What waits is refused. */
  close(): Promise<void>;
};

export function createRedisPublisher(options: PublishingOptions): RedisPublisher {
  const p = newPublishing(options);
  return {
    publish: (topic, body, stamps, given) =>
      add(p, { kind: 'event', topic, body, stamps, key: given?.key }, Buffer.byteLength(body)),
    async send(message, endpoint) {
      const { delivery } = await add(p, { kind: 'message', message, endpoint }, message.bodyBytes);
      return delivery!; // a message has one
    },
    resume: () => pump(p),
    taken: async (event) => p.drafted.get(event)?.promise,
    async close() {
      p.closed = true;
      refuse(p.waiting, new RequestError(503, 'store-failed', 'the server is closing; nothing was stored'));
      p.waiting = [];
      await p.pumping;
    },
  };
}

function add(p: Publishing, what: Waiting['what'], bytes: number): Promise<Answer> {
  const one: Waiting = { ...Promise.withResolvers<Answer>(), what, bytes };
  const refusal = p.closed
    ? 'the server is closing; nothing was stored'
    : p.waiting.length >= waitingMost
      ? `${waitingMost} events wait for Redis, which is the limit; nothing was stored, try again later`
      : undefined;
  if (refusal === undefined) p.waiting.push(one);
  else one.reject(new RequestError(503, 'store-failed', refusal));
  pump(p);
  return one.promise;
}

/** Makes rounds until nothing waits and nothing is unknown. */
function pump(p: Publishing): void {
  if (p.pumping || (p.waiting.length === 0 && p.unsettled === undefined)) return;
  p.pumping = (async () => {
    // What comes in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    try {
      while (p.waiting.length > 0 || p.unsettled !== undefined) await round(p);
    } catch (error) {
      refuse(p.waiting, refusalOf(error, p.host));
      p.waiting = [];
    } finally {
      p.pumping = undefined;
    }
  })();
}

/** @throws what no waiting request can be served for */
async function round(p: Publishing): Promise<void> {
  try {
    p.check();
  } catch (error) {
    forget(p);
    p.unsettled = undefined;
    throw error;
  }
  const untilMs = performance.now() + answerWithinMs;
  const leftMs = () => Math.max(1, untilMs - performance.now());
  if (p.unsettled !== undefined) await settle(p, p.unsettled, leftMs());
  await p.endpointsReady();
  const fresh = await answerRepeats(p, takeSome(p), leftMs());
  if (fresh.length > 0) await storeBatch(p, fresh, leftMs);
}

/** Takes the first of the waiting events, as many as a batch may hold. */
function takeSome({ waiting }: Publishing): Waiting[] {
  let [count, bytes] = [0, 0];
  for (const { bytes: more } of waiting) {
    if (count > 0 && (count >= batchMost.requests || bytes + more > batchMost.bytes)) break;
    count++;
    bytes += more;
  }
  return waiting.splice(0, count);
}

/** Answers those whose key has made an event before. @returns the others */
async function answerRepeats(
  p: Publishing,
  all: readonly Waiting[],
  withinMs: number,
): Promise<readonly Waiting[]> {
  const keyed = all.flatMap((one) =>
    one.what.kind === 'event' && one.what.key !== undefined
      ? [{ one, key: one.what.key, fingerprint: fingerprintOf(one.what.topic, one.what.body) }]
      : [],
  );
  if (keyed.length === 0) return all;
  const names = keyed.map(({ key }) => p.idempotencyKey(key));
  let texts: (string | null)[];
  try {
    texts = await p.link.ask((redis) => redis.mget(names), withinMs);
  } catch (error) {
    p.waiting = [...all, ...p.waiting]; // nothing was sent
    throw error;
  }
  const repeats = new Set<Waiting>();
  keyed.forEach(({ one, key, fingerprint }, i) => {
    const text = texts[i];
    if (typeof text !== 'string') return;
    repeats.add(one);
    // Written by publish-batch.ts alone.
    const made = JSON.parse(text) as Answer & { fingerprint: string };
    if (made.fingerprint === fingerprint) one.resolve({ id: made.id, seq: made.seq });
    else one.reject(keyReused(key));
  });
  return all.filter((one) => !repeats.has(one));
}

function refuse(all: Iterable<Waiting>, error: Error): void {
  for (const { reject } of all) reject(error);
}
