// Holds groups of clients against the same clients one by one: every count equal, every percentile in the
// same bin; where clients draw random numbers of their own, within what chance makes of them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exponential, random } from '../../../core/base/random.ts';
import { profileOf, quantiles, scenarioOf, simulated, steadyMachine, varyingMachine } from '../fixture.ts';

const group = fc.record({
  rate: fc.constantFrom('0.5/s', '3/s', '{ poisson: 4/s }', '{ bursts: { size: 5, every: 700ms } }', '20/s'),
  topics: fc.constantFrom(
    'count: 1',
    'count: 2',
    'count: 3, follow: 2',
    'count: 7, follow: 4',
    'count: per-subscriber',
  ),
});

const patternAndOptions = fc.constantFrom(
  ...[
    ['polling', { every: '1s', jitter: '0%' }],
    ['polling', { every: '300ms', jitter: '0%', connection: 'close', conditional: false }],
    ['long-polling', {}],
    ['long-polling', { hold: '150ms' }],
    ['long-polling', { batch: '40ms', hold: '600ms' }],
    ['long-polling', { batch: '400ms', connection: 'close' }],
    ['http-stream', { heartbeat: '200ms' }],
    ['http-stream', { heartbeat: '2s' }],
    ['sse', { heartbeat: '1s' }],
    ['sse', { over: 'h2', heartbeat: '700ms' }],
    ['websocket', { ping: '300ms' }],
  ].map(([pattern, options]) => ({ pattern: pattern as string, options: options as Record<string, string> })),
);

test('groups count what one by one counts, and have its percentiles', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(group, { minLength: 1, maxLength: 2 }),
      patternAndOptions,
      fc.boolean(),
      fc.integer({ min: 1, max: 1000 }),
      (subscribers, groups, { pattern, options }, varies, seed) => {
        const topics = groups.map(({ rate, topics: what }, i) => `  t${i}: { publish: ${rate}, ${what} }`);
        const scenario = scenarioOf(
          `question: Are they alike?\nseed: ${seed}\nsubscribers: ${subscribers}\ntopics:\n` +
            `${topics.join('\n')}\n` +
            'phases: { connect: 500ms, warmup: 700ms, measure: 4s, drain: 5s }\nvariants: [sse]\n',
        );
        const profile = profileOf(varies ? varyingMachine : steadyMachine);
        const asked = { scenario, pattern, options, profile, seed };
        const groupsOfThem = simulated({ ...asked, clients: 'groups' });
        const alone = simulated({ ...asked, clients: 'one-by-one' });
        assert.deepEqual(groupsOfThem.ledger, alone.ledger);
        assert.deepEqual(groupsOfThem.counters, alone.counters);
        assert.deepEqual(quantiles(groupsOfThem.latency.endToEnd), quantiles(alone.latency.endToEnd));
        expect(groupsOfThem.server.cpuUs).toBeCloseTo(alone.server.cpuUs, 3);
        assert.equal(groupsOfThem.how, 'exact');
      },
    ),
    { numRuns: 150, seed: 1 },
  );
});

test('with jitter clients differ by chance, and groups are their mean', () => {
  const scenario = scenarioOf(
    'question: Are they alike?\nsubscribers: 500\ntopics:\n' +
      '  news: { publish: { poisson: 2/s }, count: 5 }\n' +
      'phases: { measure: 100s }\nvariants: [sse]\n',
  );
  for (const jitter of ['10%', '60%']) {
    const asked = { scenario, pattern: 'polling', options: { every: '1s', jitter } };
    const [some, alone] = [simulated(asked), simulated({ ...asked, clients: 'one-by-one' })];
    assert.deepEqual(some.ledger, alone.ledger);
    const within = (a: number, b: number, share: number) =>
      assert.ok(Math.abs(a / b - 1) < share, `${a} ${b}`);
    within(some.counters.fullPolls, alone.counters.fullPolls, 0.01);
    within(some.counters.emptyPolls, alone.counters.emptyPolls, 0.01);
    within(some.counters.bytesIn, alone.counters.bytesIn, 0.01);
    const [, p50, , p99] = quantiles(some.latency.endToEnd);
    const [, p50Alone, , p99Alone] = quantiles(alone.latency.endToEnd);
    within(p50!, p50Alone!, 0.01);
    within(p99!, p99Alone!, 0.03);
  }
});

test('the same seed gives the same, and another gives another', () => {
  const scenario = scenarioOf(
    'question: Is it the same?\nsubscribers: 20\ntopics:\n  news: { publish: 5/s }\nvariants: [sse]\n',
  );
  const profile = profileOf(varyingMachine);
  const of = (seed: number) =>
    quantiles(simulated({ scenario, pattern: 'sse', profile, seed }).latency.endToEnd);
  assert.deepEqual(of(1), of(1));
  assert.notDeepEqual(of(1), of(2));
});

test('more work than anybody waits for is computed in part, which stands for the rest', () => {
  const source = (subscribers: number) =>
    `question: Does a part stand for all?\nsubscribers: ${subscribers}\ntopics:\n` +
    '  news: { publish: { poisson: 4000/s }, count: per-subscriber }\n' +
    'phases: { measure: 600s }\nvariants: [sse]\n';
  const scenario = scenarioOf(source(20_000));
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
  const within = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 0.01, `${a} for ${b}`);
  within(counters.events, 2_400_000);
  within(counters.fullPolls + counters.emptyPolls, (20_000 * 600) / 5);
  // A poll is full unless nothing came in the interval before it: one event in five seconds is the mean.
  within(counters.fullPolls, ((20_000 * 600) / 5) * (1 - Math.exp(-1)));
  within(slots.at(-1)!.requests, slots[0]!.requests);
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

test('a server that is asked for more than a core does is saturated, and nothing more is computed', () => {
  const scenario = scenarioOf(
    'question: How much is too much?\nsubscribers: 20000\ntopics:\n  news: { publish: 20/s }\n' +
      'phases: { measure: 600s }\nvariants: [sse]\n',
  );
  for (const pattern of ['sse', 'websocket', 'http-stream', 'long-polling']) {
    const { saturated, server, ledger } = simulated({ scenario, pattern });
    assert.ok(saturated, pattern);
    assert.ok(server.busiestShare > 1, pattern);
    assert.equal(ledger.published, 12_000);
  }
  const { saturated, server } = simulated({ scenario, pattern: 'polling', options: { every: '100ms' } });
  assert.ok(saturated && server.busiestShare > 1);
});
