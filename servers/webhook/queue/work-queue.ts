// Separates webhook delivery from the queue that holds pending deliveries: defines what an outside queue must
// offer to store.ts. sqs/ and kafka/ beside this folder implement it.
//
// A queue hands each work to one server, and hands it out again when the server does not report back: SQS
// after a while (the lease), Kafka when the server has left its group. So a work may come twice; records.ts
// knows what became of it, and claims it for one server for as long as the lease.

import { z } from 'zod';
import type { Message } from '../../../core/policy/webhook/delivery.ts';

/** An endpoint as a work names it. */
export type Receiver = { readonly id: string; readonly key: number };

/** What waits in the queue. */
export type Work = {
  /**
   * `event`: to be split into a delivery for each receiver, so that an event is in the queue as a whole or
   * not at all. `delivery`: to be sent to the one receiver.
   */
  readonly kind: 'event' | 'delivery';
  readonly message: Message;
  /** Deliveries have numbers in the order of the receivers, this one first. */
  readonly firstId: number;
  readonly receivers: readonly Receiver[];
  readonly createdMs: number;
  /** How often it was replayed. */
  readonly round: number;
};

/** `unknown`: it may or may not be in the queue. */
export type Sent = { readonly state: 'stored' } | { readonly state: 'refused' | 'unknown'; why: string };

/** How the handling of a work ends. */
export type End =
  /** It is done with. */
  | { readonly kind: 'done' }
  /** It is handed out again, not before so many milliseconds have passed. */
  | { readonly kind: 'later'; readonly ms: number }
  /** It is handed out again in a moment, to this server or another. */
  | { readonly kind: 'soon' }
  /** It is handed out again when its lease has ended. */
  | { readonly kind: 'left' };

export type WorkQueue = {
  /** For people: `SQS queue webhooks`, `Kafka topic webhooks`. */
  readonly name: string;
  /** What keys in Redis are told apart by. */
  readonly path: string;
  /** What stands in for the service; undefined for the service itself. */
  readonly emulator: string | undefined;
  /** Works of one endpoint are handed out one at a time, in the order in which they were sent. */
  readonly ordered: boolean;
  /** How long a work is one server's. */
  readonly leaseMs: number;
  /** What a work may be in bytes of JSON. */
  readonly workBytesMost: number;
  /** @returns for each what became of it, when all are decided. Never throws */
  send(works: readonly Work[]): Promise<Sent[]>;
  /** Keeps a copy where dead letters go; nothing where there is no such place. Never throws */
  bury(work: Work): Promise<void>;
  /** Begins to hand out. @param handle must not throw */
  start(handle: (work: Work) => Promise<End>): void;
  /** Hands out no more. Resolves when all that was handed out has ended. */
  stop(): Promise<void>;
  close(): void;
};

/** The latest time that a `Date` takes. */
const latestMs = 8.64e15;

/** A work as text: what anybody who may write to the queue can put there. Built once, for every message. */
const encoded = z
  .object({
    pushbench: z.literal(1),
    kind: z.enum(['event', 'delivery']),
    firstId: z.int().min(0),
    to: z.array(z.tuple([z.string(), z.int()])).min(1),
    createdMs: z.int().min(0).max(latestMs),
    round: z.int().min(0),
    id: z.string(),
    topic: z.string(),
    body: z.string(),
  })
  .refine(({ kind, to }) => kind === 'event' || to.length === 1);

/** A work as text. It is the same on every server, so that a mixed cluster understands itself. */
export function encodeWork({ kind, message, firstId, receivers, createdMs, round }: Work): string {
  const { id, topic, body } = message;
  const to = receivers.map((one): [string, number] => [one.id, one.key]);
  const text: z.input<typeof encoded> = {
    pushbench: 1,
    kind,
    firstId,
    to,
    createdMs,
    round,
    id,
    topic,
    body,
  };
  return JSON.stringify(text);
}

/** @returns undefined for a message that is not ours. Never throws */
export function decodeWork(text: string): Work | undefined {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = encoded.safeParse(given);
  if (!parsed.success) return undefined;
  const { kind, firstId, to, createdMs, round, id, topic, body } = parsed.data;
  const message: Message = { id, topic, body, bodyBytes: Buffer.byteLength(body) };
  return {
    kind,
    message,
    firstId,
    receivers: to.map(([receiver, key]) => ({ id: receiver, key })),
    createdMs,
    round,
  };
}

/** The deliveries of an event. */
export function splitWork({ message, firstId, receivers, createdMs, round }: Work): Work[] {
  return receivers.map((receiver, i) => ({
    kind: 'delivery',
    message,
    firstId: firstId + i,
    receivers: [receiver],
    createdMs,
    round,
  }));
}
