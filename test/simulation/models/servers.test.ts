// Tests several servers, brokers and HAProxy in the steady state: groups of clients against the same clients
// one by one, what is lost where nothing connects servers, and formulas.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanUs, quantileUs } from '../../../core/result/histogram.ts';
import { added, withCluster } from '../cluster-profile.ts';
import {
  profileOf,
  quantiles,
  scenarioOf,
  simulated,
  steadyMachine,
  varyingMachine,
  type Asked,
} from '../fixture.ts';

const group = fc.record({
  rate: fc.constantFrom('3/s', '{ poisson: 4/s }', '{ bursts: { size: 5, every: 700ms } }', '20/s'),
  topics: fc.constantFrom('count: 1', 'count: 3, follow: 2', 'count: 7, follow: 4', 'count: per-subscriber'),
});

const patternAndOptions = fc.constantFrom(
  ...[
    ['polling', { every: '300ms', jitter: '0%' }],
    ['long-polling', {}],
    ['long-polling', { hold: '150ms' }],
    ['long-polling', { batch: '40ms', hold: '600ms' }],
    ['http-stream', { heartbeat: '200ms' }],
    ['sse', { heartbeat: '1s' }],
    ['websocket', { ping: '300ms' }],
  ].map(([pattern, options]) => ({ pattern: pattern as string, options: options as Record<string, string> })),
);

const servers = fc.record({
  count: fc.integer({ min: 1, max: 6 }),
  broker: fc.constantFrom('in-process', 'redis-streams', 'nats'),
  front: fc.constantFrom('list', 'haproxy', 'haproxy-sticky'),
});

const scenarioWith = (head: string, rest: string) =>
  scenarioOf(`question: Who gets it?\n${head}\ntopics:\n${rest}\nvariants: [sse]\n`);

