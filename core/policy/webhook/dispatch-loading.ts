// Loads the pending deliveries that come next into the queues of their endpoints: a few for each endpoint, so
// that memory does not grow with the backlog. dispatch.ts decides when each attempt is made.

import { newAgenda, type Agenda } from '../../base/agenda.ts';
import { newQueue, type Queue } from '../../base/queue.ts';
import type { Task } from './delivery.ts';
import { takeNext, type EndpointQueue, type StillUnderWay } from './endpoint-queue.ts';

/**
 * What is pending for an endpoint. `waiting` counts the deliveries that are due at a time of their own, after
 * a failure or a replay.
 */
export type Backlog = { readonly pending: number; readonly waiting: number; readonly bytes: number };

/** All that is pending, loaded or not. Each function answers undefined when it cannot be read now. */
export type Source = {
  backlog(endpoint: number): Backlog | undefined;
  /** Deliveries never tried, by id, from above `afterId`. */
  fresh(endpoint: number, afterId: number, limit: number): readonly Task[] | undefined;
  /**
   * Deliveries with a time of their own, earliest first, due or not. They are taken one by one, up to and
   * including the first that is not due. Loaded deliveries may be left out.
   */
  waiting(endpoint: number, limit: number): Iterable<Task> | undefined;
};

export type Dispatch = {
  readonly source: Source;
  /** Attempts under way at once, over all endpoints. */
  readonly concurrency: number;
  readonly queues: Map<number, EndpointQueue>;
  /** Attempts under way of endpoints that were stopped. */
  readonly leaving: Map<number, StillUnderWay>;
  /** Endpoints with something due and room for another attempt, each once, in the order of their turns. */
  readonly line: Queue<EndpointQueue>;
  /** Endpoints with `fifo` whose last outcome is not stored. */
  readonly held: Set<EndpointQueue>;
  /** When endpoints are looked at again. Entries that an earlier one replaced stay in it and do nothing. */
  readonly wakes: Agenda<{ readonly queue: EndpointQueue; readonly atMs: number }>;
  underWay: number;
  /** Deliveries loaded, over all endpoints. */
  loaded: number;
};

/** Deliveries that a queue loads at once. */
export const loadAtOnce = 64;
/** Loaded over all queues; beyond, a queue has one at a time. */
export const loadedMost = 100_000;

export function newDispatch(concurrency: number, source: Source): Dispatch {
  return {
    source,
    concurrency,
    queues: new Map(),
    leaving: new Map(),
    line: newQueue(),
    held: new Set(),
    wakes: newAgenda(),
    underWay: 0,
    loaded: 0,
  };
}

/** The endpoint's next delivery, loaded when it has to be. */
export function takeLoaded(d: Dispatch, queue: EndpointQueue, nowMs: number): Task | undefined {
  if (queue.fresh.size() === 0 && queue.more) loadFresh(d, queue);
  if (queue.retries.size() === 0 && queue.moreDue) loadWaiting(d, queue, nowMs);
  return takeNext(queue);
}

function loadFresh(d: Dispatch, queue: EndpointQueue): void {
  const limit = d.loaded < loadedMost ? loadAtOnce : 1;
  const tasks = d.source.fresh(queue.endpoint, queue.freshTo, limit);
  if (!tasks) return;
  queue.more = tasks.length === limit;
  for (const task of tasks) {
    queue.freshTo = task.id;
    if (queue.loaded.has(task.id)) continue;
    queue.fresh.push(task);
    queue.loaded.add(task.id);
    d.loaded++;
  }
}

/** Loads what has become due, and has the endpoint looked at again when the next is. */
export function loadWaiting(d: Dispatch, queue: EndpointQueue, nowMs: number): void {
  queue.moreDue = false;
  // Those already loaded may be the first that the source names.
  const limit = queue.loadedWaiting.size + (d.loaded < loadedMost ? loadAtOnce : 1);
  const found = queue.waiting > 0 ? (d.source.waiting(queue.endpoint, limit) ?? []) : [];
  for (const task of found) {
    if (queue.loaded.has(task.id)) continue;
    if (task.dueMs > nowMs) return wakeAt(d, queue, task.dueMs);
    if (queue.retries.size() >= loadAtOnce) break;
    queue.retries.push(task);
    queue.loaded.add(task.id);
    queue.loadedWaiting.add(task.id);
    queue.waiting--;
    d.loaded++;
  }
  queue.moreDue = queue.waiting > 0;
}

/** Forgets a delivery that its queue has loaded. */
export function unload(d: Dispatch, queue: EndpointQueue, id: number): void {
  if (queue.loaded.delete(id)) d.loaded--;
  queue.loadedWaiting.delete(id);
}

/** Counts what is pending for the endpoint, where the source can be read. */
export function count(d: Dispatch, queue: EndpointQueue): void {
  const backlog = d.source.backlog(queue.endpoint);
  queue.isCounted = backlog !== undefined;
  if (!backlog) return;
  queue.pending = backlog.pending;
  queue.bytes = backlog.bytes;
  queue.waiting = backlog.waiting - queue.loadedWaiting.size;
}

/** Has the endpoint looked at again at this time, if not before. */
export function wakeAt(d: Dispatch, queue: EndpointQueue, atMs: number): void {
  if (queue.wakeAtMs <= atMs) return;
  queue.wakeAtMs = atMs;
  d.wakes.add(atMs, { queue, atMs });
}
