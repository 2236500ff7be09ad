// What outlives an attempt: endpoints, events, one delivery per event and endpoint, and the log of
// attempts. This is the seam: the dispatcher and the API know this type alone. Times are the
// dispatcher's clock, in milliseconds.

import type { DeliveryState } from './api.ts';
import type { Transactions } from './sqlite/commit.ts';

/** An event as every endpoint gets it. */
export type Message = {
  readonly id: string;
  readonly topic: string;
  readonly body: string;
  readonly bodyBytes: number;
};

/** An endpoint as it is kept. `config` is the registration, secrets among it, for endpoints.ts to read. */
export type StoredEndpoint = {
  /** The store's own number for it; 0 before it was stored. */
  key: number;
  id: string;
  config: string;
  createdMs: number;
  disabled: string | undefined;
  /**
   * Failures since the last success, and when the first of them was; for the rules that disable an endpoint.
   */
  failures: number;
  failingSinceMs: number | undefined;
};

/** A delivery whose turn may come. */
export type Task = {
  readonly id: number;
  readonly endpoint: number;
  readonly message: Message;
  /** Attempts made. */
  readonly attempts: number;
  /** Those of them before it was replayed: the schedule begins anew behind them. */
  readonly spent: number;
  readonly createdMs: number;
  /** When it became, or becomes, due. */
  readonly dueMs: number;
};

/** One attempt as the log keeps it. */
export type AttemptRow = {
  attempt: number;
  atMs: number;
  latencyMs: number;
  status: number | undefined;
  failure: string | undefined;
  answer: string;
  truncated: boolean;
  nextMs: number | undefined;
};

/**
 * An event that a publisher named with a key of its own, and what the key stands for
 * (servers/http/idempotency.ts).
 */
export type KeyedEvent = { readonly fingerprint: string; readonly id: string; readonly seq: number };

export type DeliveryRow = {
  id: number;
  endpointId: string;
  eventId: string;
  topic: string;
  state: DeliveryState;
  attempts: number;
  createdMs: number;
  nextMs: number | undefined;
  settledMs: number | undefined;
  status: number | undefined;
  failure: string | undefined;
};

export type EventRow = {
  key: number;
  id: string;
  topic: string;
  acceptedMs: number;
  bodyBytes: number;
  deliveries: number;
};

/**
 * What is pending for an endpoint. `waiting`: those that have a time of their own,
 * after a failure or a replay.
 */
export type Backlog = { pending: number; waiting: number; bytes: number };

export type ListFilter = {
  endpoint?: number | undefined;
  state?: DeliveryState | undefined;
  event?: string | undefined;
  /** Rows below this id only. */
  cursor?: number | undefined;
  limit: number;
};

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

export type Awaitable<T> = T | Promise<T>;

/**
 * Writes are of two kinds (sqlite/commit.ts): within a unit they are a request, which is stored as a whole or
 * refused; outside of one they are a record of what has happened, which is kept until it is stored. Records
 * take effect at once for reads of the same process.
 * Every function throws a `RequestError` of status 503 when the database fails; what only
 * writes records does not.
 */
export type DeliveryStore = Pick<Transactions, 'submit' | 'committed' | 'unsaved' | 'recovered'> & {
  endpoints(): StoredEndpoint[];
  /** Adds it and gives it its key, or replaces what is kept under the key. */
  saveEndpoint(endpoint: StoredEndpoint): void;
  /** Forgets it with its secrets at once. Its deliveries are listed until they are pruned. */
  removeEndpoint(key: number): void;

  /**
   * Keeps an event and a delivery for each endpoint.
   * @param state `cancelled` for an endpoint that is disabled: recovery sends it
   * @returns the deliveries' ids, in the order of the endpoints
   */
  publish(
    message: Message,
    endpoints: readonly { key: number; state: 'pending' | 'cancelled' }[],
    nowMs: number,
  ): number[];
  /** The event that a publisher's key has made since the time. */
  keyed(key: string, sinceMs: number): KeyedEvent | undefined;
  /** Keeps which event a key has made, and forgets some that are older than `sinceMs`. */
  keepKey(key: string, event: KeyedEvent, nowMs: number, sinceMs: number): void;
  /** Enters an attempt and what it means. `pending` with the time of the next attempt. */
  settle(task: Task, attempt: AttemptRow, state: DeliveryState): void;

  backlog(endpoint: number): Backlog;
  /** Deliveries never tried, by id, from above `afterId`. */
  fresh(endpoint: number, afterId: number, limit: number): Task[];
  /** Deliveries with a time of their own, earliest first, whether it has come or not. */
  waiting(endpoint: number, limit: number): Task[];

  /**
   * Cancels what is pending for the endpoint, but for the newest of each topic where
   * `keepNewest`, and for `except`.
   * @returns ids
   */
  cancel(endpoint: number, nowMs: number, except: ReadonlySet<number>, keepNewest: boolean): number[];
  /**
   * Makes the delivery pending again, due at once.
   * @returns undefined when there is no such delivery or it is pending
   */
  replay(id: number, nowMs: number): Task | undefined;
  /** The same for what was exhausted or cancelled and accepted within the time. @returns how many */
  recover(endpoint: number, sinceMs: number, untilMs: number, nowMs: number, limit: number): number;

  list(filter: ListFilter): DeliveryRow[];
  delivery(id: number): { row: DeliveryRow; body: string; attempts: AttemptRow[] } | undefined;
  events(filter: { topic?: string | undefined; cursor?: number | undefined; limit: number }): EventRow[];
  /** Pending over all endpoints. */
  pending(): number;
  /** The same, and since when the oldest of them. */
  depth(): { pending: number; oldestMs: number | undefined };
  /**
   * Removes deliveries that were settled and are older than `beforeMs`, or beyond the newest
   * `keep`, with their attempts, and the events and removed endpoints that nobody refers to any
   * more; at most `limit` of them.
   * @returns how many went
   */
  prune(beforeMs: number, keep: number, limit: number): number;
  close(): Promise<void>;
};
