// Tests scenarios with more work than anybody waits for: a part of the time is computed, and stands for the
// rest in every count, in the CPU, in the slots and in the latencies.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exponential, random } from '../../../core/base/random.ts';
import type { CounterName } from '../../../core/result/counters.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../fixture.ts';

const within = (what: string, a: number, b: number, share: number) =>
  assert.ok(Math.abs(a - b) <= share * Math.abs(b), `${what}: ${a} for ${b}`);

test('twenty thousand pollers with events of their own: counts are those of arithmetic', () => {
  const scenario = scenarioOf(
    'question: Does a part stand for all?\nsubscribers: 20000\ntopics:\n' +
      '  news: { publish: { poisson: 4000/s }, count: per-subscriber }\n' +
      'phases: { measure: 600s }\nvariants: [sse]\n',
  );
  function* events() {
    const next = random(1, 'events');
    for (let atUs = -1e6; atUs < 600e6; atUs += exponential(next, 250))
      yield { atUs: Math.floor(atUs), topic: Math.floor(next() * 20_000), bodyBytes: 256 };
  }
  const { how, saturated, ledger, counters, slots } = simulated({
    scenario,
    pattern: 'polling',
    options: { every: '5s' },
    events: events(),
  });
  assert.equal(how, 'windows');
  assert.ok(!saturated);
  assert.equal(ledger.published, 2_400_000);
  assert.equal(ledger.delivered, ledger.expected);
  const polls = (20_000 * 600) / 5;
  within('deliveries', counters.events, 2_400_000, 0.01);
  within('polls', counters.fullPolls + counters.emptyPolls, polls, 0.01);
  // A poll is full unless nothing came in the interval before it: one event in five seconds is the mean.
  within('full polls', counters.fullPolls, polls * (1 - Math.exp(-1)), 0.01);
  within('requests of a slot', slots.at(-1)!.requests, slots[0]!.requests, 0.01);
});

/** Each event has 999 receivers, no two of which follow the same topics: every one is a class of its own. */
const unlike = (measure: string) =>
  scenarioOf(
    'question: Does a part stand for all?\nsubscribers: 2000\ntopics:\n' +
      '  rooms: { publish: 20/s, count: 2000, follow: 999 }\n' +
      `phases: { connect: 1s, warmup: 2s, measure: ${measure}, drain: 5s }\nvariants: [sse]\n`,
  );

const others = ['http-stream', 'sse', 'websocket', 'long-polling'];

/** Whole intervals of pings, heartbeats and holds, which are 15 and 25 s. */
const some = '75s';

test.for(others)('%s: ten minutes are eight times as much as an eighth of them', (pattern) => {
  const whole = simulated({ scenario: unlike(some), pattern });
  const part = simulated({ scenario: unlike('600s'), pattern });
  assert.deepEqual([whole.how, part.how], ['exact', 'windows']);
  assert.ok(!part.saturated);
  assert.deepEqual([part.ledger.published, part.ledger.expected], [12_000, 12_000 * 999]);
  within('delivered', part.ledger.delivered, part.ledger.expected, 0.001);
  // Signs of life come in turns, of which there are 50 in an interval.
  for (const name of Object.keys(part.counters) as CounterName[])
    within(name, part.counters[name], 8 * whole.counters[name], name === 'heartbeats' ? 0.02 : 0.01);
  within('CPU', part.server.cpuUs, 8 * whole.server.cpuUs, 0.01);
  within('asked', part.server.askedShare, whole.server.askedShare, 0.01);
  for (const quantile of [0.5, 0.99]) {
    const [partUs, wholeUs] = [part, whole].map(({ latency }) => quantileUs(latency.endToEnd, quantile)!);
    within(`quantile ${quantile}`, partUs!, wholeUs!, 0.01);
  }
  const [first, last] = [part.slots[0]!, part.slots.at(-1)!];
  for (const what of ['deliveries', 'requests', 'bytesOut', 'serverCpuUs'] as const)
    within(`${what} of a slot`, last[what], first[what], 0.02);
});

test('where a part stands for all, what is on the way as it ends is not lost', () => {
  const scenario = scenarioOf(
    'question: Is anything lost?\nsubscribers: 20000\ntopics:\n' +
      '  news: { publish: { poisson: 2000/s }, count: per-subscriber }\n' +
      'phases: { measure: 1200s }\nvariants: [sse]\n',
  );
  function* events() {
    const next = random(1, 'events');
    for (let atUs = -1e6; atUs < 1200e6; atUs += exponential(next, 500))
      yield { atUs: Math.floor(atUs), topic: Math.floor(next() * 20_000), bodyBytes: 256 };
  }
  // From an answer to the next request are 400 ms, of a hold of 1 s: many events wait for a client.
  const machine = { ...steadyMachine, firstUs: 400_000, cpuUs: 10, eachCpuUs: 1 };
  const { how, saturated, ledger } = simulated({
    scenario,
    pattern: 'long-polling',
    options: { hold: '1s' },
    profile: profileOf(machine),
    events: events(),
  });
  assert.deepEqual([how, saturated], ['windows', false]);
  assert.deepEqual([ledger.published, ledger.missed], [2_400_000, 0]);
});
