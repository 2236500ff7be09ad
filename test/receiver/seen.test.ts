// The dedupe store against a plain model, its bounds, and what happens past them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { createSeen } from '../../receiver/seen.ts';

function store(options: { maxKeys?: number; maxAgeMs?: number } = {}) {
  const clock = { nowMs: 0 };
  return { clock, ...createSeen({ maxKeys: 3, maxAgeMs: 1000, nowMs: () => clock.nowMs, ...options }) };
}

function act(seen: ReturnType<typeof store>, key: string): string {
  const state = seen.begin(key, Infinity);
  if (state === 'new') seen.finish(key);
  return state;
}

test('a delivery is new once; while it is acted upon it is under way; one that failed is new again', () => {
  const seen = store();
  assert.equal(seen.begin('a', 100), 'new');
  assert.equal(seen.begin('a', 100), 'under-way');
  seen.forget('a');
  assert.equal(seen.begin('a', 100), 'new');
  seen.finish('a');
  assert.equal(seen.begin('a', 100), 'done');
  seen.forget('a');
  assert.equal(seen.begin('a', 100), 'done');
  seen.forget('never begun');
  assert.equal(seen.size(), 1);
  seen.finish('given back before');
  assert.equal(seen.begin('given back before', 100), 'done');
});

test('a claim ends with its lease, so that one who hangs or has died does not hold it for ever', () => {
  const seen = store();
  assert.equal(seen.begin('a', 100), 'new');
  seen.clock.nowMs = 99;
  assert.equal(seen.begin('a', 100), 'under-way');
  seen.clock.nowMs = 100;
  assert.equal(seen.begin('a', 100), 'new');
  assert.equal(seen.begin('a', 100), 'under-way');
});

test('past the count, what was longest not seen goes, and is then taken for new', () => {
  const seen = store();
  for (const key of ['a', 'b', 'c']) act(seen, key);
  assert.equal(act(seen, 'a'), 'done'); // so b is the oldest now
  act(seen, 'd');
  assert.deepEqual(seen.givenUp(), { count: 1, age: 0 });
  assert.deepEqual(
    ['a', 'c', 'd'].map((key) => act(seen, key)),
    ['done', 'done', 'done'],
  );
  assert.equal(act(seen, 'b'), 'new');
});

test('past the age, counted from when it was last seen', () => {
  const seen = store();
  act(seen, 'a');
  seen.clock.nowMs = 900;
  assert.equal(act(seen, 'a'), 'done');
  seen.clock.nowMs = 1900;
  assert.equal(act(seen, 'a'), 'done');
  seen.clock.nowMs = 2901;
  assert.equal(act(seen, 'a'), 'new');
  assert.deepEqual(seen.givenUp(), { count: 0, age: 1 });
});

test('does as a list that is kept in order of last sight', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    afterMs: fc.nat(300),
    fails: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, maxKeys) => {
      const seen = store({ maxKeys });
      let model: { key: string; atMs: number }[] = [];
      for (const { key, afterMs, fails } of steps) {
        seen.clock.nowMs += afterMs;
        const { nowMs } = seen.clock;
        model = model.filter(({ atMs }) => nowMs - atMs <= 1000);
        const known = model.some((one) => one.key === key);
        model = [...model.filter((one) => one.key !== key), { key, atMs: nowMs }].slice(-maxKeys);
        assert.equal(seen.begin(key, Infinity), known ? 'done' : 'new');
        if (known || !fails) {
          seen.finish(key);
        } else {
          seen.forget(key);
          model = model.filter((one) => one.key !== key);
        }
        assert.equal(seen.size(), model.length);
      }
    }),
  );
});

test('a hundred thousand keys pass through a small store without growing it', () => {
  const seen = store({ maxKeys: 100 });
  for (let i = 0; i < 100_000; i++) assert.equal(act(seen, `${i}`), 'new');
  assert.equal(seen.size(), 100);
  assert.equal(seen.givenUp().count, 99_900);
});
