// Drives a dispatch in virtual time, over deliveries that are held in memory: what a server does with its
// timers and its database.

import { newDispatch, type Source } from '../../../../core/policy/webhook/dispatch-loading.ts';
import {
  addDelivery,
  beginNext,
  endAttempt,
  nextWakeMs,
  openEndpoint,
  passTime,
} from '../../../../core/policy/webhook/dispatch.ts';
import type { Task } from '../../../../core/policy/webhook/delivery.ts';
import type { EndpointLimits } from '../../../../core/policy/webhook/endpoint-queue.ts';

export type Made = { readonly task: Task; readonly atMs: number };

/**
 * How long an attempt takes, and how long after its end the next one is due; undefined when it was the last.
 */
export type Script = (task: Task, atMs: number) => { tookMs: number; againAfterMs?: number };

export const unlimited: EndpointLimits = {
  concurrency: 8,
  ratePerS: Infinity,
  fifo: false,
  breaker: undefined,
};

export function simulate(concurrency: number, script: Script) {
  const fresh = new Map<number, Task>();
  const waiting = new Map<number, Task>();
  const of = (tasks: Map<number, Task>, endpoint: number) =>
    [...tasks.values()].filter((task) => task.endpoint === endpoint);
  let isReadable = true;
  const answer = <T>(value: T) => (isReadable ? value : undefined);
  const source: Source = {
    backlog(endpoint) {
      const all = [...of(fresh, endpoint), ...of(waiting, endpoint)];
      const bytes = all.reduce((sum, { message }) => sum + message.bodyBytes, 0);
      return answer({ pending: all.length, waiting: of(waiting, endpoint).length, bytes });
    },
    fresh: (endpoint, afterId, limit) =>
      answer(
        of(fresh, endpoint)
          .filter(({ id }) => id > afterId)
          .slice(0, limit),
      ),
    waiting: (endpoint, limit) =>
      answer(
        of(waiting, endpoint)
          .sort((a, b) => a.dueMs - b.dueMs)
          .slice(0, limit),
      ),
  };
  const dispatch = newDispatch(concurrency, source);
  const ends: { atMs: number; task: Task; againMs: number | undefined }[] = [];
  const made: Made[] = [];
  let nowMs = 0;
  let lastId = 0;
  let areStored = true;

  function begin(): void {
    for (
      let task = beginNext(dispatch, nowMs, areStored);
      task;
      task = beginNext(dispatch, nowMs, areStored)
    ) {
      made.push({ task, atMs: nowMs });
      const { tookMs, againAfterMs } = script(task, nowMs);
      const atMs = nowMs + tookMs;
      ends.push({ atMs, task, againMs: againAfterMs === undefined ? undefined : atMs + againAfterMs });
    }
  }

  function end({ task, againMs }: (typeof ends)[number]): void {
    fresh.delete(task.id);
    waiting.delete(task.id);
    if (againMs !== undefined) waiting.set(task.id, { ...task, attempts: task.attempts + 1, dueMs: againMs });
    endAttempt(dispatch, task, againMs);
  }

  return {
    dispatch,
    made,
    nowMs: () => nowMs,
    setReadable: (is: boolean) => void (isReadable = is),
    setStored: (are: boolean) => void (areStored = are),
    open: (endpoint: number, limits: Partial<EndpointLimits> = {}) =>
      openEndpoint(dispatch, endpoint, { ...unlimited, ...limits }, nowMs),
    /** Stores a delivery. @returns it, for `add` */
    store(endpoint: number): Task {
      const id = ++lastId;
      const message = { id: `e-${id}`, topic: 'news', body: '{}', bodyBytes: 2 };
      const task = { id, endpoint, message, attempts: 0, spent: 0, createdMs: nowMs, dueMs: nowMs };
      fresh.set(id, task);
      return task;
    },
    add: ({ endpoint, id, message, createdMs }: Task) =>
      addDelivery(dispatch, endpoint, id, message, createdMs),
    begin,
    /** Lets time pass up to `untilMs`, from one thing that happens to the next. */
    run(untilMs: number): void {
      begin();
      for (;;) {
        ends.sort((a, b) => a.atMs - b.atMs);
        const nextMs = Math.min(ends[0]?.atMs ?? Infinity, nextWakeMs(dispatch));
        if (nextMs > untilMs) break;
        nowMs = Math.max(nowMs, nextMs);
        while (ends[0] && ends[0].atMs <= nowMs) end(ends.shift()!); // it was there just now
        passTime(dispatch, nowMs);
        begin();
      }
      nowMs = Math.max(nowMs, untilMs);
    },
  };
}
