// Measures the simulator's event core against a binary heap of objects, the queue that everybody writes
// first: events a second of CPU time, in one process, in turn. One event is one taken, whose handler is
// called and puts one. Both sides get the same delays in the same order, and as many events.
//
// Bounds: 4 times at 10^6 pending, 5 times at 10^4, by lanes 8 times; a herd at one time at most 4 times
// slower than one that is spread.

import { median } from '../core/base/median.ts';
import { exponential, random } from '../core/base/random.ts';
import { newEvents, type Events } from '../simulation/events/events.ts';
import { rounds, spread } from './tools.ts';

/** Delays in microseconds. */
const shapes: Readonly<Record<string, (next: () => number) => number>> = {
  exponential: (next) => Math.floor(exponential(next, 1e6)),
  mixed: (next) => Math.floor(10 ** (2 + 5 * next())),
  'half of them tied': (next) => (next() < 0.5 ? 1e6 : Math.floor(exponential(next, 1e6))),
};
const sizes = [10_000, 1_000_000];
const laneDelaysUs = [1000, 50_000, 1_000_000];
const herd = 1_000_000;

export async function main(): Promise<void> {
  for (const [name, delayOf] of Object.entries(shapes))
    for (const size of sizes) {
      const delays = drawn(delayOf);
      const [ours, theirs] = inTurn(
        () => rateOfEvents(size, delays),
        () => rateOfHeap(size, delays),
      );
      report(`${name}, ${size} pending`, ours, theirs, size < 1e6 ? 5 : 4);
    }
  for (const size of sizes) {
    const delays = Float64Array.from({ length: 3 * 1024 }, (_, i) => laneDelaysUs[i % 3]!);
    const [ours, theirs] = inTurn(
      () => rateOfLanes(size, delays),
      () => rateOfHeap(size, delays),
    );
    report(`lanes, ${size} pending`, ours, theirs, 8);
  }
  const herdMost = 4;
  const [equal, apart] = inTurn(
    () => rateOfHerd(() => 5_000_000),
    () => rateOfHerd(herdSpread()),
  );
  const slower = median(apart) / median(equal);
  console.log(
    `${herd} events at one time: ${spread(equal, 1)} M/s, spread over 10 s ${spread(apart, 1)} M/s: ` +
      `${slower.toFixed(2)} times slower (bound: ${herdMost}, ${slower <= herdMost ? 'held' : 'missed'})`,
  );
  memory();
}

function drawn(delayOf: (next: () => number) => number): Float64Array {
  const next = random(7, 'delays');
  return Float64Array.from({ length: 2 ** 16 }, () => delayOf(next));
}

function report(what: string, ours: number[], theirs: number[], bound: number): void {
  const ratio = median(ours) / median(theirs);
  console.log(
    `${what}: ${spread(ours, 1)} M/s, heap of objects ${spread(theirs)} M/s: ` +
      `${ratio.toFixed(1)} times (bound: ${bound}, ${ratio >= bound ? 'held' : 'missed'})`,
  );
}

/** The rates of two in turn, so that whatever else the machine does meets both. */
function inTurn(one: () => number, other: () => number): [number[], number[]] {
  const rates: [number[], number[]] = [[], []];
  one();
  other(); // both are compiled
  for (let round = 0; round < rounds; round++) {
    rates[0].push(one());
    rates[1].push(other());
  }
  return rates;
}

/** Millions of events a second of CPU time. */
function rateOf(run: () => number): number {
  const from = process.cpuUsage();
  const events = run();
  const { user, system } = process.cpuUsage(from);
  return events / (user + system);
}

const startsUs = (i: number, size: number) => Math.floor((i / size) * 1e6);
/** Long enough for each of them to come again. */
const eventsOf = (size: number) => Math.max(2_000_000, 2 * size);

function rateOfEvents(size: number, delays: Float64Array): number {
  const events = newEvents();
  let at = 0;
  const again = events.handler((subject, nowUs) => {
    at = at + 1 === delays.length ? 0 : at + 1;
    events.at(nowUs + delays[at]!, again, subject);
  });
  for (let i = 0; i < size; i++) events.at(startsUs(i, size), again, i);
  return rateOf(() => runFor(events, eventsOf(size)));
}

function rateOfLanes(size: number, delays: Float64Array): number {
  const events = newEvents();
  const lanes = Array.from(delays, (delayUs) => events.lane(delayUs));
  let at = 0;
  const again = events.handler((subject) => {
    at = at + 1 === lanes.length ? 0 : at + 1;
    events.after(lanes[at]!, again, subject);
  });
  for (let i = 0; i < size; i++) events.at(startsUs(i, size), again, i);
  return rateOf(() => runFor(events, eventsOf(size)));
}

function runFor(events: Events, least: number): number {
  let ran = 0;
  for (let untilUs = 100_000; ran < least; untilUs += 100_000) ran += events.run(untilUs);
  return ran;
}

function herdSpread(): (i: number) => number {
  const next = random(3, 'herd');
  const timesUs = Float64Array.from({ length: herd }, () => Math.floor(next() * 1e7));
  return (i) => timesUs[i]!;
}

function rateOfHerd(atUs: (i: number) => number): number {
  const events = newEvents();
  const once = events.handler(() => {});
  return rateOf(() => {
    for (let i = 0; i < herd; i++) events.at(atUs(i), once, i);
    return events.run(20_000_000);
  });
}

function memory(): void {
  const events = newEvents();
  const once = events.handler(() => {});
  const next = random(3, 'memory');
  for (let i = 0; i < herd; i++) events.at(Math.floor(next() * 1e9), once, i);
  const full = events.bytes();
  events.run(2_000_000_000);
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  console.log(
    `${herd} pending take ${mb(full)} MB, and ${mb(events.bytes())} MB are kept once they have run`,
  );
}

type Item = { atUs: number; order: number; run: (subject: number, nowUs: number) => void; subject: number };

function rateOfHeap(size: number, delays: Float64Array): number {
  const heap = newHeap();
  let at = 0;
  const run = (subject: number, nowUs: number) => {
    at = at + 1 === delays.length ? 0 : at + 1;
    heap.push(nowUs + delays[at]!, run, subject);
  };
  for (let i = 0; i < size; i++) heap.push(startsUs(i, size), run, i);
  const events = eventsOf(size);
  return rateOf(() => {
    for (let i = 0; i < events; i++) {
      const item = heap.pop();
      item.run(item.subject, item.atUs);
    }
    return events;
  });
}

/** Ties in order of insertion, and no swaps: as good as such a heap gets. */
function newHeap() {
  const items: Item[] = [];
  let order = 0;
  const before = (a: Item, b: Item) => a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);

  return {
    push(atUs: number, run: Item['run'], subject: number): void {
      const item = { atUs, order: order++, run, subject };
      let at = items.push(item) - 1;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (!before(item, items[parent]!)) break;
        items[at] = items[parent]!;
        at = parent;
      }
      items[at] = item;
    },
    /** There is one. */
    pop(): Item {
      const first = items[0]!;
      const item = items.pop()!;
      const { length } = items;
      if (length === 0) return first;
      let at = 0;
      for (let child = 1; child < length; child = 2 * at + 1) {
        if (child + 1 < length && before(items[child + 1]!, items[child]!)) child++;
        if (!before(items[child]!, item)) break;
        items[at] = items[child]!;
        at = child;
      }
      items[at] = item;
      return first;
    },
  };
}
