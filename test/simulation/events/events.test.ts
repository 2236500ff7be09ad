// The event core against a list that is searched for its least: order, ties, lanes, limits, memory.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import { newEvents } from '../../../simulation/events/events.ts';
import { endOfTimeUs } from '../../../simulation/events/clock.ts';

/** Delays of a kind, drawn by a number from 0 up to 1. */
const delays: Record<string, (u: number) => number> = {
  'of nothing or next to nothing': (u) => Math.floor(u * 3),
  'of less than a millisecond': (u) => Math.floor(u * 1000),
  exponential: (u) => Math.floor(-Math.log(1 - u) * 1e6),
  'of every magnitude': (u) => Math.floor(2 ** (u * 46)),
  'at the edges of bytes': (u) => 2 ** (8 * Math.floor(u * 6)) - 1 + (Math.floor(u * 600) % 3),
};
const laneDelays = [0, 7, 1000, 5_000_000];

/** Runs events that put others, and holds each against the least of a list. */
function againstList(seed: number, delay: (u: number) => number, most: number, untils: readonly number[]) {
  const next = random(seed, 'test');
  const events = newEvents();
  const lanes = laneDelays.map(events.lane);
  let put = 0;
  const pending: { atUs: number; subject: number }[] = [];
  const least = () =>
    pending.reduce((a, b) => (b.atUs < a.atUs || (b.atUs === a.atUs && b.subject < a.subject) ? b : a));
  const [odd, even] = [1, 0].map((own) =>
    events.handler((subject, nowUs) => {
      assert.equal(subject % 2, own, 'its handler');
      const due = least();
      assert.deepEqual({ atUs: nowUs, subject }, due);
      assert.equal(events.nowUs(), nowUs);
      pending.splice(pending.indexOf(due), 1);
      for (let i = Math.floor(next() * 2.3); i > 0; i--) add();
    }),
  );
  function add(): void {
    if (put === most) return;
    const subject = put++;
    const handler = subject % 2 === 1 ? odd! : even!;
    const lane = Math.floor(next() * 2 * lanes.length);
    const by = lane < lanes.length ? laneDelays[lane]! : delay(next());
    const atUs = Math.min(endOfTimeUs - 1, events.nowUs() + by);
    pending.push({ atUs, subject });
    if (lane < lanes.length) events.after(lanes[lane]!, handler, subject);
    else events.at(atUs, handler, subject);
  }
  for (let i = 0; i < 50; i++) add();
  let ran = 0;
  for (const untilUs of [...untils, endOfTimeUs - 10_000_000]) {
    ran += events.run(untilUs);
    assert.equal(events.nowUs(), untilUs);
    assert.equal(events.pending(), pending.length);
    assert.ok(pending.every(({ atUs }) => atUs >= untilUs));
    add();
  }
  assert.equal(ran + pending.length, put);
}

describe('events run in the order of their times, ties as they were put, whatever the delays', () => {
  for (const [name, delay] of Object.entries(delays))
    test(name, () => {
      const untils = fc
        .array(
          fc.integer({ min: 0, max: 40 }).map((power) => 2 ** power),
          { maxLength: 8 },
        )
        .map((list) => list.toSorted((a, b) => a - b));
      fc.assert(
        fc.property(fc.nat(), fc.integer({ min: 50, max: 1500 }), untils, (seed, most, times) =>
          againstList(seed, delay, most, times),
        ),
        { numRuns: 15 },
      );
    });
});

/** A stretch of the queue is put in order at once where it has few events, else spread: both, and between. */
test('many that were put before any runs come out sorted, ties as they were put', () => {
  for (const [count, spanUs] of [
    [20, 1e6],
    [3000, 60_000],
    [3000, 100],
    [100_000, 3e6],
    [100_000, 2 ** 41],
    [100_000, 10],
  ] as const) {
    const next = random(count, 'times');
    const events = newEvents();
    const times = Float64Array.from({ length: count }, () => 12_345 + Math.floor(next() * spanUs));
    const order: number[] = [];
    const handler = events.handler((subject) => void order.push(subject));
    for (const [subject, atUs] of times.entries()) events.at(atUs, handler, subject);
    assert.equal(events.run(endOfTimeUs), count);
    const sorted = [...times.keys()].toSorted((a, b) => times[a]! - times[b]! || a - b);
    assert.deepEqual(order, sorted, `${count} within ${spanUs} us`);
  }
});

