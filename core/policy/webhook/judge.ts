// Decides what the end of an attempt means: for its endpoint (breaker, health, whether it is disabled) and
// for its delivery (delivered, tried again and when, given up). Pure; answers, times and random numbers are
// given.

import type { Random } from '../../base/random.ts';
import { isSuccess, type ReceiverAnswer } from './answer.ts';
import { endInBreaker, type Breaker } from './breaker.ts';
import { countAnswer, reasonToDisable, type DisableRule, type Health } from './endpoint-health.ts';
import { waitAfterMs, type RetryPolicy } from './retry-policy.ts';

export type EndpointJudged = {
  ok: boolean;
  /** What it did to the breaker. */
  turned: 'opened' | 'closed' | undefined;
  /** The endpoint's health is another one now. */
  healthChanged: boolean;
  /** Why the endpoint has to be disabled; undefined when it goes on. */
  disable: string | undefined;
};

/** Counts an answer in the endpoint's breaker and health. */
export function judgeEndpoint(
  health: Health,
  breaker: Breaker | undefined,
  rule: DisableRule,
  answer: ReceiverAnswer,
  nowMs: number,
): EndpointJudged {
  const ok = isSuccess(answer);
  const turned = breaker && endInBreaker(breaker, ok, nowMs);
  const healthChanged = countAnswer(health, answer, nowMs);
  return { ok, turned, healthChanged, disable: reasonToDisable(rule, health, answer, nowMs) };
}

/** `again`: due at `dueMs`. `exhausted`: that was the last attempt. `cancelled`: its endpoint is disabled. */
export type DeliveryJudged =
  | { state: 'delivered' | 'cancelled' | 'exhausted' }
  | { state: 'again'; dueMs: number };

/**
 * What becomes of a delivery after an attempt.
 * @param isDisabled whether the endpoint is, with this answer counted
 * @param attempt from 1, since the delivery was published or replayed
 */
export function judgeDelivery(
  policy: RetryPolicy,
  isDisabled: boolean,
  attempt: number,
  answer: ReceiverAnswer,
  nowMs: number,
  random: Random,
): DeliveryJudged {
  if (isSuccess(answer)) return { state: 'delivered' };
  if (isDisabled) return { state: 'cancelled' };
  const waitMs = waitAfterMs(policy, attempt, answer, nowMs, random);
  return waitMs === undefined ? { state: 'exhausted' } : { state: 'again', dueMs: Math.ceil(nowMs + waitMs) };
}
