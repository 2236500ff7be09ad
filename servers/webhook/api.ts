// Describes the HTTP API of webhook delivery: what its requests take and what its answers hold, as JSON.
// Types and checks alone; the routes are http/routes.ts, and http/openapi.ts describes them to machines
// (docs/openapi.yaml).
//
//  POST   /webhooks                        RegistrationAnswer (201); the secret is in no other answer
//  GET    /webhooks                        EndpointList, oldest first; ?limit, ?cursor
//  GET    /webhooks/{id}                   EndpointView
//  PATCH  /webhooks/{id}                   EndpointChange -> EndpointView
//  DELETE /webhooks/{id}                   204; what waits for it is cancelled
//  POST   /webhooks/{id}/rotate            Rotation -> RotationAnswer; both secrets are good for a while
//  POST   /webhooks/{id}/test              DeliveryView (202): a test event, to this endpoint alone
//  POST   /webhooks/{id}/recover           RecoverRange -> RecoverAnswer (202)
//  GET    /webhooks/events                 EventList, newest first; ?topic, ?limit, ?cursor
//  GET    /webhooks/deliveries             DeliveryList, newest first; ?endpoint, ?state, ?event, ...
//  GET    /webhooks/deliveries/{id}        DeliveryDetail
//  POST   /webhooks/deliveries/{id}/replay DeliveryView (202)
//  GET    /webhooks/stats                  Stats
//  GET    /webhooks/trend                  Trend: the last hour of this server, minute by minute
//  GET    /webhooks/stream                 SSE, each message one StreamMessage
//
// Errors are `{ "error": code, "message": sentence }` with 400, 404, 409, 413, 422 or 503. Times are ISO 8601
// in UTC; with `timeScale` above 1 they are of the scaled clock.

import { z } from 'zod';
import { topicPattern } from '../../core/event/envelope.ts';

/**
 * `exhausted` is the dead letter: no attempt is left. `cancelled`: the endpoint was disabled or removed
 * before its turn; recovery sends it.
 */
