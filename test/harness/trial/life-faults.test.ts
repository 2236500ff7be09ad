// Holds in virtual time what becomes of servers that faults end and begin, and of their broker: who is told
// what when, what stays in the sums, and what still breaks a trial.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { LoadCommand, ServerCommand } from '../../../core/protocol/control.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { fakeFleet, type FakeFleet } from '../../fake/fleet.ts';
import { completed, runFake } from '../../fake/run.ts';
import { lifeFaults } from './life-faults.ts';

const cluster = 'servers: { count: 3, broker: redis-streams }';

/** When each server was started and gone, from the start of the measured phase, in milliseconds. */
function watched(fleet = fakeFleet()) {
  const lives: { name: string; what: 'begins' | 'ends'; atUs: number }[] = [];
  const note = (name: string, what: 'begins' | 'ends') =>
    void lives.push({ name, what, atUs: fleet.clock.nowUs() });
  const watching: FakeFleet = {
    ...fleet,
    server(index) {
      const peer = fleet.server(index);
      note(peer.name, 'begins');
      const { stop, kill } = peer;
      return {
        ...peer,
        stop: (...given) => (note(peer.name, 'ends'), stop(...given)),
        kill: () => (note(peer.name, 'ends'), kill()),
      };
    },
  };
  const inWindow = () => {
    const { fromUs, toUs } = fleet.world.window!;
    return lives
      .filter(({ atUs }) => atUs >= fromUs && atUs < toUs)
      .map(({ name, what, atUs }) => [(atUs - fromUs) / 1000, name, what]);
  };
  return { fleet: watching, inWindow };
}

test('servers end and begin at their times, and so does the broker', async () => {
  const { fleet, inWindow } = watched();
  const { result } = await runFake(`variants: [fake]${lifeFaults}`, { fleet });
  assert.deepEqual(inWindow(), [
    [2000, 'server 2', 'ends'],
    [3000, 'server', 'ends'],
    [5000, 'server 2', 'begins'],
    [6000, 'server', 'begins'],
    [8000, 'server 4', 'begins'],
  ]);
  const { fromUs } = fleet.world.window!;
  assert.deepEqual(
    fleet.happened
      .filter(({ what }) => what['kind'] !== 'burst')
      .map(({ name, what, atUs }) => [Math.max(-1, (atUs - fromUs) / 1000), name, what['kind']]),
    [
      [-1, 'broker', 'started'],
      [9000, 'server 4', 'freeze'],
      [10_000, 'broker', 'SIGTERM'],
      [11_000, 'broker', 'started'],
      [12_000, 'broker', 'freeze'],
      [14_000, 'broker', 'SIGKILL'],
      [14_500, 'broker', 'started'],
    ],
  );
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.map(({ did, atMs, atUs }) => [did, atUs === atMs * 1000]),
    [
      ['server 2 said goodbye and ended', true],
      ['34 % of the servers were killed', true],
      ['server 2 started again', true],
      ['all servers that were gone started again', true],
      ['server 4 started, which had not run before', true],
      ['server 4 stood still for 500ms', true],
      ['the broker was stopped and came back after 1s', true],
      ['the broker stood still and came back after 1s', true],
      ['the broker was killed and came back after 500ms', true],
    ],
  );
  assert.deepEqual(trial.servers, { count: 4, broker: 'redis-streams', inFront: 'list' });
  assert.deepEqual(result.environment.programs, ['fake redis-streams 1.0']);
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
  assert.deepEqual([...fleet.running], []);
});

test('a server that is stopped counts a last time, and a new process adds to that', async () => {
  const { result } = await runFake(
    `variants: [fake]\n${cluster}\nfaults: [{ at: 5s, stop: 2 }, { at: 10s, restart: 2 }]`,
  );
  const trial = completed(result);
  assert.deepEqual(
    trial.checks.map(({ name, agree }) => [name, agree]),
    [
      ['handshakes', true],
      ['events', true],
    ],
  );
  assert.equal(trial.counters.server.events, trial.counters.client.events);
  assert.equal(trial.valid, true);
  // The measured counts of both sides are of the same stretch.
  assert.equal(trial.counters.serverMeasured.events, trial.counters.clientMeasured.events);
  const servers = trial.processes.filter(({ role }) => role === 'server');
  assert.deepEqual(
    servers.map(({ index, wallUs }) => [index, wallUs]),
    [
      [0, 20_000_000],
      [1, 20_000_000],
      [2, 20_000_000],
    ],
  );
  // 10 % of a core while it ran; away for a quarter of the phase.
  assert.ok(servers[1]!.cpuUs < servers[0]!.cpuUs, `${servers[1]!.cpuUs}`);
});

