// When a circuit breaker opens, what it lets through, and when it closes, at times that the tests name.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import {
  beginInBreaker,
  breakerAllowsAtMs,
  breakerState,
  endInBreaker,
  newBreaker,
  resetBreaker,
} from '../../../../core/policy/webhook/breaker.ts';

const minute = 60_000;

/** A breaker that has been told of these ends, one a second. */
function after(ends: readonly boolean[], fromMs = 0) {
  const breaker = newBreaker();
  const turns = ends.map((ok, i) => endInBreaker(breaker, ok, fromMs + i * 1000));
  return { breaker, turns };
}
const times = (n: number, ok: boolean) => Array<boolean>(n).fill(ok);

describe('it opens', () => {
  const rows: [what: string, ends: boolean[], opens: boolean][] = [
    ['with the tenth attempt when all failed', times(10, false), true],
    ['not with the ninth', times(9, false), false],
    ['when seven of ten failed', [...times(3, true), ...times(7, false)], true],
    ['not when six of ten did', [...times(4, true), ...times(6, false)], false],
  ];
  for (const [what, ends, opens] of rows) {
    test(what, () => {
      const { breaker, turns } = after(ends);
      assert.equal(breakerState(breaker), opens ? 'open' : 'closed');
      assert.deepEqual(
        turns.filter((turn) => turn !== undefined),
        opens ? ['opened'] : [],
      );
    });
  }

  test('not by failures that are more than five minutes old', () => {
    const { breaker } = after(times(9, false));
    assert.equal(endInBreaker(breaker, false, 6 * minute), undefined);
    assert.equal(breakerState(breaker), 'closed');
  });
});

describe('open', () => {
  const openedAtMs = 9000;
  const opened = () => after(times(10, false)).breaker;

  test('it allows an attempt after 30 s, and then none until that one has ended', () => {
    const breaker = opened();
    assert.equal(breakerAllowsAtMs(breaker, openedAtMs + 1), openedAtMs + 30_000);
    beginInBreaker(breaker);
    assert.equal(breakerState(breaker), 'half-open');
    assert.equal(breakerAllowsAtMs(breaker, openedAtMs + 30_000), undefined);
  });

  test('a success closes it and forgets what failed', () => {
    const breaker = opened();
    beginInBreaker(breaker);
    assert.equal(endInBreaker(breaker, true, 40_000), 'closed');
    assert.equal(endInBreaker(breaker, false, 41_000), undefined);
    assert.equal(breakerState(breaker), 'closed');
    assert.equal(breakerAllowsAtMs(breaker, 41_000), 41_000);
  });

  test('after a failure the rest begins again', () => {
    const breaker = opened();
    beginInBreaker(breaker);
    assert.equal(endInBreaker(breaker, false, 40_000), undefined);
    assert.equal(breakerAllowsAtMs(breaker, 40_000), 70_000);
  });

  test('attempts that began before it opened decide nothing', () => {
    const breaker = opened();
    assert.equal(endInBreaker(breaker, true, 10_000), undefined);
    assert.equal(breakerState(breaker), 'open');
  });

  test('a reset closes it', () => {
    const breaker = opened();
    resetBreaker(breaker);
    assert.equal(endInBreaker(breaker, false, 10_000), undefined);
    assert.equal(breakerState(breaker), 'closed');
  });
});
