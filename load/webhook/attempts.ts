// Measures how late deliveries came by the attempt that brought them: what retries cost in time.

import type { Window } from '../../core/protocol/control.ts';
import type { LoadClosed } from '../../core/protocol/control.ts';
import { locate, newLocated } from '../../core/event/envelope.ts';
import { newHistogram, record, toSparse, type Histogram } from '../../core/result/histogram.ts';

/** Attempts beyond it are counted with it. */
export const lastAttempt = 8;

export function createAttemptLog() {
  const histograms: Histogram[] = [];
  const at = newLocated();
  let window: Window | undefined;
  return {
    setWindow: (given: Window) => void (window = given),
    /** @param attempt from 1 */
    add(attempt: number, body: Buffer, atUs: number): void {
      if (
        !window ||
        !locate(body, 0, body.length, at) ||
        at.plannedUs < window.fromUs ||
        at.plannedUs >= window.toUs
      )
        return;
      record((histograms[Math.min(attempt, lastAttempt)] ??= newHistogram()), atUs - at.plannedUs);
    },
    take(): NonNullable<LoadClosed['byAttempt']> {
      return histograms.flatMap((histogram, attempt) =>
        histogram ? [{ attempt, histogram: toSparse(histogram) }] : [],
      );
    },
  };
}
