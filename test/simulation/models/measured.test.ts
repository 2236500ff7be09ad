// Holds what models count against what servers and clients counted in real runs of the same scenarios: 60
// clients of three groups of topics, and 100 of a quiet one (test/simulation/measured.json).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { random } from '../../../core/base/random.ts';
import { requestsOf } from '../../../core/result/counters.ts';
import type { ExpectedError } from '../../../core/result/simulated.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { models } from '../../../simulation/registry.ts';
import { eventsOf, profileOf, scenarioOf, steadyMachine } from '../fixture.ts';

type Counted = {
  pattern: string;
  label: string;
  options: Record<string, unknown>;
  requests: number;
  heartbeats: number;
  connectionsOpened: number;
  events: number;
  bytesToClients: number;
  bytesToServer: number;
  delivered: number;
  descriptors: number;
};
const runs: { source: string; variants: Counted[] }[] = JSON.parse(
  readFileSync(new URL('../measured.json', import.meta.url), 'utf8'),
);
/** What a request takes there until its answer is back: these are counts, and hang on little else. */
const machine = { ...steadyMachine, firstUs: 1500 };

const known = ({ requests, bytes }: ExpectedError) => ({
  ...(requests !== null && { requests }),
  ...(bytes !== null && { bytes }),
});

for (const { source, variants } of runs) {
  const scenario = scenarioOf(source);
  describe(scenario.subscribers === 60 ? 'three groups of topics' : 'a quiet topic', () => {
    for (const counted of variants) {
      test(counted.label, () => {
        const { pattern, options } = counted;
        const { counters, ledger, server, expectedError } = models[pattern]!({
          scenario,
          variant: variantOf(patterns, pattern, options),
          profile: profileOf(machine),
          events: eventsOf(scenario),
          random: (stream) => random(1, stream),
          clients: 'groups',
        });
        const overHttp2 = options['over'] === 'h2c';
        const within = (name: string, ours: number, theirs: number, share: number) =>
          assert.ok(Math.abs(ours - theirs) <= theirs * share, `${name}: ${ours} for ${theirs}`);
        assert.equal(ledger.delivered, counted.delivered);
        // What a model says of its own counts; of batches it says nothing.
        const { requests = 0.02, bytes = 0.01 } = known(expectedError);
        assert.ok(requests <= 0.02 && bytes <= 0.01, `${requests} ${bytes}`);
        within('requests', requestsOf(counters), counted.requests, requests);
        within('bytes to clients', counters.bytesIn, counted.bytesToClients, bytes);
        // Two or three bytes of a request are digits of cursors: they hang on how the server was warmed up.
        if (!overHttp2) within('bytes to the server', counters.bytesOut, counted.bytesToServer, 0.02);
        within('connections', counters.connectionsOpened, counted.connectionsOpened, 0.02);
        within('deliveries within the phase', counters.events, counted.events, 0.01);
        if (counted.heartbeats > 100) within('signs of life', counters.heartbeats, counted.heartbeats, 0.01);
        if (options['connection'] !== 'close' && !overHttp2)
          assert.equal(server.descriptors, counted.descriptors - 1, 'the publisher has one too');
      });
    }
  });
}
