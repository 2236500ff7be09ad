// Shows rows of the store as the API's answers have them.

import type { AttemptView, DeliveryView, EventView } from '../api.ts';
import type { AttemptRow, DeliveryRow, EventRow } from '../records.ts';

const iso = (ms: number) => new Date(ms).toISOString();

export function deliveryView({
  id,
  endpointId,
  eventId,
  topic,
  state,
  attempts,
  createdMs,
  nextMs,
  settledMs,
  status,
  failure,
}: DeliveryRow): DeliveryView {
  return {
    id: String(id),
    endpoint: endpointId,
    event: eventId,
    topic,
    state,
    attempts,
    createdAt: iso(createdMs),
    ...(nextMs !== undefined && { nextAttemptAt: iso(nextMs) }),
    ...(settledMs !== undefined && { settledAt: iso(settledMs) }),
    ...(status !== undefined && { lastStatus: status }),
    ...(failure !== undefined && { lastFailure: failure }),
  };
}

export function attemptView({
  attempt,
  atMs,
  latencyMs,
  status,
  failure,
  answer,
  truncated,
  nextMs,
}: AttemptRow): AttemptView {
  return {
    attempt,
    at: iso(atMs),
    latencyMs,
    ...(status !== undefined && { status }),
    ...(failure !== undefined && { failure }),
    answer,
    truncated,
    ...(nextMs !== undefined && { nextAttemptAt: iso(nextMs) }),
  };
}

export function eventView({ id, topic, acceptedMs, bodyBytes, deliveries }: EventRow): EventView {
  return { id, topic, acceptedAt: iso(acceptedMs), bodyBytes, deliveries };
}
