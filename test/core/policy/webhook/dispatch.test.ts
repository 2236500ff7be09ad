// When each attempt is made, in time that is counted and not spent: turns, caps, rate, order, breaker, and
// what is loaded of a long backlog.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { newBreaker } from '../../../../core/policy/webhook/breaker.ts';
import {
  dropDeliveries,
  readAgain,
  releaseHeld,
  stopEndpoint,
} from '../../../../core/policy/webhook/dispatch.ts';
import { simulate, type Made } from './pending-in-memory.ts';

const idsOf = (made: readonly Made[]) => made.map(({ task }) => task.id);
const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('endpoints take turns', () => {
  test('one with a long backlog keeps another from nothing', () => {
    const { made, open, store, add, begin, run } = simulate(1, () => ({ tookMs: 10 }));
    open(1);
    open(2);
    for (let i = 0; i < 50; i++) add(store(1));
    begin();
    add(store(2));
    run(1000);
    assert.deepEqual(
      made.slice(0, 4).map(({ task }) => task.endpoint),
      [1, 1, 2, 1],
    );
    assert.equal(made.length, 51);
  });

  /** The p99 of eight endpoints that answer within 20 ms, beside one that takes ten seconds and fails. */
  function p99OfTheOthers(hasDead: boolean, concurrency: number): number {
    const dead = 9;
    const { made, open, store, add, run, nowMs } = simulate(64, ({ endpoint }) =>
      endpoint === dead ? { tookMs: 10_000, againAfterMs: 5000 } : { tookMs: 20 },
    );
    const endpoints = numbers(1, hasDead ? dead : dead - 1);
    for (const endpoint of endpoints) open(endpoint, { concurrency });
    // 250 events a second: forty of the sixty-four attempts under way are the others'.
    for (let n = 0; n < 500; n++) {
      for (const endpoint of endpoints) add(store(endpoint));
      run(nowMs() + 4);
    }
    const others = () => made.filter(({ task }) => task.endpoint !== dead);
    while (others().length < 4000) run(nowMs() + 10_000);
    const latencies = others()
      .map(({ task, atMs }) => atMs + 20 - task.createdMs)
      .sort((a, b) => a - b);
    return latencies[Math.ceil(latencies.length * 0.99) - 1]!;
  }

  test('a dead one leaves the p99 of the others as it is, and would not without its cap', () => {
    const alone = p99OfTheOthers(false, 8);
    assert.equal(p99OfTheOthers(true, 8), alone);
    assert.ok(p99OfTheOthers(true, 64) > 10 * alone);
  });
});

describe('caps', () => {
  test('of concurrency hold over all endpoints and for each', () => {
    const { dispatch, open, store, add, begin } = simulate(5, () => ({ tookMs: 10 }));
    open(1, { concurrency: 3 });
    open(2, { concurrency: 3 });
    for (let i = 0; i < 10; i++) add(store(1));
    begin();
    assert.equal(dispatch.underWay, 3);
    for (let i = 0; i < 10; i++) add(store(2));
    begin();
    assert.deepEqual([dispatch.underWay, dispatch.queues.get(2)!.underWay.size], [5, 2]);
  });

  test('of the rate hold over any stretch but for a tenth of a second ahead, and are made use of', () => {
    const { made, open, store, add, run } = simulate(64, () => ({ tookMs: 1 }));
    open(1, { ratePerS: 100 });
    for (let i = 0; i < 150; i++) add(store(1));
    run(10_000);
    for (let i = 0; i < 150; i++) add(store(1));
    run(20_000);
    const times = made.map(({ atMs }) => atMs);
    assert.equal(times.length, 300);
    for (let i = 0; i < times.length; i++)
      for (let j = i; j < times.length; j++)
        assert.ok(j - i + 1 <= 100 * ((times[j]! - times[i]!) / 1000 + 0.1) + 1 + 1e-9);
    assert.ok(times[149]! <= 1500 && times[299]! - times[150]! <= 1500);
  });
});

describe('with fifo', () => {
  test('one that failed keeps the later ones waiting until it is settled', () => {
    const failing = new Set([2]);
    const { made, open, store, add, run } = simulate(8, ({ id, attempts }) =>
      failing.has(id) && attempts < 2 ? { tookMs: 10, againAfterMs: 60_000 } : { tookMs: 10 },
    );
    open(1, { fifo: true });
    for (let i = 0; i < 4; i++) add(store(1));
    run(200_000);
    assert.deepEqual(idsOf(made), [1, 2, 2, 2, 3, 4]);
    assert.deepEqual(
      made.map(({ atMs }) => atMs),
      [0, 10, 60_020, 120_030, 120_040, 120_050],
    );
  });

  test('none begins before the outcome of the one before it is stored', () => {
    const { dispatch, made, open, store, add, run, setStored } = simulate(8, () => ({ tookMs: 10 }));
    open(1, { fifo: true });
    open(2);
    for (const endpoint of [1, 2, 1, 2]) add(store(endpoint));
    setStored(false);
    run(100);
    assert.deepEqual(idsOf(made), [2, 4]);
    setStored(true);
    releaseHeld(dispatch);
    run(200);
    assert.deepEqual(idsOf(made), [2, 4, 1, 3]);
  });
});

