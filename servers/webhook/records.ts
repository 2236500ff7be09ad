// Names what a store keeps, as its readers see it: endpoints, attempts, and rows of deliveries and events.
// Times are of the clock that schedules run on (sending/timers.ts), in milliseconds.

import type { DeliveryState } from './api.ts';

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

export type ListFilter = {
  endpoint?: number | undefined;
  state?: DeliveryState | undefined;
  event?: string | undefined;
  /** Rows below this id only. */
  cursor?: number | undefined;
  limit: number;
};
