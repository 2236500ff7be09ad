// Order out of disorder: scripted cases in virtual time, and any shuffle with losses and
// repetitions by property.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { createSequencer, type SequenceOptions } from '../../receiver/sequence.ts';
import type { Step } from '../../receiver/topic.ts';

const words = (steps: Step<string>[]) =>
  steps.map((step) =>
    step.kind === 'missing' ? `missing ${step.from}-${step.to}` : `${step.kind} ${step.seq}`,
  );

function sequencer(options: Partial<SequenceOptions> = {}) {
  const inOrder = createSequencer<string>({
    maxHeld: 3,
    maxWaitMs: 1000,
    maxTopics: 2,
    first: 1,
    ...options,
  });
  return {
    ...inOrder,
    take: (seq: number, atMs = 0, topic = 'a') => words(inOrder.accept(topic, seq, `item ${seq}`, atMs)),
    wait: (atMs: number) => words(inOrder.tick(atMs)),
  };
}

describe('one topic', () => {
  test('in order goes through at once', () => {
    const { take, held, dueMs } = sequencer();
    assert.deepEqual(
      [1, 2, 3].flatMap((seq) => take(seq)),
      ['event 1', 'event 2', 'event 3'],
    );
    assert.equal(held(), 0);
    assert.equal(dueMs(), undefined);
  });

  test('waits for what is missing and then gives out all in order', () => {
    const { take } = sequencer();
    assert.deepEqual(take(3), []);
    assert.deepEqual(take(2), []);
    assert.deepEqual(take(1), ['event 1', 'event 2', 'event 3']);
  });

  test(
    'gives a gap up after the longest wait, not before; what ' +
      'comes then is late, and repeated after that',
    () => {
      const { take, wait, dueMs } = sequencer();
      take(1);
      assert.deepEqual(take(4, 100), []);
      assert.equal(dueMs(), 1100);
      assert.deepEqual(wait(1099), []);
      assert.deepEqual(wait(1100), ['missing 2-3', 'event 4']);
      assert.deepEqual(take(3, 1200), ['late 3']);
      assert.deepEqual(take(3, 1200), ['repeated 3']);
      assert.deepEqual(take(2, 1200), ['late 2']);
      assert.deepEqual(take(5, 1200), ['event 5']);
    },
  );

  test('gives a gap up when too much is held back', () => {
    const { take, held } = sequencer({ maxHeld: 2 });
    assert.deepEqual(
      [3, 5, 6].map((seq) => take(seq)),
      [[], [], ['missing 1-2', 'event 3']],
    );
    assert.equal(held(), 2);
    assert.deepEqual(take(4), ['event 4', 'event 5', 'event 6']);
  });

  test('several gaps are given up one after the other', () => {
    const { take, wait } = sequencer();
    take(2, 0);
    take(4, 500);
    assert.deepEqual(wait(1000), ['missing 1-1', 'event 2']);
    assert.deepEqual(wait(1500), ['missing 3-3', 'event 4']);
  });

  test('tells repetitions, of what was given out and of what is held back', () => {
    const { take } = sequencer();
    take(1);
    take(3);
    assert.deepEqual([take(1), take(3)], [['repeated 1'], ['repeated 3']]);
  });

  test('joined in the middle begins with what comes first; what was before it is late', () => {
    const { take } = sequencer({ first: undefined as never });
    assert.deepEqual(take(50), ['event 50']);
    assert.deepEqual(take(49), ['late 49']);
    assert.deepEqual(take(51), ['event 51']);
    assert.deepEqual(take(49), ['repeated 49']);
  });
});

test('topics do not wait for one another; past their number the quietest is forgotten', () => {
  const { take } = sequencer();
  assert.deepEqual(take(2, 0, 'a'), []);
  assert.deepEqual(take(1, 1, 'b'), ['event 1']);
  assert.deepEqual(take(1, 2, 'c'), ['event 1'], 'b is forgotten: nothing of it is held back');
  assert.deepEqual(take(1, 3, 'b'), ['event 1']);
  assert.deepEqual(take(1, 4, 'a'), ['event 1', 'event 2']);
});

test(
  'whatever comes in whatever order: all that came is given out once, in order or late, and what is ' +
    'missing is what did not come',
  () => {
    const script = fc.integer({ min: 1, max: 60 }).chain((count) =>
      fc.record({
        count: fc.constant(count),
        arrivals: fc.array(fc.integer({ min: 1, max: count }), { maxLength: 150 }),
        maxHeld: fc.integer({ min: 1, max: 10 }),
      }),
    );
    fc.assert(
      fc.property(script, ({ arrivals, maxHeld }) => {
        const inOrder = createSequencer<number>({ maxHeld, maxWaitMs: 1000, maxTopics: 1, first: 1 });
        const steps: Step<number>[] = [];
        for (const seq of arrivals) {
          steps.push(...inOrder.accept('a', seq, seq, 0));
          assert.ok(inOrder.held() <= maxHeld);
        }
        steps.push(...inOrder.tick(1000));
        assert.equal(inOrder.held(), 0);

        const given = steps.flatMap((step) =>
          step.kind === 'event' || step.kind === 'late' ? [step.seq] : [],
        );
        assert.deepEqual(
          [...given].sort((a, b) => a - b),
          [...new Set(arrivals)].sort((a, b) => a - b),
        );
        const events = steps.flatMap((step) => (step.kind === 'event' ? [step.seq] : []));
        assert.deepEqual(
          events,
          [...events].sort((a, b) => a - b),
        );
        assert.equal(
          steps.filter(({ kind }) => kind === 'repeated').length,
          arrivals.length - new Set(arrivals).size,
        );
        const missing = new Set(
          steps.flatMap((step) =>
            step.kind === 'missing'
              ? Array.from({ length: step.to - step.from + 1 }, (_, i) => step.from + i)
              : [],
          ),
        );
        for (const step of steps) if (step.kind === 'late') missing.delete(step.seq);
        const highest = Math.max(0, ...arrivals);
        assert.deepEqual(
          [...missing].sort((a, b) => a - b),
          Array.from({ length: highest }, (_, i) => i + 1).filter((seq) => !arrivals.includes(seq)),
        );
      }),
      { numRuns: 1000 },
    );
  },
);
