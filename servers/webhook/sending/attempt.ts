// One attempt, signed and sent: what is the same whoever decides whose turn it is.

import { parseRetryAfterMs } from '../../../core/policy/retry-after.ts';
import { nextWaitMs, retryPolicies, type RetryPolicy } from '../../../core/policy/retry-policy.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { Guard } from './guard.ts';
import { createSender, type Answer, type Sender } from './sender.ts';
import type { AttemptRow, Message } from '../store.ts';
import type { Timers } from './timers.ts';

export type Attempts = Pick<Sender, 'cut' | 'close'> & {
  /** Makes attempt `attempt` (from 1). Never rejects. */
  post(
    endpoint: WebhookEndpoint,
    message: Message,
    attempt: number,
  ): Promise<{ answer: Answer; row: AttemptRow }>;
  /** How long to wait after attempt `attempt` of the schedule failed; undefined when that was the last. */
  waitMs(attempt: number, answer: Answer): number | undefined;
};

/** 2xx is success and all else is not, redirects among it (Standard Webhooks 1.0.0). */
export function isSuccess(answer: Answer): boolean {
  return answer.kind === 'answered' && answer.status >= 200 && answer.status < 300;
}

/** 410 says never again. */
export function isGone(answer: Answer): boolean {
  return answer.kind === 'answered' && answer.status === 410;
}

export function failureOf(answer: Answer): string {
  return answer.kind === 'answered' ? `answered ${answer.status}` : answer.reason;
}

/**
 * Attempts that an endpoint may have under way. One that never answers costs the
 * others an eighth, and no more.
 */
export function endpointConcurrency({
  endpointConcurrency: given,
  concurrency,
}: PatternOptions<'webhook'>): number {
  return given === 'auto' ? Math.max(1, Math.floor(concurrency / 8)) : given;
}

export function createAttempts(
  { counters, countConnection, random }: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
  guard: Guard,
): Attempts {
  const within = (ms: number | 'timeout') => (ms === 'timeout' ? options.timeout : ms);
  const sender = createSender({
    counters,
    countConnection,
    random,
    guard,
    maxIdle: options.concurrency,
    timeoutMs: options.timeout,
    connectMs: within(options.connectTimeout),
    headersMs: within(options.headersTimeout),
  });
  const scheme = schemes[options.scheme];
  const policy: RetryPolicy =
    typeof options.retries === 'string'
      ? retryPolicies[options.retries]
      : { waitsMs: options.retries, jitter: options.jitter };

  return {
    cut: sender.cut,
    close: sender.close,
    async post({ keysAt, target }, { id, topic, body, bodyBytes }, attempt) {
      const atMs = timers.nowMs();
      const fromMs = performance.now();
      const headers = {
        'content-type': 'application/json',
        'content-length': String(bodyBytes),
        ...scheme.sign(keysAt(atMs), { id, topic, timestampS: Math.floor(timers.stampMs() / 1000), body }),
        'pushbench-attempt': String(attempt),
      };
      const answer = await sender.post(target, headers, body, () => {
        counters[attempt === 1 ? 'deliveryRequests' : 'retries']++;
        counters.events++;
      });
      const row: AttemptRow = {
        attempt,
        atMs,
        latencyMs: Math.round((performance.now() - fromMs) * 1000) / 1000,
        status: answer.kind === 'answered' ? answer.status : undefined,
        failure: answer.kind === 'failed' ? answer.reason : undefined,
        answer: answer.kind === 'answered' ? answer.body : '',
        truncated: answer.kind === 'answered' && answer.truncated,
        nextMs: undefined,
      };
      return { answer, row };
    },
    waitMs(attempt, answer) {
      const retryAfterMs =
        answer.kind === 'answered' ? parseRetryAfterMs(answer.retryAfter ?? '', timers.nowMs()) : undefined;
      const throttled = answer.kind === 'answered' ? answer.status === 429 : answer.timedOut;
      return nextWaitMs(policy, attempt, random, { retryAfterMs, throttled });
    },
  };
}
