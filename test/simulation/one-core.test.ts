// Holds servers that share a core against the same with a core each: what one does, the others wait for.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { quantileUs } from '../../core/result/histogram.ts';
import { withCluster } from './cluster-profile.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from './fixture.ts';

const profile = withCluster(profileOf(steadyMachine));

test('an event reaches the last receiver when all servers have written it, one after the other', () => {
  const scenario = scenarioOf(`question: How soon?
subscribers: 400
topics: { news: { publish: 10/s } }
servers: { count: 2, broker: nats }
phases: { connect: 1s, warmup: 1s, measure: 30s, drain: 2s }
variants: [sse]
`);
  const lastUs = (oneCore?: true) => {
    const { latency } = simulated({ scenario, pattern: 'sse', profile, ...(oneCore && { oneCore }) });
    return quantileUs(latency.lastReceiver, 0.5)!; // there are 300 events
  };
  // A server is busy with an event for 1.9 ms, and servers have it a few tenths of a millisecond apart.
  const moreUs = lastUs(true) - lastUs();
  assert.ok(moreUs > 1500 && moreUs < 2100, `${moreUs}`);
});

test('who was cut off waits until all servers have taken those before', () => {
  const scenario = scenarioOf(`question: How soon are they back?
subscribers: 1000
topics: { news: { publish: 1/s } }
servers: { count: 2, broker: nats }
reconnect: phoenix
faults: [{ at: 1s, disconnect: 100% }]
phases: { connect: 1s, warmup: 1s, measure: 4s, drain: 2s }
variants: [websocket]
`);
  const awayUs = (oneCore?: true) => {
    const asked = { scenario, pattern: 'websocket', profile, ...(oneCore && { oneCore }) };
    return simulated(asked).changes!.recovery!.cut!.longestUs; // all were cut off
  };
  // Each takes 500 of them, 200 us each, after their wait of 10 ms; one core takes 1,000.
  const near = (us: number, expectedUs: number) =>
    // An event that comes meanwhile takes up to 9 ms.
    assert.ok(us >= expectedUs && us < expectedUs + 10_000, `${us} is not ${expectedUs}`);
  near(awayUs(), 110_000);
  near(awayUs(true), 210_000);
});

test('servers that start together on one core take as long as their starts together', () => {
  const scenario = scenarioOf(`question: How long does the deploy take?
subscribers: 3
topics: { news: { publish: 1/s } }
servers: { count: 3, broker: nats }
faults: [{ at: 1s, deploy: blue-green, window: 0s }]
phases: { connect: 1s, warmup: 1s, measure: 4s, drain: 2s }
variants: [websocket]
`);
  const { nats, ...others } = profile.cluster!.brokers;
  const serverLife = { startUs: 300_000, stopUs: 10_000 };
  const slower = { ...profile, cluster: { brokers: { ...others, nats: { ...nats!, serverLife } } } };
  const tookUs = (oneCore?: true) => {
    const asked = { scenario, pattern: 'websocket', profile: slower, ...(oneCore && { oneCore }) };
    return simulated(asked).changes!.faults[0]!.tookUs!; // a deploy takes time
  };
  assert.equal(tookUs(), 310_000);
  // Beside the starts, the core has an event and three connections to do.
  const together = tookUs(true);
  assert.ok(together >= 910_000 && together < 915_000, `${together}`);
});