/** More than the front holds, or so close together that its buckets are too wide. */
test('whatever is put into the stretch that has begun comes out sorted, ties as they were put', () => {
  const next = random(5, 'times');
  const kinds: Record<string, (i: number) => number> = {
    'from the last to the first': (i) => 16_000_000 - 700 * i,
    'within four milliseconds, in no order': () => Math.floor(next() * 4000),
    'at two times in turn': (i) => 1000 + (i % 2),
    'later, some close together': (i) => (i < 3000 ? 3e7 + Math.floor(next() * 4000) : 2 ** 40 + i),
    'each with one that is far': (i) => (i % 2 === 0 ? Math.floor(next() * 50) : 2 ** 40 + i),
  };
  for (const [kind, afterUs] of Object.entries(kinds)) {
    const times = Float64Array.from({ length: 20_000 }, (_, i) => 5 + afterUs(i));
    const events = newEvents();
    const order: number[] = [];
    const note = events.handler((subject) => void order.push(subject));
    const all = events.handler(() => {
      for (const [subject, atUs] of times.entries()) events.at(atUs, note, subject);
    });
    events.at(5, all, 0);
    assert.equal(events.run(endOfTimeUs), 1 + times.length);
    const sorted = [...times.keys()].toSorted((a, b) => times[a]! - times[b]! || a - b);
    assert.deepEqual(order, sorted, kind);
  }
});

test('of lanes that are due at one time, and the queue, each event comes as it was put', () => {
  const events = newEvents();
  const order: number[] = [];
  const note = events.handler((subject) => void order.push(subject));
  const delaysUs = [3, 40, 0, 500];
  const lanes = delaysUs.map(events.lane);
  // All for 1,000 us: the lane of the longest delay is put to first, and the queue before and after each.
  const put = events.handler((i, nowUs) => {
    events.at(1000, note, 10 * i);
    events.after(lanes[i]!, note, 10 * i + 1);
    events.at(nowUs + delaysUs[i]!, note, 10 * i + 2);
  });
  for (const [i, delayUs] of delaysUs.entries()) events.at(1000 - delayUs, put, i);
  events.run(2000);
  assert.deepEqual(
    order,
    [3, 1, 0, 2].flatMap((i) => [10 * i, 10 * i + 1, 10 * i + 2]),
  );
});

test('a herd of a million at one time is a list, and what it puts at that time comes after it', () => {
  const events = newEvents();
  const herd = 1_000_000;
  let ran = 0;
  const again = events.handler((subject) => {
    assert.equal(subject, ran - herd);
    ran++;
  });
  const first = events.handler((subject, nowUs) => {
    assert.equal(subject, ran++);
    events.at(nowUs, again, subject);
  });
  for (let i = 0; i < herd; i++) events.at(7_000_000, first, i);
  assert.equal(events.run(7_000_000), 0);
  assert.equal(events.run(7_000_001), 2 * herd);
});

test('memory is 16 bytes an event and a little, and is given back', () => {
  const events = newEvents();
  const lane = events.lane(1e6);
  const handler = events.handler(() => {});
  const next = random(1, 'times');
  for (let i = 0; i < 500_000; i++) {
    events.at(Math.floor(next() * 1e9), handler, i);
    events.after(lane, handler, i);
  }
  assert.ok(events.bytes() < 1_000_000 * 20, `${events.bytes()} bytes`);
  events.run(2e9);
  assert.equal(events.pending(), 0);
  assert.ok(events.bytes() < 2 * 2 ** 20, `${events.bytes()} bytes`);
});

test('more events than fit into the limit are refused, and so is what makes no sense', () => {
  const events = newEvents({ limitBytes: 2 * 2 ** 20 });
  const handler = events.handler(() => {});
  assert.throws(() => {
    for (let i = 0; i < 1_000_000; i++) events.at(1000, handler, i);
  }, /more events are pending than fit into 2 MiB/);
  assert.throws(() => {
    const other = newEvents({ limitBytes: 2 * 2 ** 20 });
    const [lane, noop] = [other.lane(5), other.handler(() => {})];
    for (let i = 0; i < 1_000_000; i++) other.after(lane, noop, i);
  }, /more events are pending than fit into 2 MiB/);
  const fresh = newEvents();
  const noop = fresh.handler(() => {});
  fresh.run(100);
  for (const atUs of [99, 100.5, -1, NaN, Infinity, endOfTimeUs])
    assert.throws(() => fresh.at(atUs, noop, 0), /cannot be put at/, String(atUs));
  for (const delayUs of [-1, 0.5, NaN, endOfTimeUs]) assert.throws(() => fresh.lane(delayUs), /cannot delay/);
  const last = newEvents();
  const [lastLane, lastNoop] = [last.lane(11), last.handler(() => {})];
  last.run(endOfTimeUs - 10);
  assert.throws(() => last.after(lastLane, lastNoop, 0), /cannot be put at/);
  assert.throws(() => fresh.run(50), /cannot run until 50 us/);
  for (let i = 0; i < 32; i++) fresh.lane(i);
  assert.throws(() => fresh.lane(99), /there are 32 lanes already/);
  assert.equal(fresh.lane(31), fresh.lane(31), 'a known delay is no new lane');
});

test('a handler cannot run others, and one that throws leaves the rest pending', () => {
  const events = newEvents();
  const nested = events.handler(() => events.run(10));
  const after = events.handler(() => {});
  events.at(1, nested, 0);
  events.at(2, after, 0);
  assert.throws(() => events.run(5), /running already/);
  assert.equal(events.pending(), 1);
  assert.equal(events.run(5), 1);
});
