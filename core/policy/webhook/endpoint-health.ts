// Decides when failures disable an endpoint for good: Svix's rule by time, Outpost's by count. Pure; answers
// are told, times are given.

import { isGone, isSuccess, type ReceiverAnswer } from './answer.ts';

/** Failures since the last success, and when the first of them was. */
export type Health = { failures: number; failingSinceMs: number | undefined };

export const disableRuleNames = ['never', 'after-5-days', 'after-100-failures'] as const;
export type DisableRule = (typeof disableRuleNames)[number];

/** Each says why the endpoint is to be disabled, or undefined while it is not. */
const disableRules: Record<DisableRule, (health: Health, nowMs: number) => string | undefined> = {
  never: () => undefined,
  'after-5-days': ({ failingSinceMs }, nowMs) =>
    failingSinceMs !== undefined && nowMs - failingSinceMs >= 5 * 86_400_000
      ? 'every attempt of five days failed'
      : undefined,
  'after-100-failures': ({ failures }) => (failures >= 100 ? '100 attempts in a row failed' : undefined),
};

/** Counts an answer. @returns whether that changed `health` */
export function countAnswer(health: Health, answer: ReceiverAnswer, nowMs: number): boolean {
  if (!isSuccess(answer)) {
    health.failures++;
    health.failingSinceMs ??= nowMs;
    return true;
  }
  if (health.failures === 0) return false;
  health.failures = 0;
  health.failingSinceMs = undefined;
  return true;
}

/**
 * Why an endpoint has to be disabled after this answer: it is gone (410), or the rule says so.
 * @param health with the answer counted
 * @returns undefined when it goes on
 */
export function reasonToDisable(
  rule: DisableRule,
  health: Health,
  answer: ReceiverAnswer,
  nowMs: number,
): string | undefined {
  if (isSuccess(answer)) return undefined;
  return isGone(answer) ? 'answered 410 Gone' : disableRules[rule](health, nowMs);
}