test('groups count what one by one counts over several servers, and have its percentiles', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.array(group, { minLength: 1, maxLength: 2 }),
      patternAndOptions,
      servers,
      fc.boolean(),
      fc.integer({ min: 1, max: 1000 }),
      (subscribers, groups, { pattern, options }, { count, broker, front }, varies, seed) => {
        const topics = groups.map(({ rate, topics: what }, i) => `  t${i}: { publish: ${rate}, ${what} }`);
        const scenario = scenarioWith(
          `seed: ${seed}\nsubscribers: ${subscribers}\n` +
            `servers: { count: ${count}, broker: ${broker}, in-front: ${front} }\n` +
            'phases: { connect: 500ms, warmup: 700ms, measure: 4s, drain: 5s }',
          topics.join('\n'),
        );
        const profile = withCluster(profileOf(varies ? varyingMachine : steadyMachine));
        const asked = { scenario, pattern, options, profile, seed };
        const grouped = simulated({ ...asked, clients: 'groups' });
        const alone = simulated({ ...asked, clients: 'one-by-one' });
        assert.deepEqual(grouped.ledger, alone.ledger);
        assert.deepEqual(grouped.counters, alone.counters);
        assert.deepEqual(quantiles(grouped.latency.endToEnd), quantiles(alone.latency.endToEnd));
        // Of an event that a single poller gets, as the others are at servers without it, groups tell a last
        // receiver too.
        if (pattern !== 'polling' || broker !== 'in-process') {
          assert.equal(grouped.latency.lastReceiver.count, alone.latency.lastReceiver.count);
          assert.deepEqual(quantiles(grouped.latency.lastReceiver), quantiles(alone.latency.lastReceiver));
        }
        const cpu = ({ server, cluster }: typeof alone) => [
          server.cpuUs,
          ...(cluster?.servers ?? []).map(({ cpuUs }) => cpuUs),
          ...(cluster?.beside ?? []).map(({ cpuUs }) => cpuUs),
        ];
        for (const [i, us] of cpu(alone).entries()) expect(cpu(grouped)[i]).toBeCloseTo(us, 3);
        if (broker !== 'in-process') assert.equal(alone.ledger.missed, 0);
        assert.equal(grouped.how, 'exact');
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

const ten = (broker: string, front = 'list') =>
  scenarioWith(
    `subscribers: 200\nservers: { count: 10, broker: ${broker}, in-front: ${front} }\n` +
      'phases: { connect: 500ms, warmup: 500ms, measure: 3s, drain: 1s }',
    '  news: { publish: 20/s }',
  );
const known = withCluster(profileOf({ ...steadyMachine, subscribers: [1, 20, 1000] }));
const patternsHere = ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'];
const optionsOf = (pattern: string): Asked['options'] & object =>
  pattern === 'polling' ? { every: '200ms' } : {};

test.for(patternsHere)('ten servers that nothing connects lose nine of ten deliveries (%s)', (pattern) => {
  for (const front of ['list', 'haproxy-sticky']) {
    const asked = {
      scenario: ten('in-process', front),
      pattern,
      options: optionsOf(pattern),
      profile: known,
    };
    const { ledger, cluster } = simulated(asked);
    assert.deepEqual([ledger.published, ledger.expected, ledger.missed], [60, 12_000, 10_800], front);
    assert.deepEqual(
      cluster!.servers.map((one) => one.subscribers),
      Array.from({ length: 10 }, () => 20),
    );
  }
});

test('where servers have unequal numbers of subscribers, an event reaches those of its server alone', () => {
  // Five subscribers at three servers: two, two and one. Six events in turn reach each server twice.
  const scenario = scenarioWith(
    'subscribers: 5\nservers: { count: 3 }\nphases: { warmup: 0s, measure: 6s, drain: 1s }',
    '  news: { publish: 1/s }',
  );
  const { ledger } = simulated({ scenario, pattern: 'sse' });
  assert.deepEqual([ledger.expected, ledger.delivered], [30, 10]);
});

test("a topic's next event goes to the server that has not answered the one before it", () => {
  const scenario = scenarioWith(
    'subscribers: 3\nservers: { count: 2 }\nphases: { warmup: 0s, measure: 9s, drain: 1s }',
    '  a: { publish: { bursts: { size: 10, every: 1s } } }',
  );
  const { ledger } = simulated({ scenario, pattern: 'sse' });
  assert.equal(ledger.published, 90);
  // A whole burst is at one server: five at the first, which has two subscribers, four at the other. Event by
  // event in turn they would be 135.
  assert.equal(ledger.delivered, 10 * (5 * 2 + 4 * 1));
});

test.for(patternsHere)('with a broker nothing is lost, and each server takes each event (%s)', (pattern) => {
  const options = optionsOf(pattern);
  const { ledger, cluster } = simulated({ scenario: ten('nats'), pattern, options, profile: known });
  assert.deepEqual([ledger.expected, ledger.missed], [12_000, 0]);
  const [broker] = cluster!.beside;
  assert.equal(broker!.role, 'broker');
  expect(broker!.cpuUs).toBeCloseTo(60 * (added.brokerCpuUs + 9 * added.brokerCpuEachUs), 3);
});

test('what a broker adds is in the latency and in the CPU of each server', () => {
  const of = (broker: string) => simulated({ scenario: ten(broker), pattern: 'websocket', profile: known });
  const [apart, through] = [of('in-process'), of('jetstream')];
  const addsUs = meanUs(through.latency.endToEnd)! - meanUs(apart.latency.endToEnd)!;
  // The mean of a delay that is even from a tenth to twice 300 us is 315 us.
  assert.ok(Math.abs(addsUs - 315) < 15, `${addsUs}`);
  const eventUs = steadyMachine.cpuUs + steadyMachine.eachCpuUs * 20;
  const { directCpuUs, publishedCpuUs, receivedCpuUs } = added;
  const each =
    6 * (eventUs + publishedCpuUs - directCpuUs) + 54 * (eventUs + receivedCpuUs - directCpuUs) + 0.001 * 3e6;
  for (const { cpuUs } of through.cluster!.servers)
    assert.ok(Math.abs(cpuUs / each - 1) < 0.02, `${cpuUs} for ${each}`);
});

test('the last receiver is the last of all servers', () => {
  const late = withCluster(profileOf({ ...steadyMachine, shape: (q) => 0.5 + q }));
  const of = (count: number) => {
    const scenario = scenarioWith(
      `subscribers: ${count}00\nservers: { count: ${count}, broker: nats }\nphases: { measure: 60s }`,
      '  news: { publish: 20/s }',
    );
    return quantileUs(simulated({ scenario, pattern: 'sse', profile: late }).latency.lastReceiver, 0.5)!;
  };
  // As many subscribers each: the more servers, the later is the last.
  assert.ok(of(1) < of(4) && of(4) < of(10));
});

test('HAProxy is one thread: what it cannot keep up with waits, and full is saturated', () => {
  const of = (frontCpuUs: number, perS: number) => {
    const scenario = scenarioWith(
      'subscribers: 1000\nservers: { count: 4, in-front: haproxy, broker: nats }\nphases: { measure: 10s }',
      `  news: { publish: ${perS}/s }`,
    );
    const profile = withCluster(profileOf(steadyMachine), { frontCpuUs });
    return simulated({ scenario, pattern: 'sse', profile });
  };
  const [fast, slow, full] = [of(1, 10), of(50, 10), of(50, 25)];
  assert.deepEqual([fast.saturated, slow.saturated, full.saturated], [false, false, true]);
  // 1,000 deliveries of 50 us each: the last is there no sooner.
  assert.ok(quantileUs(slow.latency.lastReceiver, 0.01)! > 50_000);
  assert.ok(quantileUs(fast.latency.lastReceiver, 0.99)! < 5000);
  const [, front] = slow.cluster!.beside;
  assert.deepEqual(front!.descriptors, { baseline: 30, connected: 2030 });
  assert.equal(slow.server.descriptors, 1000);
});

test('a broker is one thread: it is saturated by more events than it has time for', () => {
  const of = (perS: number) => {
    const scenario = scenarioWith(
      'subscribers: 100\nservers: { count: 4, broker: nats }\nphases: { measure: 10s }',
      `  news: { publish: ${perS}/s }`,
    );
    const profile = withCluster(profileOf(steadyMachine), { brokerCpuUs: 60_000, brokerCpuEachUs: 0 });
    return simulated({ scenario, pattern: 'sse', profile });
  };
  const [calm, full] = [of(10), of(25)];
  assert.deepEqual([calm.saturated, full.saturated], [false, true]);
  const [broker] = full.cluster!.beside;
  assert.ok(Math.abs(broker!.askedShare - 1.5) < 0.01, `${broker!.askedShare}`);
  assert.deepEqual(
    full.cluster!.servers.map(({ grows }) => grows),
    [false, false, false, false],
  );
});

test('HAProxy does nothing for batches that end before or after the measured phase', () => {
  const scenario = scenarioWith(
    'subscribers: 100\nservers: { count: 2, in-front: haproxy, broker: nats }\n' +
      'phases: { connect: 1s, warmup: 20s, measure: 10s, drain: 5s }',
    '  news: { publish: 10/s }',
  );
  const options = { batch: '50ms', hold: '10s' };
  for (const clients of ['groups', 'one-by-one'] as const) {
    const profile = withCluster(profileOf(steadyMachine));
    const { counters, cluster } = simulated({ scenario, pattern: 'long-polling', options, profile, clients });
    const answers = counters.fullPolls + counters.emptyPolls;
    const [, front] = cluster!.beside;
    // Of those under way at either end of the phase only the one or only the other may count.
    expect(front!.cpuUs / (answers * added.frontCpuUs)).toBeCloseTo(1, 1);
  }
});
