// Drives the real dispatch of webhooks (core/policy/webhook/) in virtual time: a published event is queued
// for each endpoint, attempts begin when it is their turn, and their answers decide how it goes on.

import type { Random } from '../../core/base/random.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { ReceiverAnswer } from '../../core/policy/webhook/answer.ts';
import { newBreaker, type Breaker } from '../../core/policy/webhook/breaker.ts';
import type { Task } from '../../core/policy/webhook/delivery.ts';
import { newDispatch, type Dispatch } from '../../core/policy/webhook/dispatch-loading.ts';
import {
  addDelivery,
  beginNext,
  endAttempt,
  nextWakeMs,
  openEndpoint,
  passTime,
  stopEndpoint,
} from '../../core/policy/webhook/dispatch.ts';
import type { Health } from '../../core/policy/webhook/endpoint-health.ts';
import { endpointLimits, type EndpointQueue } from '../../core/policy/webhook/endpoint-queue.ts';
import { judgeDelivery, judgeEndpoint } from '../../core/policy/webhook/judge.ts';
import { retryPolicyOf } from '../../core/policy/webhook/retry-policy.ts';
import { fitsBehind, noRoom, pendingMost } from '../../core/policy/webhook/room.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { Events } from '../events/events.ts';
import type { Deliveries } from './deliveries.ts';
import type { Settling } from './settling.ts';
import { placeOf } from './pages.ts';
import type { Published } from './published.ts';

/** Decides when attempts are made. */
export type Schedule = {
  /** The server has taken an event. */
  accept(event: number, nowUs: number): void;
  ended(task: Task, answer: ReceiverAnswer, nowUs: number): void;
  /** Deliveries that could be attempted now if it were their turn. */
  due(nowUs: number): number;
};

export type ScheduleOptions = {
  subscribers: number;
  options: PatternOptions<'webhook'>;
  server: Scenario['server'];
  events: Events;
  originUs: number;
  account: {
    count(what: 'slowDrops' | 'slowDisconnects', atUs: number): void;
    /** The publisher of an event has its answer. */
    confirmed(plannedUs: number, tookUs: number): void;
  };
  published: Published;
  deliveries: Deliveries;
  settling: Settling;
  random: Random;
  /** The `k`th receiver of a topic. */
  endpointOf(topic: number, k: number): number;
  begin(task: Task, nowUs: number): void;
};

export type Endpoint = { health: Health; breaker: Breaker | undefined; isDisabled: boolean };

/** By number; each is made when it is asked for, as many endpoints may never get a delivery. */
export type Endpoints = (endpoint: number) => Endpoint;

export function newEndpoints(count: number, hasBreaker: boolean): Endpoints {
  const made = Array.from<Endpoint | undefined>({ length: count });
  return (endpoint) =>
    (made[endpoint] ??= {
      health: { failures: 0, failingSinceMs: undefined },
      breaker: hasBreaker ? newBreaker() : undefined,
      isDisabled: false,
    });
}

