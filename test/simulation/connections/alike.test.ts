// Holds clients that are counted together, where connections come and go, against the same clients one by
// one, over random scenarios with faults; and holds what must add up in every one of them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import type { CounterName } from '../../../core/result/counters.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import type { Scenario } from '../../../core/scenario/scenario.ts';
import type { Simulated } from '../../../simulation/model.ts';
import { profileOf, scenarioOf, simulated, steadyMachine, varyingMachine } from '../fixture.ts';

const faultLists = [
  '[{ at: 500ms, kill: 1 }, { at: 1s, restart: 1 }]',
  '[{ at: 500ms, stop: 1 }, { at: 2s, restart: 1 }]',
  '[{ at: 500ms, stop: 1 }, { at: 900ms, restart: 1 }]',
  '[{ at: 300ms, deploy: rolling, window: 400ms, advise: 300ms }]',
  '[{ at: 300ms, deploy: rolling, window: 0s, limit: 0s }]',
  '[{ at: 300ms, deploy: blue-green, window: 200ms, pause: 100ms }]',
  '[{ at: 1s, disconnect: 60% }, { at: 1200ms, disconnect: 50% }]',
  '[{ at: 500ms, leave: 40%, for: 1s }, { at: 700ms, kill: all }, { at: 1s, restart: all }]',
  '[{ at: 400ms, drain: 1, window: 300ms }, { at: 1500ms, stop: 1 }, { at: 1600ms, restart: 1 }]',
  '[{ at: 1s, refuse: dependency-down, for: 900ms }]',
  '[{ at: 1s, refuse: accept-then-close, for: 900ms }, { at: 1100ms, disconnect: 100% }]',
];
const serverSets = [
  '{ count: 1 }',
  '{ count: 1, broker: redis-streams }',
  '{ count: 3, broker: redis-streams }',
  '{ count: 2, broker: redis-pubsub }',
  '{ count: 2, broker: nats }',
];

const asked = fc.record({
  subscribers: fc.integer({ min: 1, max: 60 }),
  seed: fc.integer({ min: 1, max: 1000 }),
  topics: fc.constantFrom(
    'publish: 4/s',
    'publish: { poisson: 12/s }, count: 3, follow: 2',
    'publish: 20/s, count: per-subscriber',
  ),
  servers: fc.constantFrom(...serverSets),
  history: fc.constantFrom(0, 2, 1000),
  announce: fc.constantFrom('0s', '500ms'),
  reconnect: fc.constantFrom('phoenix', 'full-jitter', 'socket.io', 'signalr', 'eventsource'),
  pattern: fc.constantFrom('websocket', 'sse', 'http-stream'),
  somaxconn: fc.constantFrom(0, 3, 4096),
  machine: fc.constantFrom(steadyMachine, varyingMachine),
  faults: fc.constantFrom(...faultLists),
});

type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;

type Written = Record<'topics' | 'servers' | 'announce' | 'reconnect' | 'faults', string> &
  Record<'subscribers' | 'seed' | 'history', number>;

const textOf = ({ subscribers, seed, topics, servers, history, announce, reconnect, faults }: Written) =>
  `question: Are they alike?
seed: ${seed}
subscribers: ${subscribers}
topics: { t: { ${topics} } }
servers: ${servers}
server: { history: ${history}, announce: ${announce} }
reconnect: ${reconnect}
faults: ${faults}
phases: { connect: 500ms, warmup: 500ms, measure: 6s, drain: 8s }
variants: [sse]
`;

function both(one: Asked): [Simulated, Simulated] {
  const { seed, pattern, somaxconn } = one;
  const scenario = asScenario(textOf(one));
  const profile = {
    ...profileOf(one.machine),
    kernel: { somaxconn, tcpSynRetries: 2, tcpSynLinearTimeouts: 1 },
    serverLife: { startUs: 250_000, stopUs: 20_000 },
  };
  const run = (clients: 'groups' | 'one-by-one') => simulated({ scenario, pattern, profile, seed, clients });
  return [run('groups'), run('one-by-one')];
}

