// Holds that faults happen at their time, in the processes that they are for, and that the result says when
// each one did: exactly, as time is virtual here.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { faults as table } from '../../../core/fault/faults.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';
import { deployFaults } from './deploy-faults.ts';
import { frontFaults } from './front-faults.ts';
import { lifeFaults } from './life-faults.ts';

// Out of order, and two at the same time.
const faults = `
loadProcesses: 2
faults:
  - { at: 7300ms, leave: 25%, for: 2s }
  - { at: 1234ms, disconnect: 50% }
  - { at: 2s, freeze: publisher, for: 1s }
  - { at: 2s, freeze: load, for: 500ms }
  - { at: 19999ms, freeze: server, for: 10ms }
  - { at: 3s, network: { latency: 200ms, jitter: 50ms }, share: 50%, for: 1500ms }
  - { at: 9s, network: { reset: true } }
  - { at: 10s, slow: 10%, rate: 10KiB/s, for: 2s }
  - { at: 11s, network: { silence: up }, share: 25% }
`;

const slower = { latencyMs: 200, jitterMs: 50 };
const onClients = { kind: 'impose', between: 'clients', reset: false };

test('every fault happens at its planned time, in the processes that it is for', async () => {
  const { fleet } = await runFake(`variants: [fake]${faults}`);
  const { fromUs } = fleet.world.window!;
  assert.deepEqual(
    fleet.happened
      .filter(({ what }) => what['kind'] !== 'burst') // of the warm-up
      .map(({ name, what, atUs }) => [(atUs - fromUs) / 1000, name, what]),
    [
      [1234, 'server', { kind: 'disconnect', share: 0.5 }],
      [2000, 'publisher', { kind: 'freeze', forMs: 1000 }],
      [2000, 'load 1', { kind: 'freeze', forMs: 500 }],
      [2000, 'load 2', { kind: 'freeze', forMs: 500 }],
      [3000, 'network', { ...onClients, conditions: slower, share: 0.5, forMs: 1500 }],
      [7300, 'load 1', { kind: 'leave', share: 0.25, forMs: 2000 }],
      [7300, 'load 2', { kind: 'leave', share: 0.25, forMs: 2000 }],
      [9000, 'network', { ...onClients, conditions: {}, reset: true, share: 1 }],
      [10_000, 'load 1', { kind: 'slow', share: 0.1, bytesPerS: 10_240, forMs: 2000 }],
      [10_000, 'load 2', { kind: 'slow', share: 0.1, bytesPerS: 10_240, forMs: 2000 }],
      [11_000, 'network', { ...onClients, conditions: { silence: 'up' }, share: 0.25 }],
      [19_999, 'server', { kind: 'freeze', forMs: 10 }],
    ],
  );
});

test('the result says when each fault was planned, when it happened, and what was done', async () => {
  const { result } = await runFake(`variants: [fake]${faults}`);
  assert.deepEqual(completed(result).faults, [
    {
      kind: 'disconnect',
      did: 'the server cut 50 % of its connections',
      atMs: 1234,
      atUs: 1_234_000,
    },
    {
      kind: 'freeze',
      did: 'the publisher stood still for 1s',
      atMs: 2000,
      atUs: 2_000_000,
      forMs: 1000,
    },
    {
      kind: 'freeze',
      did: 'the load processes stood still for 500ms',
      atMs: 2000,
      atUs: 2_000_000,
      forMs: 500,
    },
    {
      kind: 'network',
      did: '50 % of the connections of subscribers: latency 200ms ± 50ms each way for 1.5s',
      atMs: 3000,
      atUs: 3_000_000,
      forMs: 1500,
    },
    {
      kind: 'leave',
      did: '25 % of the subscribers left and came back 2s later',
      atMs: 7300,
      atUs: 7_300_000,
      forMs: 2000,
    },
    {
      kind: 'network',
      did: 'all connections of subscribers: reset',
      atMs: 9000,
      atUs: 9_000_000,
    },
    {
      kind: 'slow',
      did: '10 % of the subscribers read 10 KiB/s for 2s',
      atMs: 10_000,
      atUs: 10_000_000,
      forMs: 2000,
    },
    {
      kind: 'network',
      did: '25 % of the connections of subscribers: nothing passed to the servers until the end',
      atMs: 11_000,
      atUs: 11_000_000,
      forMs: 12_000, // 20 s are measured, and 3 s drained
    },
    {
      kind: 'freeze',
      did: 'the server stood still for 10ms',
      atMs: 19_999,
      atUs: 19_999_000,
      forMs: 10,
    },
  ]);
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
});

test('a process that acts late is what counts, not the moment at which it was told to', async () => {
  const { result } = await runFake(
    `variants: [{ fake: { actsAfter: 40ms } }]
faults: [{ at: 3s, disconnect: 10% }, { at: 4s, leave: 10%, for: 1s }, { at: 5s, freeze: server, for: 1s }]`,
  );
  assert.deepEqual(
    completed(result).faults!.map(({ atUs }) => atUs),
    [3_040_000, 4_040_000, 5_000_000],
  );
});

test('a trial in which a fault could not be done does not count, and says which', async () => {
  const { result } = await runFake(
    'variants: [fake]\nfaults: [{ at: 2s, freeze: server, for: 1s }, { at: 3s, disconnect: 5% }]',
    { fleet: fakeFleet({ cannotStop: 'server' }) },
  );
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.map(({ atUs }) => atUs),
    [null, 3_000_000],
  );
  assert.equal(trial.valid, false);
  const [warning] = result.trials[0]!.warnings.filter(({ level }) => level === 'invalid');
  assert.equal(warning!.code, 'fault-not-done');
  assert.match(warning!.message, /could not be done: the server stood still for 1s, at 2s\.$/);
});

test('a trial without faults says nothing of them', async () => {
  const { result } = await runFake('variants: [fake]');
  assert.equal(completed(result).faults, undefined);
});

test('every fault of the table is tried here or in a file beside it, and docs/scenarios.md has it', () => {
  const docs = readFileSync('docs/scenarios.md', 'utf8');
  for (const word of Object.keys(table)) {
    assert.match(faults + lifeFaults + deployFaults + frontFaults, new RegExp(`\\b${word}: `), word);
    assert.match(docs, new RegExp(`^\\| \`${word}\` \\|`, 'm'), word);
  }
});
