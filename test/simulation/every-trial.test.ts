// Tests what every simulated trial is, whichever model computed it: one that results hold, whose figures
// agree with one another, and which says how it was computed and of which processes.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { requestsOf } from '../../core/result/counters.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import { trial as trialSchema } from '../../core/result/trial.ts';
import { modelVersion } from '../../simulation/model.ts';
import { everyTrial, trialOf } from './every-trial.ts';

describe.for(everyTrial(1))('$name', (one) => {
  const { scenario, variant, clients, profile } = one.input;
  const trial = trialOf(one);
  const { outcome } = trial;
  assert.ok(outcome.status === 'completed');

  test('is one that results hold, and says what it rests on', () => {
    assert.deepEqual(trialSchema.parse(trial), trial);
    const { leavesOut, extrapolated, expectedError: _, ...mark } = outcome.simulated!;
    assert.deepEqual(mark, {
      profile: profile.name,
      model: modelVersion,
      how: 'exact',
      // Of webhooks each delivery is computed, whatever was asked for.
      clients: variant.pattern === 'webhook' ? 'one-by-one' : clients,
    });
    // Of a broker and HAProxy the profile has one point. With faults the first events alone say how often
    // they come.
    if (scenario.faults.length === 0)
      assert.equal(extrapolated > 1, scenario.servers.inFront.kind !== 'list', `${extrapolated}`);
    assert.ok(leavesOut.length > 0);
    for (const text of leavesOut) assert.match(text, /^[A-Z].*\.$/s, 'a sentence');
  });

  test('closes its ledger, and both sides count the same', () => {
    const { ledger, latency, counters, measuredDeliveries } = outcome;
    assert.ok(ledger.published > 100 && ledger.delivered > 0);
    assert.equal(ledger.delivered + ledger.missed, ledger.expected);
    assert.equal(histogramOf(latency.endToEnd).count, ledger.delivered);
    const { clientMeasured, serverMeasured } = counters;
    assert.equal(measuredDeliveries, clientMeasured.events);
    assert.deepEqual(
      [serverMeasured.bytesOut, serverMeasured.bytesIn],
      [clientMeasured.bytesIn, clientMeasured.bytesOut],
    );
    assert.ok(clientMeasured.bytesIn > clientMeasured.events * 256, 'bodies at least');
    const asks = ['polling', 'long-polling', 'webhook'].includes(variant.pattern);
    assert.equal(requestsOf(clientMeasured) > 0, asks || scenario.faults.length > 0);
  });

  test('has the processes and faults of its scenario', () => {
    const { count, broker, inFront } = scenario.servers;
    const isCluster = count > 1;
    assert.deepEqual(
      outcome.servers,
      isCluster ? { count, broker: broker.kind, inFront: inFront.kind } : undefined,
    );
    const roles = outcome.processes.map(({ role }) => role);
    // With faults what the broker costs is left out, and said so.
    const beside = scenario.faults.length > 0 || !isCluster ? [] : ['broker', 'in-front'];
    assert.deepEqual(roles, [...Array.from({ length: count }, () => 'server'), ...beside]);
    for (const { cpuUs, wallUs } of outcome.processes) assert.ok(cpuUs > 0 && cpuUs <= wallUs);
    assert.deepEqual(
      outcome.faults?.map(({ kind, atUs }) => [kind, atUs !== null]),
      scenario.faults.length === 0 ? undefined : scenario.faults.map(({ kind }) => [kind, true]),
    );
    if (variant.pattern === 'webhook') assert.ok(outcome.counters.client.retries > 0);
  });
});