test('a breaker that opened lets one attempt decide when its rest is over', () => {
  const breaker = newBreaker({ windowMs: 60_000, leastAttempts: 2, failedShare: 0.5, openMs: 30_000 });
  breaker.openUntilMs = 30_000;
  const { dispatch, made, open, store, add, run } = simulate(8, () => ({ tookMs: 10 }));
  open(1, { breaker });
  for (let i = 0; i < 3; i++) add(store(1));
  run(29_999);
  assert.deepEqual(idsOf(made), []);
  run(30_005);
  assert.deepEqual([idsOf(made), dispatch.underWay], [[1], 1]);
});

describe('a backlog', () => {
  test('is loaded a few at a time, and all of it is delivered once and in order', () => {
    const { dispatch, made, open, store, run } = simulate(4, () => ({ tookMs: 1 }));
    for (let i = 0; i < 1000; i++) store(1);
    open(1);
    assert.equal(dispatch.queues.get(1)!.pending, 1000);
    run(10);
    assert.ok(dispatch.loaded <= 64, `${dispatch.loaded} are loaded`);
    run(10_000);
    assert.deepEqual(idsOf(made), numbers(1, 1000));
    assert.deepEqual([dispatch.loaded, dispatch.underWay, dispatch.queues.get(1)!.pending], [0, 0, 0]);
  });

  test('what a queue has found in the source is made once, although it is told of afterwards', () => {
    const { made, open, store, add, run } = simulate(8, () => ({ tookMs: 1 }));
    open(1);
    const tasks = numbers(1, 100).map(() => store(1));
    for (const task of tasks.slice(0, 70)) add(task); // more than are loaded at once
    run(1000);
    for (const task of tasks.slice(70)) add(task);
    add(store(1));
    run(2000);
    assert.deepEqual(idsOf(made), numbers(1, 101));
  });

  test('that cannot be read is delivered when it can be again', () => {
    const { dispatch, made, open, store, add, run, setReadable, nowMs } = simulate(8, () => ({ tookMs: 1 }));
    store(1);
    setReadable(false);
    open(1);
    add(store(1));
    run(1000);
    setReadable(true);
    readAgain(dispatch, nowMs());
    run(2000);
    assert.deepEqual(idsOf(made).sort(), [1, 2]);
  });

  test('loses what was cancelled', () => {
    const { dispatch, made, open, store, add, run } = simulate(1, () => ({ tookMs: 10 }));
    open(1);
    for (let i = 0; i < 3; i++) add(store(1));
    dropDeliveries(dispatch, 1, [2]);
    run(25);
    assert.deepEqual(idsOf(made), [1, 3]);
  });
});

describe('an endpoint that is stopped and opened again while an attempt is under way', () => {
  test('makes that delivery once, and does not exceed its concurrency', () => {
    const { dispatch, made, open, store, add, run } = simulate(8, () => ({ tookMs: 100 }));
    open(1, { concurrency: 1 });
    for (let i = 0; i < 2; i++) add(store(1));
    run(10);
    for (let i = 0; i < 2; i++) {
      stopEndpoint(dispatch, 1);
      open(1, { concurrency: 1 });
      run(20);
    }
    assert.deepEqual([...dispatch.queues.get(1)!.underWay], [1]);
    run(1000);
    assert.deepEqual(
      made.map(({ task, atMs }) => [task.id, atMs]),
      [
        [1, 0],
        [2, 100],
      ],
    );
    assert.deepEqual([dispatch.loaded, dispatch.underWay, dispatch.leaving.size], [0, 0, 0]);
  });

  test('goes on in order after a retry that was under way', () => {
    const { dispatch, made, open, store, add, run } = simulate(8, ({ attempts, id }) =>
      id === 1 && attempts === 0 ? { tookMs: 10, againAfterMs: 10 } : { tookMs: 100 },
    );
    open(1, { fifo: true });
    for (let i = 0; i < 2; i++) add(store(1));
    run(50); // the retry of the first has begun
    stopEndpoint(dispatch, 1);
    open(1, { fifo: true });
    run(1000);
    assert.deepEqual(idsOf(made), [1, 1, 2]);
  });

  test('ends what is under way when it is not opened again', () => {
    const { dispatch, made, open, store, add, run } = simulate(8, () => ({ tookMs: 100 }));
    open(1, { concurrency: 1 });
    for (let i = 0; i < 2; i++) add(store(1));
    run(10);
    stopEndpoint(dispatch, 1);
    run(1000);
    assert.deepEqual(idsOf(made), [1]);
    assert.deepEqual([dispatch.underWay, dispatch.leaving.size], [0, 0]);
  });
});