export function createQueue(given: ScheduleOptions): Schedule {
  const { options, events, deliveries, settling, random } = given;
  const { concurrency, timeScale } = options;
  /** The clock of retries, rates and rules. */
  const msOf = (us: number) => (us / 1000) * timeScale;
  const endpoints = newEndpoints(given.subscribers, options.breaker);
  const policy = retryPolicyOf(options.retries, options.jitter);
  const dispatch: Dispatch = newDispatch(concurrency, {
    // Asked when an endpoint is opened: nothing is there yet.
    backlog: () => ({ pending: 0, waiting: 0, bytes: 0 }),
    fresh: deliveries.fresh,
    waiting: (endpoint, limit) => deliveries.waiting(endpoint, limit, dispatch),
  });
  const limits = endpointLimits(options);
  /** When `wake` is called next, and the time in the dispatch that this is for. */
  let [wakeUs, wakeMs] = [Infinity, Infinity];

  const wake = events.handler((_, nowUs) => {
    if (nowUs !== wakeUs) return; // another one came before it
    wakeUs = wakeMs = Infinity;
    // A time in microseconds may lie a rounding before the one in milliseconds.
    passTime(dispatch, Math.max(msOf(nowUs), Math.min(nextWakeMs(dispatch), msOf(nowUs + 1))));
    goOn(nowUs);
  });

  /** Begins what may be begun, and comes back when time alone brings more. */
  function goOn(nowUs: number): void {
    const nowMs = msOf(nowUs);
    for (let task = beginNext(dispatch, nowMs, true); task; task = beginNext(dispatch, nowMs, true)) {
      deliveries.begin(task.endpoint, task.id);
      given.begin(task, nowUs);
    }
    // Asked after each attempt: mostly nothing is due sooner than the wake-up already set.
    if (dispatch.wakes.nextMs() >= wakeMs) return;
    const nextMs = nextWakeMs(dispatch);
    if (nextMs >= wakeMs) return;
    const atUs = Math.max(nowUs + 1, Math.ceil((nextMs / timeScale) * 1000));
    wakeMs = nextMs;
    if (atUs >= wakeUs) return;
    wakeUs = atUs;
    events.at(atUs, wake, 0);
  }

  /** An endpoint's queue, opened with its first delivery; undefined where it is disabled. */
  function queueOf(endpoint: number): EndpointQueue | undefined {
    const queue = dispatch.queues.get(endpoint);
    if (queue) return queue;
    const { breaker, isDisabled } = endpoints(endpoint);
    if (isDisabled) return undefined;
    // Nothing has been pending for it, so it makes no difference that time has passed.
    openEndpoint(dispatch, endpoint, { ...limits, breaker }, 0);
    return dispatch.queues.get(endpoint);
  }

  /** Cancels its pending deliveries, except attempts under way. */
  function disable(endpoint: number): void {
    endpoints(endpoint).isDisabled = true;
    const queue = dispatch.queues.get(endpoint);
    // Those that are loaded after a failure are in neither list nor heap.
    for (const { id } of queue?.retries.drain() ?? []) settling.settle(id, 'cancelled');
    for (const id of deliveries.cancel(endpoint)) settling.settle(id, 'cancelled');
    stopEndpoint(dispatch, endpoint);
  }

  return {
    accept(event, nowUs) {
      acceptInto(given, dispatch, queueOf, { event, nowMs: msOf(nowUs), nowUs }, disable);
      goOn(nowUs);
    },
    ended(task, answer, nowUs) {
      const nowMs = msOf(nowUs);
      const endpoint = endpoints(task.endpoint);
      const { health, breaker } = endpoint;
      const judgedOf = judgeEndpoint(health, breaker, options.disable, answer, nowMs);
      if (judgedOf.turned === 'opened') given.settling.opened();
      if (judgedOf.disable !== undefined && !endpoint.isDisabled) disable(task.endpoint);
      const made = task.attempts + 1;
      const judged = judgeDelivery(policy, endpoint.isDisabled, made, answer, nowMs, random);
      if (judged.state === 'again') {
        deliveries.wait(task.endpoint, task.id, judged.dueMs);
        endAttempt(dispatch, task, judged.dueMs);
      } else {
        settling.settle(task.id, judged.state === 'exhausted' ? 'given-up' : judged.state);
        endAttempt(dispatch, task, undefined);
      }
      goOn(nowUs);
    },
    due(nowUs) {
      let later = 0;
      for (const { endpoint, waiting } of dispatch.queues.values())
        later += waiting - deliveries.due(endpoint, msOf(nowUs));
      return deliveries.pages.live() - later;
    },
  };
}

/** An event with its deliveries goes to the endpoints that have room for it. */
function acceptInto(
  { server, account, published, deliveries, settling, endpointOf, originUs }: ScheduleOptions,
  dispatch: Dispatch,
  queueOf: (endpoint: number) => EndpointQueue | undefined,
  { event, nowMs, nowUs }: { event: number; nowMs: number; nowUs: number },
  disable: (endpoint: number) => void,
): void {
  const page = published.pages.page(event);
  const place = placeOf(event);
  const [topic, receivers] = [page.topic[place]!, page.receivers[place]!];
  const message = published.messageOf(event);
  const firstId = deliveries.add(event, receivers, nowMs);
  published.setFirstId(event, firstId);
  const atUs = nowUs - originUs;
  const drop = (id: number) => {
    account.count('slowDrops', atUs);
    settling.settle(id, 'dropped');
  };
  for (let k = 0; k < receivers; k++) {
    const id = firstId + k;
    const endpoint = endpointOf(topic, k);
    const queue = queueOf(endpoint);
    if (!queue) settling.settle(id, 'cancelled');
    else if (deliveries.pages.live() - (receivers - k) >= pendingMost) drop(id);
    else if (fitsBehind(queue.bytes, message.bodyBytes, server.slowBuffer)) {
      deliveries.queue(endpoint, id);
      addDelivery(dispatch, endpoint, id, message, nowMs);
    } else if (noRoom[server.slow] === 'disable') {
      account.count('slowDisconnects', atUs);
      for (let i = queue.pending; i > 0; i--) account.count('slowDrops', atUs);
      drop(id);
      disable(endpoint);
    } else drop(id);
  }
}
