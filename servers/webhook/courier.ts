// Makes the attempts that a schedule asks for, decides what their answers mean for the delivery and for its
// endpoint, and counts what came of them: the same rules for every store.

import type { Random } from '../../core/base/random.ts';
import { failureOf } from '../../core/policy/webhook/answer.ts';
import { breakerState } from '../../core/policy/webhook/breaker.ts';
import type { Message, Task } from '../../core/policy/webhook/delivery.ts';
import type { DisableRule } from '../../core/policy/webhook/endpoint-health.ts';
import { judgeDelivery, judgeEndpoint } from '../../core/policy/webhook/judge.ts';
import type { RetryPolicy } from '../../core/policy/webhook/retry-policy.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { Stats, StreamMessage } from './api.ts';
import type { WebhookEndpoint } from './endpoints.ts';
import { attemptView, deliveryView } from './http/views.ts';
import { isOperational, type Announcer } from './operations.ts';
import type { AttemptRow, DeliveryRow } from './records.ts';
import type { Attempts } from './sending/attempt.ts';
import type { Answer } from './sending/sender.ts';
import type { Timers } from './sending/timers.ts';
import { createTrend, type Trend } from './trend.ts';
import type { Outcome, Store, StoreHandlers } from './store.ts';

export type Courier = StoreHandlers & {
  /** One attempt that no store knows of. */
  attemptOnce(endpoint: WebhookEndpoint, message: Message): Promise<void>;
  figures(): Pick<Stats, 'delivered' | 'exhausted' | 'attempts' | 'attemptsPerDelivery'>;
  /** How attempts went in the last hour, minute by minute. */
  trend: Trend['read'];
  /** Called with everything that happens from now on. @returns the function that ends it */
  watch(listener: (message: StreamMessage) => void): () => void;
};

export type CourierOptions = {
  store: Pick<Store, 'saveHealth' | 'disable'>;
  attempts: Attempts;
  /** When deliveries that failed are tried again. */
  policy: RetryPolicy;
  random: Random;
  disableRule: DisableRule;
  counters: Pick<Counters, 'errors'>;
  timers: Timers;
  announce: Announcer['announce'];
};

/** What a courier has counted since its start. */
type Figures = { delivered: number; exhausted: number; attempts: number; attemptsOfSettled: number };

export function createCourier(options: CourierOptions): Courier {
  const { attempts, announce } = options;
  const trend = createTrend(options.timers.nowMs);
  const watchers = new Set<(message: StreamMessage) => void>();
  const figures: Figures = { delivered: 0, exhausted: 0, attempts: 0, attemptsOfSettled: 0 };

  function tell(message: StreamMessage): void {
    for (const watcher of watchers) watcher(message);
  }

  return {
    attempt(endpoint, task, done) {
      attempts.post(endpoint, task.message, task.attempts + 1, (answer, row) => {
        trend.add(answer, row.latencyMs);
        done(outcomeOf(options, endpoint, task, answer, row, tell));
      });
    },
    attemptOnce: (endpoint, message) =>
      new Promise((resolve) =>
        attempts.post(endpoint, message, 1, (answer, row) => {
          trend.add(answer, row.latencyMs);
          judge(options, endpoint, answer, tell);
          resolve();
        }),
      ),
    settled(endpoint, task, outcome) {
      countOutcome(figures, task, outcome);
      if (outcome.state === 'exhausted') {
        endpoint.givenUp++;
        if (!isOperational(task.message.topic))
          announce('exhausted', { endpoint: endpoint.id, delivery: String(task.id), event: task.message.id });
      }
      if (watchers.size > 0) tell(messageOf(endpoint, task, outcome));
    },
    changed({ id }, change, reason) {
      tell({ kind: 'endpoint', endpoint: id, change, ...(reason !== undefined && { reason }) });
      if (change === 'disabled') announce('disabled', { endpoint: id, reason });
      if (change === 'enabled') announce('enabled', { endpoint: id });
    },
    figures() {
      const { delivered, exhausted, attempts: made, attemptsOfSettled } = figures;
      const settled = delivered + exhausted;
      return {
        delivered,
        exhausted,
        attempts: made,
        ...(settled > 0 && { attemptsPerDelivery: attemptsOfSettled / settled }),
      };
    },
    trend: trend.read,
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
  };
}

/** What an answer means for its delivery. */
function outcomeOf(
  options: CourierOptions,
  endpoint: WebhookEndpoint,
  task: Task,
  answer: Answer,
  attempt: AttemptRow,
  tell: (message: StreamMessage) => void,
): Outcome {
  judge(options, endpoint, answer, tell);
  const { policy, timers, random } = options;
  const isDisabled = endpoint.disabled !== undefined;
  const made = attempt.attempt - task.spent;
  const judged = judgeDelivery(policy, isDisabled, made, answer, timers.nowMs(), random);
  if (judged.state === 'again') attempt.nextMs = judged.dueMs;
  return { state: judged.state, attempt };
}

/** What an answer means for its endpoint. */
function judge(
  { store, disableRule, counters, timers }: CourierOptions,
  endpoint: WebhookEndpoint,
  answer: Answer,
  tell: (message: StreamMessage) => void,
): void {
  const { stored, breaker } = endpoint;
  const judged = judgeEndpoint(stored, breaker, disableRule, answer, timers.nowMs());
  if (judged.turned) {
    const change = judged.turned === 'opened' ? 'breaker-open' : 'breaker-closed';
    tell({ kind: 'endpoint', endpoint: endpoint.id, change });
  }
  // Without a rule nobody asks for it after a restart.
  if (judged.healthChanged && disableRule !== 'never') store.saveHealth(endpoint);
  if (judged.ok) {
    endpoint.delivered++;
    endpoint.lastFailure = undefined;
    return;
  }
  counters.errors++;
  endpoint.lastFailure = failureOf(answer);
  if (judged.disable !== undefined) store.disable(endpoint, judged.disable);
}

function countOutcome(figures: Figures, { spent }: Task, { state, attempt }: Outcome): void {
  figures.attempts++;
  if (state !== 'delivered' && state !== 'exhausted') return;
  figures[state]++;
  figures.attemptsOfSettled += attempt.attempt - spent;
}

function messageOf(endpoint: WebhookEndpoint, task: Task, { state, attempt }: Outcome): StreamMessage {
  const row: DeliveryRow = {
    id: task.id,
    endpointId: endpoint.id,
    eventId: task.message.id,
    topic: task.message.topic,
    state: state === 'again' ? 'pending' : state,
    attempts: attempt.attempt,
    createdMs: task.createdMs,
    nextMs: attempt.nextMs,
    settledMs: state === 'again' ? undefined : attempt.atMs + attempt.latencyMs,
    status: attempt.status,
    failure: attempt.failure,
  };
  return { kind: 'attempt', delivery: deliveryView(row), attempt: attemptView(attempt) };
}

/** How many endpoints are enabled, disabled, and kept from attempts by their breaker. */
export function countEndpoints(endpoints: Iterable<WebhookEndpoint>): Stats['endpoints'] {
  const counts = { enabled: 0, disabled: 0, open: 0 };
  for (const { disabled, breaker } of endpoints) {
    counts[disabled === undefined ? 'enabled' : 'disabled']++;
    if (breaker && breakerState(breaker) !== 'closed') counts.open++;
  }
  return counts;
}
