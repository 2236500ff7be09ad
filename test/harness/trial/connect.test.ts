// Holds in virtual time what happens before the first event: idle baselines, the ramp, and a barrier that
// opens when every load process has all its subscribers.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { PatternRegistry } from '../../../core/pattern/pattern.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { connect } from '../../../harness/trial/connect.ts';
import { planOf } from './readings.ts';
import { loadSample, stageOf, type ScriptedStage } from './scripted-stage.ts';

/** Ready after 100 and after 700 ms, with five and then only four subscribers; each takes a megabyte more. */
function slowRamp(): ScriptedStage {
  const ready = [false, false];
  const scripted: ScriptedStage = stageOf(
    planOf(),
    {
      load: {
        start: (_, inbox, index) => {
          scripted.later(scripted.world.clock.nowUs() + [100_000, 700_000][index]!, () => {
            ready[index] = true;
            inbox.deliver({ kind: 'ready', connectMs: 1 });
          });
        },
        sample: (_, inbox, index) => {
          const report = loadSample(scripted.world, ready[index] ? 5 - index : 0);
          assert.ok(report.kind === 'sample');
          inbox.deliver({ ...report, sample: { ...report.sample, rssBytes: ready[index] ? 41e6 : 40e6 } });
        },
      },
    },
    {
      probe: {
        classifyDescriptors: () => {
          const sockets = ready.filter(Boolean).length * 5;
          return { total: 20 + sockets, sockets };
        },
        kernelSocketBytes: () => (ready[0] ? 9000 : 4096),
        hostMemory: () => ({ availableBytes: 8e9, slabBytes: ready[1] ? 3e6 : 2e6, socketBytes: 0 }),
      },
    },
  );
  return scripted;
}

test('the barrier opens when the last load process is ready, and not before', async () => {
  const { stage, first, order } = slowRamp();
  const { connectUs, subscribers } = await connect(stage);
  assert.equal(connectUs, 700_000);
  assert.equal(subscribers, 9, 'one of ten went before the barrier');
  assert.deepEqual(order('start'), ['server 1 start', 'load 1 start', 'load 2 start', 'publisher start']);
  assert.ok(first('publisher', 'start').atUs >= first('load 2', 'start').atUs + 700_000);
  assert.equal(first('load 1', 'start').atUs, first('load 2', 'start').atUs);
});

test('baselines are read of idle processes after a collection, and again with all connected', async () => {
  const { stage, order } = slowRamp();
  const { processes, descriptors, kernelBaselineBytes, hostMemory } = await connect(stage);
  assert.deepEqual(
    processes.map(({ role, index, baseline, connected }) => [
      `${role} ${index}`,
      baseline.rssBytes,
      connected.rssBytes,
    ]),
    [
      ['server 0', 50e6, 50e6],
      ['load 0', 40e6, 41e6],
      ['load 1', 40e6, 41e6],
      ['publisher 0', 50e6, 50e6],
    ],
  );
  assert.deepEqual(
    processes.map(({ pid }) => pid),
    [stage.peers.servers[0].pid, ...stage.peers.loads.map(({ pid }) => pid), stage.peers.publisher.pid],
  );
  assert.deepEqual(descriptors, {
    baseline: { total: 20, sockets: 0 },
    connected: { total: 30, sockets: 10 },
  });
  assert.equal(kernelBaselineBytes, 4096);
  assert.deepEqual([hostMemory!.baseline.slabBytes, hostMemory!.connected.slabBytes], [2e6, 3e6]);
  assert.deepEqual(order('collect', 'start'), [
    'server 1 start',
    'server 1 collect',
    'load 1 collect',
    'load 2 collect',
    'load 1 start',
    'load 2 start',
    'publisher start',
    'server 1 collect',
    'load 1 collect',
    'load 2 collect',
  ]);
  for (const name of ['server 1', 'load 1', 'load 2'])
    assert.match(
      order('collect', 'sample')
        .filter((one) => one.startsWith(name))
        .join(),
      new RegExp(`^${name} collect,${name} sample`),
    );
});

