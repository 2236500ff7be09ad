// Work is waited for until its limit or until a signal says so, and neither a timer nor a listener is left
// behind, however the wait ends.

import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test, vi, type TestContext } from 'vitest';
import { Late, within } from '../../../core/base/within.ts';

function useVirtualTimers(t: TestContext): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
}

function assertNothingLeft(signal: AbortSignal): void {
  assert.equal(vi.getTimerCount(), 0);
  assert.equal(getEventListeners(signal, 'abort').length, 0);
}

test('what is done in time ends as the work does', async (t) => {
  useVirtualTimers(t);
  const { signal } = new AbortController();
  assert.equal(await within(Promise.resolve('done'), 1000, signal), 'done');
  assert.equal(await within(Promise.resolve('done'), 1000), 'done');
  await assert.rejects(within(Promise.reject(new Error('broken')), 1000, signal), /^Error: broken$/);
  assertNothingLeft(signal);
});

test('what takes longer is late at its limit and not before, and may fail after it', async (t) => {
  useVirtualTimers(t);
  const { signal } = new AbortController();
  const work = Promise.withResolvers<void>();
  let ended = 0;
  const waiting = within(work.promise, 250, signal).finally(() => ended++);
  const rejected = assert.rejects(
    waiting,
    (error) => error instanceof Late && error.message === 'not within 250 ms',
  );
  await vi.advanceTimersByTimeAsync(249);
  assert.equal(ended, 0);
  await vi.advanceTimersByTimeAsync(1);
  await rejected;
  assertNothingLeft(signal);
  work.reject(new Error('after the limit'));
  // Vitest fails the run where nobody handles that rejection.
  await new Promise((resolve) => setImmediate(resolve));
});

for (const when of ['before', 'meanwhile'] as const)
  test(`a signal that is aborted ${when} ends the wait with its reason`, async (t) => {
    useVirtualTimers(t);
    const stop = new AbortController();
    const reason = new Error('stopped');
    if (when === 'before') stop.abort(reason);
    const waiting = within(new Promise<never>(() => {}), 1000, stop.signal);
    stop.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    assertNothingLeft(stop.signal);
  });
