// Separates the service from the place where endpoints, events and deliveries are kept. There are three such
// places: sqlite/store.ts, the embedded database (in memory too), which one server has to itself,
// redis/store.ts, which several servers share, and queue/store.ts, which puts pending deliveries into an
// outside queue and the rest into Redis. Two types here have everything in which they differ:
//
// - `Store` keeps. The embedded one has every endpoint in memory, and cancels the pending deliveries of a
//   disabled one at once. Over Redis each server has a copy of the endpoints (kept current by `refresh`),
//   and a delivery of a disabled endpoint is cancelled when its turn comes.
// - `Schedule` holds the timers: our own dispatcher (core/policy/webhook/dispatch.ts) sees all deliveries of
//   an endpoint and can keep order, rates and a breaker; BullMQ holds delayed jobs in Redis, a queue holds
//   delayed messages, each is handed to one of the servers, and none sees more than its share.
//
// What a request asks for is stored as a whole when its promise resolves; where the store does not take it,
// the promise rejects with a `RequestError` of status 503, and everything is as it was before. What has
// happened already (`disable`, `saveHealth`, outcomes) takes effect at once and is kept as soon as it can be.

import type { Message, Task } from '../../core/policy/webhook/delivery.ts';
import type { ServerBacklog } from '../../core/protocol/control.ts';
import type { Publish } from '../pattern.ts';
import type { EndpointEvent } from './api.ts';
import type { WebhookEndpoint } from './endpoints.ts';
import type { AttemptRow, DeliveryRow, EventRow, ListFilter } from './records.ts';

export type Awaitable<T> = T | Promise<T>;

/** What the API reads; of the embedded store at once, of Redis when it has answered. */
export type DeliveryLog = {
  list(filter: ListFilter): Awaitable<DeliveryRow[]>;
  delivery(id: number): Awaitable<{ row: DeliveryRow; body: string; attempts: AttemptRow[] } | undefined>;
  events(filter: {
    topic?: string | undefined;
    cursor?: number | undefined;
    limit: number;
  }): Awaitable<EventRow[]>;
};

/** What became of an attempt. `again`: `attempt.nextMs` says when. */
export type Outcome = {
  readonly state: 'again' | 'delivered' | 'exhausted' | 'cancelled';
  readonly attempt: AttemptRow;
};

/** What a store calls when it has to: the service's side of the seam. */
export type StoreHandlers = {
  /** Makes one attempt, judges its answer, and calls `done` once. Must not throw. */
  attempt(endpoint: WebhookEndpoint, task: Task, done: (outcome: Outcome) => void): void;
  /** The outcome has been entered. */
  settled(endpoint: WebhookEndpoint, task: Task, outcome: Outcome): void;
  /** The endpoint has changed, and the change is stored or will be. */
  changed(endpoint: WebhookEndpoint, change: EndpointEvent, reason?: string): void;
};

/** Decides when attempts are made, and asks `StoreHandlers` to make them. */
export type Schedule = {
  /** Begins to make attempts. */
  start(handlers: StoreHandlers): void;
  /**
   * How many deliveries of the endpoint are pending, as far as this server knows: all of them with the
   * embedded store; over Redis only those that it has under way.
   */
  pending(endpoint: WebhookEndpoint): number;
  /** Attempts that this server has under way. */
  underWay(): number;
  /** Begins no more attempts. Resolves when none is under way. */
  stop(): Promise<void>;
};

export type Store = {
  readonly schedule: Schedule;
  readonly log: DeliveryLog;
  /** In the order in which they were registered; over Redis, in which this server heard of them. */
  readonly endpoints: ReadonlyMap<string, WebhookEndpoint>;
  /** What stands in for a service that it uses; undefined for the real one. */
  readonly emulator?: string | undefined;
  /** Brings `endpoints` up to date. @throws RequestError 503 when they cannot be read */
  refresh(): Awaitable<void>;

  /** Resolves when the event is stored with a delivery for each endpoint of its topic. */
  publish: Publish;
  /** Stores a message for this endpoint alone. @returns the delivery's id. @throws RequestError 409 */
  send(endpoint: WebhookEndpoint, message: Message): Promise<number>;
  /** Makes a settled delivery pending again, due at once. @returns whether there was one */
  replay(endpoint: WebhookEndpoint, id: number): Promise<boolean>;
  /**
   * The same for exhausted and cancelled deliveries of events accepted from `sinceMs` up to, not including,
   * `untilMs`; at most `limit` of them.
   * @returns how many
   */
  recover(endpoint: WebhookEndpoint, sinceMs: number, untilMs: number, limit: number): Promise<number>;

  /** @throws TooManyTopics; RequestError 503 when as many are registered as may be */
  add(endpoint: WebhookEndpoint): Promise<void>;
  /** What is pending for it is cancelled. @throws RequestError 404 when it was removed meanwhile */
  remove(endpoint: WebhookEndpoint): Promise<void>;
  /**
   * Changes a registered endpoint: its topics, its secrets, whether it is enabled.
   * @param edit changes a copy; may throw to refuse
   * @throws TooManyTopics; RequestError 404 when it was removed meanwhile; what `edit` throws
   */
  change(endpoint: WebhookEndpoint, edit: (copy: WebhookEndpoint) => void): Promise<void>;
  /** Its attempts have failed too often. */
  disable(endpoint: WebhookEndpoint, reason: string): void;
  /** Its failures in a row have changed; a server that starts goes on counting from there. */
  saveHealth(endpoint: WebhookEndpoint): void;

  /** What a trial samples: at once, as it was read last where it cannot be read now. */
  backlog(): ServerBacklog;
  /**
   * The same with the exhausted deliveries that can be replayed; over Redis those of removed endpoints are
   * among them until they are pruned.
   * @throws RequestError 503 when it cannot be read
   */
  readBacklog(): Awaitable<ServerBacklog & { deadLetters: number }>;
  /** Called after `schedule.stop`, when attempts under way have been cut. Stores as much as it still can. */
  close(): Promise<void>;
};
