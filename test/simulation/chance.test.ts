// Tests that each purpose has random numbers of its own: who changes one policy gets the same numbers for
// everything else, and sees what the policy does and not another throw of the dice.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { random } from '../../core/base/random.ts';
import { withCluster } from './cluster-profile.ts';
import { profileOf, scenarioOf, simulated, varyingMachine, type Asked } from './fixture.ts';

/** How many numbers each purpose took. */
function drawnBy(asked: Asked): Map<string, number> {
  const drawn = new Map<string, number>();
  simulated({
    profile: withCluster(profileOf(varyingMachine)),
    ...asked,
    streams(name) {
      assert.ok(!drawn.has(name), `two purposes have the numbers called "${name}"`);
      drawn.set(name, 0);
      const next = random(1, name);
      return () => {
        drawn.set(name, drawn.get(name)! + 1); // put there above
        return next();
      };
    },
  });
  return drawn;
}

const scenarioWith = (pattern: string, more: string) =>
  scenarioOf(`question: Whose numbers are they?
subscribers: 60
topics: { news: { publish: 20/s } }
phases: { connect: 1s, warmup: 1s, measure: 12s, drain: 30s }
variants: [${pattern}]
${more}
`);

const websocketsWith = (more: string): Asked => ({
  scenario: scenarioWith('websocket', more),
  pattern: 'websocket',
});
const comeBackBy = (policy: string) =>
  websocketsWith(
    `reconnect: ${policy}\nfaults: [{ at: 1s, disconnect: 60% }, { at: 8s, leave: 40%, for: 1s }]`,
  );
const drainedWith = (advice: string) =>
  websocketsWith(
    'servers: { count: 2, broker: redis-streams }\nreconnect: full-jitter\n' +
      `faults: [{ at: 1s, drain: 1, window: 300ms${advice} }]`,
  );
const through = (front: string) => websocketsWith(`servers: { count: 2, broker: nats, in-front: ${front} }`);
const pollingWith = (jitter: string): Asked => ({
  scenario: scenarioWith('polling', ''),
  pattern: 'polling',
  options: { jitter },
});
const webhooksWith = (conduct: string, retries: readonly string[]): Asked => ({
  scenario: scenarioWith('webhook', `endpoints: [{ does: fail, ${conduct} }]`),
  pattern: 'webhook',
  options: { retries, jitter: '50%' },
});
const someAreDown = 'at: 2s, for: 5s, share: 50%, of: endpoints';

describe('the numbers of all others stay as they were', () => {
  test.each<[string, Asked, Asked, string[]]>([
    [
      'clients that come back by another policy',
      comeBackBy('full-jitter'),
      comeBackBy('phoenix'),
      ['reconnect'],
    ],
    ['a drain that advises waits', drainedWith(''), drainedWith(', advise: 500ms'), ['advice']],
    ['HAProxy in front', through('list'), through('haproxy'), ['front']],
    ['polls with jitter', pollingWith('0%'), pollingWith('30%'), ['phases']],
    [
      'webhooks that are tried again later',
      webhooksWith(someAreDown, ['2s', '2s', '2s']),
      webhooksWith(someAreDown, ['8s']),
      ['retries'],
    ],
    [
      'endpoints that fail more often',
      webhooksWith('share: 5%', ['1s', '1s']),
      webhooksWith('share: 30%', ['1s', '1s']),
      ['conduct', 'retries'],
    ],
  ])('%s', (_name, one, other, own) => {
    const [before, after] = [drawnBy(one), drawnBy(other)];
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => (before.get(name) ?? 0) !== (after.get(name) ?? 0),
    );
    assert.deepEqual(changed.toSorted(), own);
  });
});

/** Of those who leave for a second, what they miss: each has events of its own, and nothing is kept. */
function missedByLeavers(policy: string, seed: number): number {
  const missedWith = (leave: string) => {
    const scenario = scenarioOf(`question: Who leaves?
subscribers: 60
topics: { inbox: { publish: { poisson: 200/s }, count: per-subscriber } }
server: { history: 0 }
reconnect: ${policy}
faults: [{ at: 1s, disconnect: 50% }${leave}]
phases: { connect: 1s, warmup: 1s, measure: 12s, drain: 5s }
variants: [websocket]
`);
    return simulated({ scenario, pattern: 'websocket', seed }).ledger.missed;
  };
  return missedWith(', { at: 8s, leave: 40%, for: 1s }') - missedWith('');
}

test('the same clients leave, by whatever policy others came back before', () => {
  const bySeed = [1, 2, 3].map((seed) => {
    const [first, ...others] = ['phoenix', 'full-jitter', 'socket.io', 'centrifuge'].map((policy) =>
      missedByLeavers(policy, seed),
    );
    for (const missed of others) assert.equal(missed, first, `seed ${seed}`);
    return first!; // there are four
  });
  // 24 of 60 clients are away for a second each.
  for (const missed of bySeed) assert.ok(missed > 40 && missed < 130, `${missed}`);
  assert.ok(new Set(bySeed).size > 1, 'any 24 would miss as much');
});
