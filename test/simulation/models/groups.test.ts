// Holds groups of clients against the same clients one by one: every count equal, every percentile in the
// same bin; where clients draw random numbers of their own, within what chance makes of them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Simulated } from '../../../simulation/model.ts';
import {
  eventsOf,
  profileOf,
  quantiles,
  scenarioOf,
  simulated,
  steadyMachine,
  varyingMachine,
} from '../fixture.ts';

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

/** Of polling, groups take the mean wait for the median receiver's. */
function receiversIn({ latency }: Simulated, pattern: string) {
  const { firstReceiver, medianReceiver, lastReceiver } = latency;
  const middle = pattern === 'polling' ? [] : [medianReceiver];
  return [firstReceiver, ...middle, lastReceiver].map((one) => [one.count, ...quantiles(one)]);
}

const slotsIn = ({ slots }: Simulated) =>
  slots.map(({ deliveries, latency, connected }) => [deliveries, latency.count, connected]);

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
        assert.deepEqual(receiversIn(groupsOfThem, pattern), receiversIn(alone, pattern));
        assert.deepEqual(slotsIn(groupsOfThem), slotsIn(alone));
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

test('a server that is asked for more than a core does is saturated, and the rest is not read', () => {
  const scenario = scenarioOf(
    'question: How much is too much?\nsubscribers: 20000\ntopics:\n  news: { publish: 20/s }\n' +
      'phases: { measure: 600s }\nvariants: [sse]\n',
  );
  const all = eventsOf(scenario);
  for (const pattern of ['sse', 'websocket', 'http-stream', 'long-polling']) {
    let read = 0;
    function* events() {
      for (const event of all) {
        read++;
        yield event;
      }
    }
    const { saturated, server, ledger } = simulated({ scenario, pattern, events: events() });
    assert.ok(saturated, pattern);
    assert.ok(server.busiestShare > 1, pattern);
    assert.equal(ledger.published, 12_000);
    assert.ok(read < all.length / 2, `${pattern}: ${read}`);
  }
  const { saturated, server } = simulated({ scenario, pattern: 'polling', options: { every: '100ms' } });
  assert.ok(saturated && server.busiestShare > 1);
});
