// Decides when each attempt of a delivery is made. Each endpoint has a queue with the next few of its
// deliveries; the rest stays in a source, a store or a list. Endpoints with something due take turns, so one
// endpoint's backlog never delays another's, and within the caps of concurrency and rate the slow ones cost
// the others nothing.
//
// Pure: state and functions. The caller makes the attempts that `beginNext` names, tells of their ends
// with `endAttempt`, and calls `passTime` when the clock has reached `nextWakeMs`: with real timers, scaled
// ones or in virtual time.

import type { Message, Task } from './delivery.ts';
import {
  count,
  loadWaiting,
  takeLoaded,
  unload,
  wakeAt,
  loadAtOnce,
  loadedMost,
  type Dispatch,
} from './dispatch-loading.ts';
import {
  allowedAtMs,
  countBegun,
  emptyQueue,
  hasNext,
  newEndpointQueue,
  type EndpointLimits,
  type EndpointQueue,
} from './endpoint-queue.ts';

/** Begins to make attempts for the endpoint, and goes on with what is pending for it. */
export function openEndpoint(d: Dispatch, endpoint: number, limits: EndpointLimits, nowMs: number): void {
  const still = d.leaving.get(endpoint);
  d.leaving.delete(endpoint);
  const queue = newEndpointQueue(endpoint, limits, still);
  d.loaded += queue.loaded.size;
  d.queues.set(endpoint, queue);
  count(d, queue);
  queue.more = !queue.isCounted || queue.pending > queue.waiting;
  loadWaiting(d, queue, nowMs);
  queueUp(d, queue);
}

/** Makes no more attempts for the endpoint. What is under way ends, and is its last. */
export function stopEndpoint(d: Dispatch, endpoint: number): void {
  const queue = d.queues.get(endpoint);
  if (!queue) return;
  d.queues.delete(endpoint);
  d.held.delete(queue);
  d.loaded -= queue.loaded.size;
  const left = emptyQueue(queue);
  if (left.underWay.size > 0) d.leaving.set(endpoint, left);
}

/** A fresh delivery that the source holds now. */
export function addDelivery(
  d: Dispatch,
  endpoint: number,
  id: number,
  message: Message,
  createdMs: number,
): void {
  const queue = d.queues.get(endpoint);
  if (!queue) return;
  queue.pending++;
  queue.bytes += message.bodyBytes;
  if (id <= queue.freshTo) return; // loaded already: it was stored before it is told of
  if (queue.more || queue.fresh.size() >= loadAtOnce || d.loaded >= loadedMost) {
    queue.more = true;
  } else {
    queue.fresh.push({ id, endpoint, message, attempts: 0, spent: 0, createdMs, dueMs: createdMs });
    queue.loaded.add(id);
    queue.freshTo = id;
    d.loaded++;
  }
  queueUp(d, queue);
}

/** Deliveries that the source holds under `waiting` now: replayed or recovered. */
export function recountEndpoint(d: Dispatch, endpoint: number, nowMs: number): void {
  const queue = d.queues.get(endpoint);
  if (!queue) return;
  count(d, queue);
  wakeAt(d, queue, nowMs);
}

/** Takes these deliveries, which the source has cancelled, out of the endpoint's queue. */
export function dropDeliveries(d: Dispatch, endpoint: number, ids: readonly number[]): void {
  const queue = d.queues.get(endpoint);
  if (!queue || ids.length === 0) return;
  const gone = new Set(ids);
  for (const tasks of [queue.fresh, queue.retries])
    for (const task of tasks.drain()) if (!gone.has(task.id)) tasks.push(task);
  for (const id of ids) unload(d, queue, id);
  count(d, queue);
}

/**
 * Names the attempt that is made now, and counts it as begun.
 * @param areStored whether the outcomes of all attempts so far are durable; endpoints with `fifo` are held
 *   until they are (`releaseHeld`)
 * @returns undefined when there is none now: the next end, addition or passing of time may bring one
 */
export function beginNext(d: Dispatch, nowMs: number, areStored: boolean): Task | undefined {
  while (d.underWay < d.concurrency) {
    const queue = d.line.shift();
    if (!queue) return undefined;
    queue.inLine = false;
    if (d.queues.get(queue.endpoint) !== queue) continue; // stopped since it joined the line
    if (queue.fifo && !areStored) {
      d.held.add(queue);
      continue;
    }
    if (!isAllowed(d, queue, nowMs)) continue;
    const task = takeLoaded(d, queue, nowMs);
    if (!task) continue;
    d.underWay++;
    countBegun(queue, task, nowMs);
    queueUp(d, queue);
    return task;
  }
  return undefined;
}

/**
 * An attempt has ended, and the source knows of it.
 * @param againMs when the next attempt is due; undefined when the delivery is settled
 */
export function endAttempt(d: Dispatch, task: Task, againMs: number | undefined): void {
  d.underWay--;
  const queue = d.queues.get(task.endpoint);
  if (!queue) {
    const left = d.leaving.get(task.endpoint);
    left?.underWay.delete(task.id);
    if (left?.underWay.size === 0) d.leaving.delete(task.endpoint);
    return;
  }
  queue.underWay.delete(task.id);
  unload(d, queue, task.id);
  if (againMs === undefined) {
    queue.pending--;
    queue.bytes -= task.message.bodyBytes;
  } else {
    queue.waiting++;
    wakeAt(d, queue, againMs);
  }
  queueUp(d, queue);
}

/** When `passTime` has something to do next; Infinity when it has nothing. */
export function nextWakeMs(d: Dispatch): number {
  for (let wake = d.wakes.peek(); wake && !isMeant(d, wake); wake = d.wakes.peek()) d.wakes.shift();
  return d.wakes.nextMs();
}

/** Looks at the endpoints whose time has come. */
export function passTime(d: Dispatch, nowMs: number): void {
  while (nextWakeMs(d) <= nowMs) {
    const { queue } = d.wakes.shift()!; // there is one, or its time were Infinity
    queue.wakeAtMs = Infinity;
    loadWaiting(d, queue, nowMs);
    queueUp(d, queue);
  }
}

/** The outcomes that endpoints with `fifo` waited for are stored. */
export function releaseHeld(d: Dispatch): void {
  for (const queue of d.held) queueUp(d, queue);
  d.held.clear();
}

/** Asks the source again for what it could not be read for. */
export function readAgain(d: Dispatch, nowMs: number): void {
  for (const queue of d.queues.values()) {
    if (!queue.isCounted) count(d, queue);
    loadWaiting(d, queue, nowMs);
    queueUp(d, queue);
  }
}

/** Whether rate and breaker allow an attempt now; when not, the endpoint comes back when they do. */
function isAllowed(d: Dispatch, queue: EndpointQueue, nowMs: number): boolean {
  const atMs = allowedAtMs(queue, nowMs);
  if (atMs === undefined) return false; // the end of the deciding attempt brings the endpoint back
  if (atMs <= nowMs) return true;
  wakeAt(d, queue, atMs);
  return false;
}

function isMeant(d: Dispatch, { queue, atMs }: { queue: EndpointQueue; atMs: number }): boolean {
  return queue.wakeAtMs === atMs && d.queues.get(queue.endpoint) === queue;
}

/** Puts the endpoint behind the others when another attempt of it may be made. */
function queueUp(d: Dispatch, queue: EndpointQueue): void {
  if (queue.inLine || !hasNext(queue)) return;
  queue.inLine = true;
  d.line.push(queue);
}
