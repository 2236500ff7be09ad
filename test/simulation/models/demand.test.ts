// Tests when a simulated server is called saturated: where its queue grows without end, and not where it is
// long for a while.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { quantileUs } from '../../../core/result/histogram.ts';
import type { PlannedEvent } from '../../../simulation/model.ts';
import { isHopeless } from '../../../simulation/models/demand.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../fixture.ts';

/** With 1,000 receivers an event takes the server 9.06 ms. */
const uneven = scenarioOf(
  'question: How much is too much?\nsubscribers: 1000\n' +
    'topics:\n  news: { publish: { bursts: { size: 2, every: 1s } } }\n' +
    'phases: { measure: 60s, drain: 60s }\nvariants: [sse]\n',
);

type Stretch = { fromS: number; toS: number; perS: number };

/** An event a second, and more of them in some stretches of the 60 s. */
function eventsWith(...stretches: Stretch[]): PlannedEvent[] {
  const all = [{ fromS: 0, toS: 60, perS: 1 }, ...stretches].flatMap(({ fromS, toS, perS }) =>
    Array.from({ length: Math.round((toS - fromS) * perS) }, (_, i) => fromS * 1e6 + (i * 1e6) / perS),
  );
  return all.toSorted((a, b) => a - b).map((us) => ({ atUs: Math.floor(us), topic: 0, bodyBytes: 256 }));
}

const unevenly = (...stretches: Stretch[]) =>
  simulated({ scenario: uneven, pattern: 'sse', events: eventsWith(...stretches) });

test('a burst that is worked off makes latencies long, and they stand', () => {
  const { saturated, server, latency, ledger } = unevenly({ fromS: 10, toS: 11, perS: 1000 });
  assert.ok(server.busiestShare > 4, `${server.busiestShare}`);
  assert.ok(!saturated);
  assert.equal(server.leftUs, 0);
  assert.equal(ledger.delivered, ledger.expected);
  // The last of the burst waits for nearly all of it: 1,000 times 9.06 ms in a second.
  const maxUs = quantileUs(latency.endToEnd, 1)!;
  assert.ok(maxUs > 7.9e6 && maxUs < 8.3e6, `${maxUs}`);
});

test('overload that begins late is saturated though a core had time for the whole', () => {
  const { saturated, server } = unevenly({ fromS: 48, toS: 60, perS: 300 });
  assert.ok(saturated);
  assert.ok(server.askedShare < 0.6, `${server.askedShare}`);
  // 300 events of 9.06 ms in each of 12 s, less the 12 s.
  assert.ok(Math.abs(server.leftUs / 20.8e6 - 1) < 0.02, `${server.leftUs}`);
  assert.ok(!unevenly({ fromS: 20, toS: 32, perS: 300 }).saturated);
});

test('the last of several bursts is not yet worked off: a queue as long was before', () => {
  const bursts = [8, 23, 38, 53].map((fromS) => ({ fromS, toS: fromS + 1, perS: 1400 }));
  const { saturated, server } = unevenly(...bursts);
  assert.ok(server.leftUs > 3e6, `${server.leftUs}`);
  assert.ok(!saturated);
});

test('more than there is time for is saturated, by however little', () => {
  const of = (perS: number) => unevenly({ fromS: 0, toS: 60, perS });
  assert.deepEqual([of(105).saturated, of(112).saturated], [false, true]);
});

const giants = (rate: string) =>
  scenarioOf(
    `question: How much is too much?\nsubscribers: 1000000\ntopics:\n  news: { publish: ${rate} }\n` +
      'phases: { measure: 600s, drain: 60s }\nvariants: [sse]\nserver: { maxSubscribers: 1000000 }\n',
  );

test('an event that takes a server 18 s is no overload at one a minute, and is one at five', () => {
  const profile = profileOf({ ...steadyMachine, eachCpuUs: 18 });
  for (const pattern of ['sse', 'long-polling']) {
    const { saturated, how, ledger } = simulated({ scenario: giants('1/m'), pattern, profile });
    assert.deepEqual([saturated, how, ledger.published], [false, 'exact', 10], pattern);
  }
  const { saturated, server } = simulated({ scenario: giants('5/m'), pattern: 'sse', profile });
  assert.ok(saturated);
  assert.ok(Math.abs(server.askedShare / 1.5 - 1) < 0.02, `${server.askedShare}`);
});

test('steady overload is found early, and the rest of the schedule is not read', () => {
  const scenario = scenarioOf(
    'question: How much is too much?\nsubscribers: 1000000\ntopics:\n  news: { publish: 1/s }\n' +
      'phases: { measure: 24h }\nvariants: [sse]\nserver: { maxSubscribers: 1000000 }\n',
  );
  let read = 0;
  function* events() {
    for (; read < 86_400; read++) yield { atUs: read * 1e6, topic: 0, bodyBytes: 256 };
  }
  const { saturated, server } = simulated({ scenario, pattern: 'sse', events: events() });
  assert.ok(saturated);
  assert.ok(Math.abs(server.askedShare / 9 - 1) < 0.15, `${server.askedShare}`);
  assert.ok(read < 30, `${read}`);
});

test('nothing is hopeless that chance piles up at nearly full load', () => {
  const load = { behindUs: 150e6, largestUs: 1e6, askedUs: 1.15e9 };
  assert.ok(!isHopeless(load, 1e9));
  assert.ok(isHopeless({ ...load, behindUs: 1001e6, askedUs: 2e9 }, 1e9));
  assert.ok(isHopeless({ ...load, behindUs: 11e6, askedUs: 22e6 }, 11e6));
  assert.ok(!isHopeless({ ...load, behindUs: 9e6, largestUs: 1, askedUs: 18e6 }, 9e6));
});
