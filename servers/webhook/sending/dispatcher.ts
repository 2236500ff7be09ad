// Drives the dispatch of core/policy/webhook/dispatch.ts over the embedded database: runs its timers, and
// begins an attempt only when everything that it depends on is durable.

import type { Message, Task } from '../../../core/policy/webhook/delivery.ts';
import type { EndpointLimits, EndpointQueue } from '../../../core/policy/webhook/endpoint-queue.ts';
import { newDispatch } from '../../../core/policy/webhook/dispatch-loading.ts';
import {
  addDelivery,
  beginNext,
  dropDeliveries,
  endAttempt,
  nextWakeMs,
  openEndpoint,
  passTime,
  readAgain,
  recountEndpoint,
  releaseHeld,
  stopEndpoint,
} from '../../../core/policy/webhook/dispatch.ts';
import type { DeliveryDatabase } from '../sqlite/database.ts';
import type { Outcome } from '../store.ts';
import type { Timers } from './timers.ts';

export type DispatcherOptions = {
  database: Pick<
    DeliveryDatabase,
    'backlog' | 'fresh' | 'waiting' | 'settle' | 'unsaved' | 'committed' | 'recovered'
  >;
  /** Makes one attempt, and tells of its end with `ended`. Must not throw. */
  attempt: (task: Task) => void;
  /** Attempts under way at once, over all endpoints. */
  concurrency: number;
  timers: Timers;
};

export type Dispatcher = {
  /** Begins to make attempts for the endpoint, and goes on with what is pending for it. */
  open(endpoint: number, limits: EndpointLimits): void;
  /** Makes no more attempts for the endpoint. What is under way ends, and is its last. */
  stop(endpoint: number): void;
  /** A delivery that the database holds now. */
  add(endpoint: number, id: number, message: Message, createdMs: number): void;
  /** Deliveries that the database holds under `waiting` now: replayed or recovered. */
  wake(endpoint: number): void;
  /** Takes those ids, which the database has cancelled, out of the endpoint's queue. */
  drop(endpoint: number, ids: readonly number[]): void;
  /** Enters the outcome of an attempt, and goes on. */
  ended(task: Task, outcome: Outcome): void;
  queue(endpoint: number): EndpointQueue | undefined;
  underWay(): number;
  /** Makes no more attempts. Resolves when none is under way. */
  close(): Promise<void>;
};

/**
 * Outcomes that the database could not take yet; beyond, no attempt begins until it has. Each may be
 * made again after a kill.
 */
const unsavedMost = 1000;
/** How long after the database failed at reading it is read again. */
const readAgainMs = 1000;

export function createDispatcher({ database, attempt, concurrency, timers }: DispatcherOptions): Dispatcher {
  const dispatch = newDispatch(concurrency, {
    backlog: (endpoint) => ask(() => database.backlog(endpoint)),
    fresh: (endpoint, afterId, limit) => ask(() => database.fresh(endpoint, afterId, limit)),
    waiting: (endpoint, limit) => ask(() => database.waiting(endpoint, limit)),
  });
  const idle = Promise.withResolvers<void>();
  let isAwake = false;
  let isHolding = false;
  let closed = false;
  let cancelReadAgain: (() => void) | undefined;
  const setTimer = wakeTimer(
    timers,
    () => (closed ? Infinity : nextWakeMs(dispatch)),
    () => {
      passTime(dispatch, timers.nowMs());
      wakeUp();
    },
  );

  /** What the database answers, or undefined when it cannot be read; then it is asked again in a while. */
  function ask<T>(question: () => T): T | undefined {
    try {
      if (database.unsaved() < Infinity) return question();
    } catch {
      // the database has told of it
    }
    cancelReadAgain ??= timers.after(readAgainMs, () => {
      cancelReadAgain = undefined;
      readAgain(dispatch, timers.nowMs());
      wakeUp();
    });
    return undefined;
  }

  // Before an attempt begins, its event is durable, and with `fifo` the outcome of the delivery before it.
  // While a full disk takes no outcomes, endpoints without `fifo` go on up to a bound, as accepted events are
  // to be delivered all the same.
  function wakeUp(): void {
    setTimer();
    if (isAwake || closed) return;
    isAwake = true;
    const begin = () => {
      isAwake = false;
      beginAll();
    };
    database.committed().then(begin, () => {
      if (database.unsaved() >= unsavedMost) void database.recovered().then(begin);
      else begin();
    });
  }

  function beginAll(): void {
    while (dispatch.underWay < concurrency && !closed) {
      const unsaved = database.unsaved();
      if (unsaved >= unsavedMost) return wakeUp();
      const task = beginNext(dispatch, timers.nowMs(), unsaved === 0);
      if (!task) break;
      attempt(task);
    }
    if (dispatch.held.size > 0) holdUntilStored();
    setTimer();
  }

  /** With `fifo`, what comes next in order waits for the outcome before it to be stored. */
  function holdUntilStored(): void {
    if (isHolding) return;
    isHolding = true;
    void database.recovered().then(() => {
      isHolding = false;
      releaseHeld(dispatch);
      wakeUp();
    });
  }

  return {
    open(endpoint, limits) {
      openEndpoint(dispatch, endpoint, limits, timers.nowMs());
      wakeUp();
    },
    stop(endpoint) {
      stopEndpoint(dispatch, endpoint);
      setTimer();
    },
    add(endpoint, id, message, createdMs) {
      addDelivery(dispatch, endpoint, id, message, createdMs);
      wakeUp();
    },
    wake(endpoint) {
      recountEndpoint(dispatch, endpoint, timers.nowMs());
      setTimer();
    },
    drop: (endpoint, ids) => dropDeliveries(dispatch, endpoint, ids),
    ended(task, { state, attempt: row }) {
      database.settle(task, row, state === 'again' ? 'pending' : state);
      endAttempt(dispatch, task, state === 'again' ? (row.nextMs ?? 0) : undefined);
      if (closed && dispatch.underWay === 0) idle.resolve();
      wakeUp();
    },
    queue: (endpoint) => dispatch.queues.get(endpoint),
    underWay: () => dispatch.underWay,
    close() {
      closed = true;
      cancelReadAgain?.();
      setTimer();
      for (const endpoint of dispatch.queues.keys()) stopEndpoint(dispatch, endpoint);
      if (dispatch.underWay === 0) idle.resolve();
      return idle.promise;
    },
  };
}

/** One timer for the next moment that `nextMs` names. @returns sets it again, when that may have changed */
function wakeTimer(timers: Timers, nextMs: () => number, wake: () => void): () => void {
  let cancel = (): void => {};
  let setMs = Infinity;
  return () => {
    const atMs = nextMs();
    if (atMs === setMs) return;
    cancel();
    cancel = () => {};
    setMs = atMs;
    if (atMs === Infinity) return;
    cancel = timers.after(Math.max(0, atMs - timers.nowMs()), () => {
      setMs = Infinity;
      wake();
    });
  };
}