/** A server alone that is to start again is refused, as are others that no run could do. */
function asScenario(text: string): Scenario {
  try {
    return scenarioOf(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return fc.pre(false) as never; // it throws
  }
}

test('each of these faults can happen to most of these servers: few scenarios are passed over', () => {
  const usual = { subscribers: 9, seed: 1, topics: 'publish: 4/s', history: 2, announce: '0s' };
  for (const faults of faultLists) {
    const able = serverSets.filter((servers) => {
      try {
        return scenarioOf(textOf({ ...usual, reconnect: 'phoenix', servers, faults }));
      } catch {
        return false;
      }
    });
    assert.ok(able.length >= 3, `${faults} only with ${able.join(' and ')}`);
  }
});

/** Counts that chance has no part in, whichever of the clients comes first. */
const countsOf = ({ ledger, changes }: Simulated) => ({
  ...ledger,
  resumed: changes!.resumed,
  unconfirmed: changes!.unconfirmed,
  ...absencesOf(changes!.recovery),
});

function absencesOf(recovery: NonNullable<Simulated['changes']>['recovery']) {
  const { cut, left, connects, missedAway, subscribers } = recovery ?? {};
  const counts = [cut, left].map((one) => one && { ...one, connected: '', caughtUp: '', downtimeUs: '' });
  return { counts, connects, missedAway, subscribers };
}

/** To a percent; of few, one that lies at an end of the phase may be within it or not. */
const near = (what: string, ours: number, theirs: number, aside: number) =>
  assert.ok(Math.abs(ours - theirs) <= Math.max(aside, theirs / 100), `${what}: ${ours} and ${theirs}`);

test('groups count what one by one counts, and have its percentiles', () => {
  fc.assert(
    fc.property(asked, (one) => {
      const [together, alone] = both(one);
      assert.deepEqual(countsOf(together), countsOf(alone));
      for (const name of Object.keys(alone.counters) as CounterName[])
        near(name, together.counters[name], alone.counters[name], name.startsWith('bytes') ? 2000 : 2);
      near('CPU', together.server.cpuUs, alone.server.cpuUs, 0);
      const times = ({ latency, changes }: Simulated) => [
        latency.endToEnd,
        ...(changes!.recovery?.cut ? [histogramOf(changes!.recovery.cut.connected)] : []),
      ];
      for (const [i, histogram] of times(together).entries()) {
        const other = times(alone)[i]!;
        assert.equal(histogram.count, other.count);
        for (const [quantile, most] of [
          [0.5, 0.01],
          [0.99, 0.03],
        ] as const) {
          const [a, b] = [quantileUs(histogram, quantile) ?? 0, quantileUs(other, quantile) ?? 0];
          assert.ok(Math.abs(a - b) <= most * b, `${quantile}: ${a} and ${b}`);
        }
      }
    }),
    { numRuns: 40 },
  );
});

test('what is delivered and missed is all that is expected, and absences end in one of four ways', () => {
  fc.assert(
    fc.property(asked, (one) => {
      const [{ ledger, changes, latency }] = both(one);
      const { recovery, unconfirmed, resumed } = changes!;
      assert.equal(ledger.delivered + ledger.missed, ledger.expected);
      assert.equal(latency.endToEnd.count, ledger.delivered);
      assert.equal(unconfirmed > 0 && one.faults.includes('restart'), false, 'a server came back');
      assert.ok(resumed <= ledger.delivered);
      // Who is connected misses nothing.
      assert.equal(ledger.missed, recovery?.missedAway ?? 0);
      for (const absences of [recovery?.cut, recovery?.left]) {
        if (!absences) continue;
        const { recovered, tooLate, fresh, neverBack, gaveUp, connected } = absences;
        assert.equal(recovered + tooLate + fresh + neverBack, absences.absences);
        assert.ok(gaveUp <= neverBack);
        assert.equal(connected.count, absences.absences - neverBack);
      }
      if (recovery) assert.ok(recovery.connects.tried >= recovery.connects.opened);
    }),
    { numRuns: 60 },
  );
});
