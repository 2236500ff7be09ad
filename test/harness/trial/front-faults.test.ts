// Holds in virtual time that HAProxy is told what a scenario asks for, when it asks for it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { resultSchema } from '../../../core/result/result.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';
import { frontFaults } from './front-faults.ts';

test('it is started as the scenario says, told at its times, and is gone with the trial', async () => {
  const { fleet, result } = await runFake(`variants: [fake]${frontFaults}`);
  const { fromUs } = fleet.world.window!;
  const check = { kind: 'http', everyMs: 1000, fall: 3, rise: 2 };
  const told = fleet.happened.filter(({ name }) => name === 'in front');
  assert.deepEqual(told[0]!.what, {
    kind: 'started',
    how: { kind: 'haproxy', idleMs: 30_000, check, maxconn: 500, slowstartMs: 2000 },
    servers: 3,
  });
  assert.deepEqual(
    told.slice(1).map(({ what, atUs }) => [(atUs - fromUs) / 1000, what]),
    [
      [2000, { kind: 'drain', server: 2 }],
      [3000, { kind: 'shutdown', server: 2 }],
      [4000, { kind: 'ready', server: 2 }],
      [5000, { kind: 'reload' }],
    ],
  );
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.map(({ did, atMs, atUs }) => [did, atUs === atMs * 1000]),
    [
      ['HAProxy gave no new connections to server 2', true],
      ['HAProxy closed all connections of server 2 at once', true],
      ['HAProxy gave connections to server 2 again', true],
      ['HAProxy was reloaded', true],
    ],
  );
  assert.deepEqual(trial.servers, { count: 3, broker: 'in-process', inFront: 'haproxy' });
  assert.deepEqual(result.environment.programs, ['fake haproxy 1.0']);
  assert.ok(trial.processes.some(({ role }) => role === 'in-front'));
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
  assert.deepEqual([...fleet.running], []);
});

test('what HAProxy refuses is a fault that could not be done', async () => {
  const fleet = fakeFleet();
  const { front } = fleet;
  const { result } = await runFake(`variants: [fake]${frontFaults}`, {
    fleet: {
      ...fleet,
      front: (...given) => Object.assign(front(...given), { reload: () => Promise.reject(new Error('no')) }),
    },
  });
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.filter(({ atUs }) => atUs === null).map(({ did, why }) => [did, why]),
    [['HAProxy was reloaded', 'no']],
  );
  assert.equal(trial.valid, false);
});
