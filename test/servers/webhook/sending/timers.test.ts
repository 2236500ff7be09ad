// The clock of webhook delivery: real timers over long waits, and a clock that runs faster.

import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { realTimers, scaledTimers } from '../../../../servers/webhook/sending/timers.ts';
import { virtualTimers } from '../../virtual-timers.ts';

const hour = 3_600_000;

test('real timers go off once, can be taken back, and do not overflow at waits of months', (t) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  let calls = 0;
  realTimers.after(100, () => calls++);
  const takeBack = realTimers.after(100, () => calls++);
  takeBack();
  vi.advanceTimersByTime(100);
  assert.equal(calls, 1);
  const months = 90 * 24 * hour;
  realTimers.after(months, () => calls++);
  for (let passed = 0; passed + hour < months; passed += hour) vi.advanceTimersByTime(hour);
  assert.equal(calls, 1);
  vi.advanceTimersByTime(hour);
  assert.equal(calls, 2);
});

test(
  'a scaled clock runs faster than its base from the moment it ' + 'was made, and stamps with the real time',
  () => {
    const base = virtualTimers();
    const fromMs = base.nowMs();
    const scaled = scaledTimers(base, 3600);
    assert.equal(scaled.nowMs(), fromMs);
    let calls = 0;
    scaled.after(2 * hour, () => calls++);
    assert.equal(base.next(), 2000);
    assert.deepEqual([calls, scaled.nowMs() - fromMs, scaled.stampMs() - fromMs], [1, 2 * hour, 2000]);
  },
);