test('each load process is given its share, and the publisher what it is to send', async () => {
  const plan = planOf({ subscribers: 5, phases: { connect: '300ms', warmup: '1s', measure: '10s' } });
  const { stage, first } = stageOf(plan);
  const { connectUs } = await connect(stage);
  assert.equal(connectUs, 300_000);
  const shares = ['load 1', 'load 2'].map((name) => {
    const { command } = first(name, 'start');
    assert.ok('connectMs' in command);
    const { first: from, count, subscribers, connectMs, topics, endpoint, browser } = command;
    assert.deepEqual([topics, endpoint.url, browser], [plan.topics, 'http://127.0.0.1:1', undefined]);
    return [from, count, subscribers, connectMs];
  });
  assert.deepEqual(shares, [
    [0, 2, 5, 300],
    [2, 3, 5, 300],
  ]);
  const { command } = first('publisher', 'start');
  assert.ok('publishUrl' in command);
  assert.deepEqual([command.publishUrl, command.plan], ['http://127.0.0.1:2', plan.publish]);
});

test('subscribers that fit on one address come from 127.0.0.1, more from those of a trial', async () => {
  const addressesIn = async (more: object) => {
    const { stage, first } = stageOf({ ...planOf({ subscribers: 5 }), ...more });
    await connect(stage);
    return ['load 1', 'load 2'].map((name) => {
      const { command } = first(name, 'start');
      assert.ok('connectMs' in command);
      return command.addresses;
    });
  };
  assert.deepEqual(await addressesIn({}), [undefined, undefined]);
  // As a target that carries one topic a connection.
  const [one, same] = await addressesIn({ connectionsEach: 2500 });
  assert.deepEqual([one!.each, same], [1, one]);
  const [later] = await addressesIn({ connectionsEach: 2500 });
  assert.notEqual(later!.first, one!.first);
});

test('where subscribers publish, the publisher sends nothing of theirs', async () => {
  const plan = planOf({ topics: { news: { publish: '4/s' }, chat: { publish: '6/s', by: 'subscribers' } } });
  const { stage, first } = stageOf(plan);
  await connect(stage);
  const { command } = first('publisher', 'start');
  assert.ok('publishUrl' in command);
  assert.deepEqual(new Set(command.plan.topic), new Set([0]));
  assert.equal(command.plan.topic.length, 44);
});

test('what the samples of a server will say is what the first server said', async () => {
  const readings = async (first?: 'outside' | 'none') => {
    const endpoint = { url: 'http://h:1', over: 'h1' as const, publishUrl: 'http://h:2' };
    const { stage } = stageOf(planOf(), {
      server: {
        start: (_, inbox) =>
          inbox.deliver({ kind: 'listening', endpoint, ...(first && { readings: first }) }),
      },
    });
    return (await connect(stage)).serverReadings;
  };
  assert.equal(await readings(), 'self');
  assert.equal(await readings('outside'), 'outside');
  assert.equal(await readings('none'), 'none');
});

test('descriptors of several servers add up, and each starts before anybody connects', async () => {
  const counts = new Map<number, number>();
  const { stage, order } = stageOf(
    planOf(),
    {},
    { servers: 2, probe: { classifyDescriptors: (pid) => ({ total: counts.get(pid)!, sockets: 1 }) } },
  );
  stage.peers.servers.forEach(({ pid }, i) => counts.set(pid, 10 + i));
  const { descriptors } = await connect(stage);
  assert.deepEqual(descriptors.baseline, { total: 21, sockets: 2 });
  assert.deepEqual(order('start').slice(0, 2), ['server 1 start', 'server 2 start']);
});

describe('of the connections that a browser has, its pages leave free', () => {
  const registry: PatternRegistry = patterns;
  const free = async (pattern: string, options: Record<string, unknown> = {}) => {
    const all = { ...registry[pattern]!.options.parse({}), ...options };
    const { stage, first } = stageOf(
      planOf({ browser: { tabs: 2, connections: 6, requests: '1/s' } }),
      {},
      { variant: variantOf(registry, pattern, all) },
    );
    await connect(stage);
    const { command } = first('load 1', 'start');
    assert.ok('connectMs' in command && command.browser);
    assert.deepEqual([command.browser.tabs, command.browser.perS], [2, 1]);
    return command.browser.free;
  };
  test('those that no page holds a request on', async () => {
    assert.equal(await free('sse'), 4);
    assert.equal(await free('long-polling'), 4);
  });
  test('all, where nothing is held', async () => assert.equal(await free('websocket'), 6));
  test('no number of them, where all share one', async () =>
    assert.equal(await free('sse', { over: 'h2' }), undefined));
});
