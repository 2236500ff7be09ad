// Describes the answers of the HTTP API as schemas, each held to its type in api.ts by the compiler: what the
// OpenAPI document is made of. Answers are not checked against them at run time; the tests do that.

import { z } from 'zod';
import {
  deliveryStates,
  type AttemptView,
  type DeliveryDetail,
  type DeliveryList,
  type DeliveryView,
  type EndpointList,
  type EndpointView,
  type EventList,
  type EventView,
  type RecoverAnswer,
  type RegistrationAnswer,
  type RotationAnswer,
  type Stats,
  type StreamMessage,
  type TrendAnswer,
  type TrendBucket,
} from '../api.ts';

const count = z.int().min(0);
const time = z.iso.datetime();
const text = z.string();
const nextCursor = text
  .exactOptional()
  .describe('give it as `cursor` to get the next page; absent on the last one');

const endpoint = z.strictObject({
  id: text,
  url: text,
  events: z.array(text).readonly().describe('the topics it follows'),
  disabled: text.exactOptional().describe('why it gets nothing; absent while it is enabled'),
  breaker: z.enum(['closed', 'open', 'half-open']),
  createdAt: time,
  pending: count,
  delivered: count.describe("since the server's start"),
  givenUp: count.describe("since the server's start"),
  lastFailure: text.exactOptional().describe('of the newest attempt, when it failed'),
}) satisfies z.ZodType<EndpointView>;

const event = z.strictObject({
  id: text,
  topic: text,
  acceptedAt: time,
  bodyBytes: count,
  deliveries: count,
}) satisfies z.ZodType<EventView>;

const delivery = z.strictObject({
  id: text,
  endpoint: text.describe("the endpoint's id"),
  event: text.describe("the event's id"),
  topic: text,
  state: z
    .enum(deliveryStates)
    .describe(
      '`exhausted` is the dead letter: no attempt is left. `cancelled`: the endpoint was disabled or ' +
        'removed before its turn',
    ),
  attempts: count.describe('attempts made'),
  createdAt: time,
  nextAttemptAt: time.exactOptional().describe('only of pending deliveries'),
  settledAt: time.exactOptional().describe('when it was delivered, given up or cancelled'),
  lastStatus: z.int().exactOptional(),
  lastFailure: text.exactOptional().describe('why the last attempt had no status'),
}) satisfies z.ZodType<DeliveryView>;

const attempt = z.strictObject({
  attempt: z.int().min(1),
  at: time,
  latencyMs: z.number().min(0),
  status: z.int().exactOptional().describe('absent when there was no whole answer; `failure` says why'),
  failure: text.exactOptional(),
  answer: text.describe("the first bytes of the answer's body, as text"),
  truncated: z.boolean(),
  nextAttemptAt: time
    .exactOptional()
    .describe('when the next attempt was due then; absent if it was the last'),
}) satisfies z.ZodType<AttemptView>;

const stats = z.strictObject({
  depth: count.describe('deliveries that are pending: due, waiting for a retry or under way'),
  underWay: count,
  oldestAgeMs: z
    .number()
    .min(0)
    .describe('time since the first event of a pending delivery was accepted; 0 if there is none'),
  deadLetters: count.describe('exhausted deliveries of registered endpoints that were not replayed'),
  endpoints: z.strictObject({
    enabled: count,
    disabled: count,
    open: count.describe('endpoints whose circuit breaker is not closed'),
  }),
  delivered: count.describe("since the server's start"),
  exhausted: count,
  attempts: count,
  attemptsPerDelivery: z
    .number()
    .min(0)
    .exactOptional()
    .describe('absent before the first delivery was settled'),
}) satisfies z.ZodType<Stats>;

const trendBucket = z.strictObject({
  from: time,
  attempts: count,
  succeeded: count,
  answered: count.describe('attempts that got a complete answer, with any status'),
  p50Ms: z.number().min(0).exactOptional().describe('of these attempts, by nearest rank, to about 5 %'),
  p95Ms: z.number().min(0).exactOptional(),
}) satisfies z.ZodType<TrendBucket>;

const endpointChanges = [
  'registered',
  'enabled',
  'disabled',
  'deleted',
  'breaker-open',
  'breaker-closed',
] as const;

/** By the name that each has in the document. */
export const answers = {
  Registered: z.strictObject({
    id: text,
    secret: text
      .exactOptional()
      .describe('the secret for the receiver; only if the server made it, and in no other answer'),
  }) satisfies z.ZodType<RegistrationAnswer>,
  Endpoint: endpoint,
  EndpointList: z.strictObject({ webhooks: z.array(endpoint), nextCursor }) satisfies z.ZodType<EndpointList>,
  Rotated: z.strictObject({
    secret: text.exactOptional().describe('the secret for the receiver; only if the server made it'),
    previousUntil: time,
  }) satisfies z.ZodType<RotationAnswer>,
  Recovered: z.strictObject({
    recovered: count,
    more: z.boolean().describe('there was more than one request recovers; ask again'),
  }) satisfies z.ZodType<RecoverAnswer>,
  Event: event,
  EventList: z.strictObject({ events: z.array(event), nextCursor }) satisfies z.ZodType<EventList>,
  Delivery: delivery,
  DeliveryList: z.strictObject({
    deliveries: z.array(delivery),
    nextCursor,
  }) satisfies z.ZodType<DeliveryList>,
  Attempt: attempt,
  DeliveryDetail: z.strictObject({
    ...delivery.shape,
    body: text.describe("the event's body as it stands on the wire"),
    attemptLog: z.array(attempt),
  }) satisfies z.ZodType<DeliveryDetail>,
  Stats: stats,
  Trend: z.strictObject({
    bucketMs: count,
    buckets: z.array(trendBucket).describe('oldest first; minutes without attempts are left out'),
  }) satisfies z.ZodType<TrendAnswer>,
  StreamMessage: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('attempt'), delivery, attempt }),
    z.strictObject({
      kind: z.literal('endpoint'),
      endpoint: text,
      change: z.enum(endpointChanges),
      reason: text.exactOptional(),
    }),
    z.strictObject({ kind: z.literal('stats'), stats }),
  ]) satisfies z.ZodType<StreamMessage>,
  Error: z.strictObject({
    error: text.describe('a code for programs'),
    message: text.describe('a sentence for people'),
  }),
} as const;
