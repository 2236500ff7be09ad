// Counts how attempts went, minute by minute, for the last hour: how many succeeded, and how long answers
// took. It takes a fixed amount of memory, whatever happens.

import { isSuccess, type ReceiverAnswer } from '../../core/policy/webhook/answer.ts';
import type { TrendBucket } from './api.ts';

export const bucketMs = 60_000;
const mostBuckets = 60;

/** Latencies from 0.1 ms to 20 minutes in bins of 5 %: a percentile is as exact as that. */
const lowestMs = 0.1;
const growth = Math.log(1.05);
const bins = Math.ceil(Math.log((20 * 60_000) / lowestMs) / growth) + 1;

type Bucket = {
  fromMs: number;
  attempts: number;
  succeeded: number;
  answered: number;
  counts: Uint32Array;
  maxMs: number;
};

export type Trend = {
  /** An attempt has ended. Its latency counts where there was an answer, whatever its status. */
  add(answer: ReceiverAnswer, latencyMs: number): void;
  /** Minutes with attempts, oldest first. */
  read(): TrendBucket[];
};

/** @param nowMs the clock that schedules run on */
export function createTrend(nowMs: () => number): Trend {
  let buckets: Bucket[] = [];

  function forget(now: number): void {
    const firstMs = Math.floor(now / bucketMs) * bucketMs - (mostBuckets - 1) * bucketMs;
    if (buckets[0] && buckets[0].fromMs < firstMs)
      buckets = buckets.filter(({ fromMs }) => fromMs >= firstMs);
  }

  return {
    add(answer, latencyMs) {
      const now = nowMs();
      const fromMs = Math.floor(now / bucketMs) * bucketMs;
      let bucket = buckets.at(-1);
      // A clock that was set back adds to the newest, so that there are never more than the hour's.
      if (!bucket || bucket.fromMs < fromMs) {
        forget(now);
        bucket = { fromMs, attempts: 0, succeeded: 0, answered: 0, counts: new Uint32Array(bins), maxMs: 0 };
        buckets.push(bucket);
      }
      bucket.attempts++;
      if (isSuccess(answer)) bucket.succeeded++;
      if (answer.kind !== 'answered') return;
      bucket.answered++;
      bucket.counts[binOf(latencyMs)]!++;
      bucket.maxMs = Math.max(bucket.maxMs, latencyMs);
    },
    read() {
      forget(nowMs());
      return buckets.map((bucket) => ({
        from: new Date(bucket.fromMs).toISOString(),
        attempts: bucket.attempts,
        succeeded: bucket.succeeded,
        answered: bucket.answered,
        ...(bucket.answered > 0 && { p50Ms: quantileMs(bucket, 0.5), p95Ms: quantileMs(bucket, 0.95) }),
      }));
    },
  };
}

function binOf(ms: number): number {
  if (ms <= lowestMs) return 0;
  return Math.min(bins - 1, Math.ceil(Math.log(ms / lowestMs) / growth));
}

/** The nearest rank: the top of its bin, and never more than the slowest. */
function quantileMs({ counts, answered, maxMs }: Bucket, quantile: number): number {
  let left = Math.ceil(quantile * answered);
  const bin = counts.findIndex((count) => (left -= count) <= 0);
  const topMs = lowestMs * Math.exp(growth * bin);
  return Math.round(Math.min(topMs, maxMs) * 1000) / 1000;
}