export const deliveryStates = ['pending', 'delivered', 'exhausted', 'cancelled'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export const largestPage = 500;
const limit = z.coerce.number().int().min(1).max(largestPage).default(50);
/** As `nextCursor` of the page before gave it. */
const cursor = z
  .string()
  .regex(/^\d{1,15}$/, { error: 'not a cursor of ours: give the nextCursor of the previous page' })
  .transform(Number)
  .optional();
const topic = z.string().regex(topicPattern, { error: 'a topic name of letters, digits and . _ : ~ -' });

export const endpointQuery = z.strictObject({ limit: limit.default(largestPage), cursor });
export const eventQuery = z.strictObject({ topic: topic.optional(), limit, cursor });
export const deliveryQuery = z.strictObject({
  endpoint: z.string().max(64).optional(),
  state: z.enum(deliveryStates).optional(),
  event: z.string().max(64).optional(),
  limit,
  cursor,
});

export const topicList = z
  .array(topic)
  .min(1)
  .max(1000)
  .transform((topics) => [...new Set(topics)]);

/** PATCH: changes the given fields. Enabling closes the breaker and sends pending deliveries. */
export const endpointChange = z.strictObject({
  enabled: z.boolean().optional(),
  events: topicList.optional(),
});
export type EndpointChange = z.infer<typeof endpointChange>;

/**
 * Without a `secret` one is made. Both sign until `overlapS` seconds have passed; with 0 the
 * one before ends at once.
 */
export const rotation = z.strictObject({
  secret: z.string().optional(),
  overlapS: z
    .int()
    .min(0)
    .max(30 * 86_400)
    .default(86_400),
});
export type Rotation = z.infer<typeof rotation>;
/** The secret, as the receiver needs it, when it was made here; it is in no other answer. */
export type RotationAnswer = { secret?: string; previousUntil: string };

/**
 * Recovery sends exhausted and cancelled deliveries again, of the events accepted from `since` up to, not
 * including, `until` (now when left out).
 */
export const recoverRange = z.strictObject({ since: z.iso.datetime(), until: z.iso.datetime().optional() });
/** `more`: there was more than one request recovers; ask again. */
export type RecoverAnswer = { recovered: number; more: boolean };

export type RegistrationAnswer = { id: string; secret?: string };

export type Page<K extends string, T> = { [key in K]: T[] } & { nextCursor?: string };

export type EndpointView = {
  id: string;
  url: string;
  events: readonly string[];
  /** Why it gets nothing; absent while it is enabled. */
  disabled?: string;
  breaker: 'closed' | 'open' | 'half-open';
  createdAt: string;
  pending: number;
  /** Deliveries made and given up since the server's start. */
  delivered: number;
  givenUp: number;
  /** Of the newest attempt, when it failed. */
  lastFailure?: string;
};
export type EndpointList = Page<'webhooks', EndpointView>;

export type EventView = {
  id: string;
  topic: string;
  acceptedAt: string;
  bodyBytes: number;
  deliveries: number;
};
export type EventList = Page<'events', EventView>;

export type DeliveryView = {
  id: string;
  endpoint: string;
  event: string;
  topic: string;
  state: DeliveryState;
  /** Attempts made. */
  attempts: number;
  createdAt: string;
  /** When the next attempt is due; of pending deliveries alone. */
  nextAttemptAt?: string;
  /** When it was delivered, given up or cancelled. */
  settledAt?: string;
  /** What the last attempt came to: a status, or why there was none. */
  lastStatus?: number;
  lastFailure?: string;
};
export type DeliveryList = Page<'deliveries', DeliveryView>;

export type AttemptView = {
  /** From 1. */
  attempt: number;
  at: string;
  latencyMs: number;
  /** Absent when there was no whole answer; `failure` says why. */
  status?: number;
  failure?: string;
  /** The first bytes of the answer's body, as text; `truncated` when there were more. */
  answer: string;
  truncated: boolean;
  /** When the next attempt was then due; absent when it was the last. */
  nextAttemptAt?: string;
};
/** A delivery with the event's body as it stands on the wire and its attempts, oldest first. */
export type DeliveryDetail = DeliveryView & { body: string; attemptLog: AttemptView[] };

export type Stats = {
  /** Deliveries that are pending: due, waiting for a retry or under way. */
  depth: number;
  underWay: number;
  /** Since the first event of a pending delivery was accepted; 0 when there is none. */
  oldestAgeMs: number;
  /** Exhausted deliveries of endpoints that are registered: each can be replayed, and is one less then. */
  deadLetters: number;
  endpoints: { enabled: number; disabled: number; open: number };
  /** Since the server's start. */
  delivered: number;
  exhausted: number;
  attempts: number;
  /** Attempts for each delivery that was delivered or given up; absent before the first. */
  attemptsPerDelivery?: number;
};

/** The attempts of one minute. */
export type TrendBucket = {
  from: string;
  attempts: number;
  succeeded: number;
  /** Attempts that got a whole answer, of whatever status. */
  answered: number;
  /** Their latency, to about 5 %, by nearest rank; absent where none was answered. */
  p50Ms?: number;
  p95Ms?: number;
};
/** Minutes in which nothing was attempted are left out. Oldest first, 60 at most. */
export type TrendAnswer = { bucketMs: number; buckets: TrendBucket[] };

/** What happens to an endpoint. */
export type EndpointEvent =
  | 'registered'
  | 'enabled'
  | 'disabled'
  | 'deleted'
  | 'breaker-open'
  | 'breaker-closed';

export type StreamMessage =
  | { kind: 'attempt'; delivery: DeliveryView; attempt: AttemptView }
  | { kind: 'endpoint'; endpoint: string; change: EndpointEvent; reason?: string }
  | { kind: 'stats'; stats: Stats };
