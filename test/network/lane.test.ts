// Holds one direction of a connection, in virtual time: when its source waits and goes on, that all lanes
// together hold no more than their budget, and that an end comes after the bytes before it.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test, vi } from 'vitest';
import type { Conditions } from '../../core/network/conditions.ts';
import { createLane, windowBytes, type Budget } from '../../network/lane.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const roomy = (): Budget => ({ heldBytes: 0, mostBytes: 1e12 });

/** A lane between a scripted source and a scripted sink. */
function laneWith(conditions: Conditions, { budget = roomy(), takes = (): boolean => true } = {}) {
  const seen: string[] = [];
  let reading = true;
  const startMs = Date.now();
  const lane = createLane({
    direction: 'down',
    conditions,
    source: { pause: () => (reading = false), resume: () => (reading = true) },
    budget,
    clock: { nowUs: () => (Date.now() - startMs) * 1000 },
    random: () => 0.5,
    fromUs: 0,
    passed() {},
  });
  lane.open({
    write(bytes) {
      seen.push(String(bytes.length));
      return takes();
    },
    end: () => seen.push('end'),
    reset: () => seen.push('reset'),
  });
  return { lane, seen, isReading: () => reading };
}

const chunk = Buffer.alloc(64 * 1024);

test('without conditions bytes pass as they come, and the source never waits', () => {
  const { lane, seen, isReading } = laneWith({});
  for (let i = 0; i < 100; i++) lane.push(chunk);
  assert.equal(seen.length, 100);
  assert.ok(isReading());
});

describe('the source waits', () => {
  test('while the sink is full', () => {
    let full = true;
    const { lane, seen, isReading } = laneWith({}, { takes: () => !full });
    lane.push(chunk);
    assert.equal(isReading(), false);
    lane.push(chunk); // was read already
    assert.equal(seen.length, 1);
    full = false;
    lane.drained();
    assert.equal(seen.length, 2);
    assert.ok(isReading());
  });

  test('when the window is full, and goes on when half of it has arrived', () => {
    const { lane, isReading } = laneWith({ latencyMs: 100 });
    let pushed = 0;
    while (isReading()) {
      lane.push(chunk);
      pushed += chunk.length;
    }
    assert.equal(pushed, windowBytes);
    vi.advanceTimersByTime(90);
    assert.equal(isReading(), false);
    vi.advanceTimersByTime(20);
    assert.ok(isReading());
  });

  test('after one chunk when all lanes together hold too much, until its own have arrived', () => {
    const budget: Budget = { heldBytes: 1000, mostBytes: 1000 };
    const { lane, seen, isReading } = laneWith({ latencyMs: 10 }, { budget });
    assert.ok(isReading());
    lane.push(chunk);
    assert.equal(isReading(), false);
    assert.equal(budget.heldBytes, 1000 + chunk.length);
    vi.advanceTimersByTime(20);
    assert.equal(seen.length, 1);
    assert.ok(isReading());
    assert.equal(budget.heldBytes, 1000);
  });

  test('and what a lane held is given back when its connection is over', () => {
    const budget = roomy();
    const { lane } = laneWith({ silence: 'both' }, { budget });
    lane.push(chunk);
    lane.push(chunk);
    assert.equal(budget.heldBytes, 2 * chunk.length);
    lane.stop();
    assert.equal(budget.heldBytes, 0);
  });
});

test('an end, and a reset, come after what was sent before', () => {
  const { lane, seen } = laneWith({ latencyMs: 50 });
  lane.push(Buffer.alloc(3));
  lane.end('end');
  lane.end('reset');
  vi.advanceTimersByTime(49);
  assert.deepEqual(seen, []);
  vi.advanceTimersByTime(10);
  assert.deepEqual(seen, ['3', 'end', 'reset']);
});

test('silence one way is none the other way, and what waited goes on in order when it is lifted', () => {
  const { lane, seen } = laneWith({ silence: 'up' });
  lane.push(Buffer.alloc(1));
  lane.setConditions({ silence: 'down' });
  lane.push(Buffer.alloc(2));
  vi.advanceTimersByTime(60_000);
  assert.deepEqual(seen, ['1']);
  lane.setConditions({});
  lane.push(Buffer.alloc(4));
  assert.deepEqual(seen, ['1', '2', '4']);
});