test('a killed server takes what it had not told with it, so the counts are not compared', async () => {
  const { result } = await runFake(`variants: [fake]\n${cluster}\nfaults: [{ at: 5300ms, kill: 1 }]`);
  const trial = completed(result);
  assert.deepEqual(trial.checks, []);
  assert.equal(trial.valid, true);
  const { server, client } = trial.counters;
  assert.ok(server.events < client.events && server.events > client.events * 0.9, `${server.events}`);
  const [note] = result.trials[0]!.warnings.filter(({ code }) => code === 'server-killed');
  assert.match(note!.message, /ended a server 1 time .* were not compared/);
  assert.equal(trial.network, undefined);
  assert.equal(trial.descriptors?.limit, 3 * 1024);
  assert.equal(trial.descriptors.peak, 90);
});

test('a trial goes through with no server left', async () => {
  const { result } = await runFake(`variants: [fake]\nfaults: [{ at: 19s, kill: all }]`);
  const trial = completed(result);
  assert.equal(trial.descriptors?.baseline, 30);
  assert.ok(trial.ledger.missed > 0);
});

test('a server that does not come back is a fault that could not be done', async () => {
  const fleet = fakeFleet();
  let started = 0;
  const { result } = await runFake(
    `variants: [fake]\n${cluster}\nfaults: [{ at: 2s, kill: 3 }, { at: 3s, restart: 3 }]`,
    {
      fleet: {
        ...fleet,
        server(index) {
          const peer = fleet.server(index);
          if (++started > 3) void peer.kill();
          return peer;
        },
      },
    },
  );
  const trial = completed(result);
  assert.deepEqual(
    trial.faults!.map(({ atUs, why }) => [atUs, why]),
    [
      [2_000_000, undefined],
      [null, 'server 3 did not come up'],
    ],
  );
  assert.equal(trial.valid, false);
  assert.deepEqual([...fleet.running], []);
});

test('a server of several that dies by itself ends the trial as it ever did', async () => {
  const fleet = fakeFleet();
  const { result } = await runFake(`variants: [{ fake: { fail: server-dies } }]\n${cluster}`, { fleet });
  const { outcome } = result.trials[0]!;
  assert.equal(outcome.status, 'failed');
  assert.equal(outcome.status === 'failed' && outcome.code, 'child-ended');
  assert.deepEqual([...fleet.running], []);
});

test('subscribers know all servers from the beginning, and the publisher those that run', async () => {
  const fleet = fakeFleet();
  const told: (ServerCommand | LoadCommand)[] = [];
  await runFake(`variants: [fake]\n${cluster}\nfaults: [{ at: 2s, start: 4 }]`, {
    fleet: {
      ...fleet,
      load(index) {
        const peer = fleet.load(index);
        return { ...peer, send: (command) => (told.push(command), peer.send(command)) };
      },
      server(index) {
        const peer = fleet.server(index);
        return { ...peer, send: (command) => (told.push(command), peer.send(command)) };
      },
    },
  });
  const starts = told.filter(({ kind }) => kind === 'start');
  const ports = starts.flatMap((one) =>
    one.kind === 'start' && 'ports' in one && one.ports ? [one.ports.main] : [],
  );
  assert.equal(ports.length, 4);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const [endpoint] = starts.flatMap((one) => ('endpoint' in one ? [one.endpoint] : []));
  assert.deepEqual(endpoint, {
    url: urls[0],
    over: 'h1',
    publishUrl: urls[0],
    urls,
    publishUrls: urls.slice(0, 3),
  });
});
