// Tests how an event comes to several servers: through a broker to all of them in order, to one of them
// without.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import { arrivalsApart, arrivalsThrough } from '../../../simulation/models/arrivals.ts';
import { createInTurn } from '../../../simulation/models/in-turn.ts';
import { createDealer, createWork } from '../../../simulation/models/work.ts';
import { added, withCluster } from '../cluster-profile.ts';
import { profileOf, steadyMachine } from '../fixture.ts';

const servers = 3;
const { points } = withCluster(profileOf(steadyMachine)).cluster!.brokers.nats!;

function throughBroker() {
  const work = createWork(createDealer(1e6, 1e6));
  const arrivals = arrivalsThrough({
    servers,
    inTurn: createInTurn(servers, 1, 0),
    points,
    rateAt: () => 10,
    work,
    randoms: Array.from({ length: servers }, (_, i) => random(1, `broker ${i}`)),
  });
  return { arrivals, work };
}

test('each server has events in their order, however long each takes on its way', () => {
  const { arrivals } = throughBroker();
  const lastUs = [0, 0, 0];
  let waited = 0;
  // A delay is 30 to 600 us, and events are 100 us apart.
  for (let atUs = 0; atUs < 100_000; atUs += 100) {
    const all = arrivals.of({ atUs, topic: 0 });
    assert.deepEqual(
      all.map(({ server }) => server),
      [0, 1, 2],
    );
    for (const one of all) {
      assert.ok(one.atUs >= lastUs[one.server]!, 'an event overtook another');
      assert.ok(one.atUs >= atUs + added.delayUs * 0.1);
      if (one.atUs === lastUs[one.server]) waited++;
      lastUs[one.server] = one.atUs;
    }
  }
  assert.ok(waited > 100, 'none had to wait for the one before it');
});

test('one server pays for publishing, the others for receiving, the broker for each', () => {
  const { arrivals, work } = throughBroker();
  const { directCpuUs, publishedCpuUs, receivedCpuUs, brokerCpuUs, brokerCpuEachUs } = added;
  for (const [turn, publishedTo] of [0, 1, 2, 0].entries())
    for (const { server, beyondUs, furtherUs } of arrivals.of({ atUs: 10_000 * turn, topic: 0 })) {
      const own = server === publishedTo ? publishedCpuUs : receivedCpuUs;
      assert.ok(Math.abs(beyondUs - (own - directCpuUs)) < 1e-6);
      const further = server === publishedTo ? own - directCpuUs : own;
      assert.ok(Math.abs(furtherUs - further) < 1e-6);
    }
  const { cpuUs } = work.finish(0);
  assert.ok(Math.abs(cpuUs / (4 * (brokerCpuUs + 2 * brokerCpuEachUs)) - 1) < 1e-6, `${cpuUs}`);
});

test('without a broker one server has it at once, in turn', () => {
  const arrivals = arrivalsApart(createInTurn(servers, 1, 0));
  for (const [turn, server] of [0, 1, 2, 0].entries())
    assert.deepEqual(arrivals.of({ atUs: turn, topic: 0 }), [
      { server, atUs: turn, beyondUs: 0, furtherUs: 0 },
    ]);
});
