// The schedule of polls in numbers alone: a poller in virtual time, whose answers take as long as they like.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random } from '../../../../core/base/random.ts';
import {
  isOverdue,
  longPollAnswerWithinMs,
  nextPollDueMs,
  pollAnswerWithinMs,
} from '../../../../core/policy/client/poll-times.ts';

/** When the polls of one client go out that begins at `fromMs`, and whose answer `i` takes `answersMs(i)`. */
function pollsSent(
  polls: number,
  pace: { every: number; jitter: number },
  answersMs: (i: number) => number,
  next: () => number,
  fromMs = 0,
): number[] {
  const sent = [fromMs];
  let dueMs: number | undefined;
  for (let i = 0; sent.length < polls; i++) {
    const answeredMs = sent[i]! + answersMs(i);
    dueMs = nextPollDueMs(dueMs, answeredMs, pace, next);
    sent.push(dueMs);
  }
  return sent;
}

describe('polls', () => {
  test('the first at once, the second after a share of the interval, the others an interval apart', () => {
    const sent = pollsSent(
      5,
      { every: 1000, jitter: 0 },
      () => 0,
      () => 0.25,
      50,
    );
    assert.deepEqual(sent, [50, 300, 1300, 2300, 3300]);
  });

  test('neither the answer nor a late timer lowers their rate', () => {
    const sent = pollsSent(
      1002,
      { every: 1000, jitter: 0 },
      () => 900,
      () => 0,
    );
    assert.equal(sent.at(-1)! - sent[1]!, 1000 * 1000);
  });

  test('what falls due while one is under way is left out, but for one right after the answer', () => {
    // The third answer takes three and a half intervals.
    const sent = pollsSent(
      6,
      { every: 1000, jitter: 0 },
      (i) => (i === 2 ? 3500 : 0),
      () => 0,
    );
    assert.deepEqual(sent, [0, 0, 1000, 4500, 5500, 6500]);
  });

  test('differ from the interval by no more than the jitter, and keep its rate', () => {
    const pace = { every: 1000, jitter: 0.2 };
    const sent = pollsSent(20_001, pace, () => 0, random(1, 'polls'));
    const gaps = sent.slice(2).map((atMs, i) => atMs - sent[i + 1]!);
    assert.ok(Math.min(...gaps) >= 800 && Math.max(...gaps) <= 1200);
    assert.ok(Math.min(...gaps) < 810 && Math.max(...gaps) > 1190);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    assert.ok(Math.abs(mean - 1000) < 5, `${mean}`);
  });

  test('are never due before the last answer, nor later than the longest interval after it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.nat(200_000), { minLength: 1, maxLength: 20 }),
        fc.integer(),
        (every, jitter, answersMs, seed) => {
          const took = (i: number) => answersMs[i % answersMs.length]!;
          const sent = pollsSent(30, { every, jitter }, took, random(seed, 'polls'));
          for (let i = 0; i + 1 < sent.length; i++) {
            const answeredMs = sent[i]! + took(i);
            assert.ok(sent[i + 1]! >= answeredMs);
            assert.ok(sent[i + 1]! <= answeredMs + every * (1 + jitter) + 1e-6);
          }
        },
      ),
    );
  });
});

test('a poll may take 30 s, a long poll 10 s more than its hold, or two minutes in all', () => {
  assert.deepEqual(
    [pollAnswerWithinMs, longPollAnswerWithinMs(25_000), longPollAnswerWithinMs(undefined)],
    [30_000, 35_000, 120_000],
  );
  assert.deepEqual([isOverdue(1000, 30_999, 30_000), isOverdue(1000, 31_000, 30_000)], [false, true]);
});
