// Waits end when they are told to, and are as long as they are meant to be, beyond what
// one timer of Node holds.

import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { later, notBefore, nowUs, realClock } from '../../../core/base/clock.ts';

test('a wait ends at once when it is over, before it begins or in between', async () => {
  const stop = new AbortController();
  const waiting = realClock.until(nowUs() + 1e12, stop.signal);
  stop.abort(new Error('over'));
  await assert.rejects(waiting, /over/);
  await assert.rejects(realClock.until(nowUs() + 1e12, stop.signal), /over/);
  await realClock.until(nowUs() + 1000);
});

test('a timer beyond 2^31 ms waits, where Node alone would fire at once', (t) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  let fired = 0;
  later(3 * 2 ** 31, () => fired++);
  const clear = later(2 ** 32, () => fired++);
  vi.advanceTimersByTime(2 ** 32 - 1);
  clear();
  vi.advanceTimersByTime(2 ** 31);
  assert.equal(fired, 0);
  vi.advanceTimersByTime(1);
  assert.equal(fired, 1);
});

test('a wait that is never too short counts from when it was asked for', async () => {
  const waits = await Promise.all(
    Array.from({ length: 20 }, () => {
      // Timers count from the beginning of the turn, so this wait would end early by as much.
      for (const untilMs = performance.now() + 3; performance.now() < untilMs;);
      const fromMs = performance.now();
      return new Promise<number>((done) => notBefore(20.5, () => done(performance.now() - fromMs)));
    }),
  );
  assert.ok(
    waits.every((ms) => ms >= 20.5),
    `${Math.min(...waits)} ms`,
  );
  const clear = notBefore(1, () => assert.fail('it was cleared'));
  clear();
  await realClock.until(nowUs() + 5000);
});
