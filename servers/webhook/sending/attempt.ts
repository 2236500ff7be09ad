// Makes one attempt: signs an event for an endpoint, sends it, and says what came of it as a row of the log.
// It is the same for every store.

import type { Message } from '../../../core/policy/webhook/delivery.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { AttemptRow } from '../records.ts';
import type { Guard } from './guard.ts';
import { createSender, type Answer, type Sender } from './sender.ts';
import type { Timers } from './timers.ts';

export type Attempts = Pick<Sender, 'cut' | 'close'> & {
  /** Makes attempt `attempt` (from 1). Calls `done` once, later than it returns. */
  post(
    endpoint: WebhookEndpoint,
    message: Message,
    attempt: number,
    done: (answer: Answer, row: AttemptRow) => void,
  ): void;
};

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

  return {
    cut: sender.cut,
    close: sender.close,
    post({ keysAt, target }, { id, topic, body, bodyBytes }, attempt, done) {
      const atMs = timers.nowMs();
      const fromMs = performance.now();
      const headers = {
        'content-type': 'application/json',
        'content-length': String(bodyBytes),
        ...scheme.sign(keysAt(atMs), { id, topic, timestampS: Math.floor(timers.stampMs() / 1000), body }),
        'pushbench-attempt': String(attempt),
      };
      sender.post({
        target,
        headers,
        body,
        sent() {
          counters[attempt === 1 ? 'deliveryRequests' : 'retries']++;
          counters.events++;
        },
        done: (answer) => done(answer, rowOf(answer, attempt, atMs, performance.now() - fromMs)),
      });
    },
  };
}

function rowOf(answer: Answer, attempt: number, atMs: number, tookMs: number): AttemptRow {
  const isAnswered = answer.kind === 'answered';
  return {
    attempt,
    atMs,
    latencyMs: Math.round(tookMs * 1000) / 1000,
    status: isAnswered ? answer.status : undefined,
    failure: isAnswered ? undefined : answer.reason,
    answer: isAnswered ? answer.body : '',
    truncated: isAnswered && answer.truncated,
    nextMs: undefined,
  };
}
