// Runs trials of real servers on real brokers, which faults kill, stop and start again: every event is
// accounted for, nothing of them is left, and the result says what happened when.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { resultSchema, type Completed, type Result } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run, type RunOptions } from '../../../harness/run/run.ts';
import { processes, type Fleet } from '../../../harness/trial/fleet.ts';
import { noKafka } from '../../kafka-server.ts';
import { skipWhen } from '../../skip.ts';

const noRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (Debian: apt-get install redis-server)';

const limitMs = 90_000;

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The real fleet, with the processes that it started. */
function watched(): { fleet: Fleet; pids: number[] } {
  const pids: number[] = [];
  return {
    pids,
    fleet: {
      ...processes,
      server(index) {
        const peer = processes.server(index);
        pids.push(peer.pid);
        return peer;
      },
      broker(which) {
        const broker = processes.broker(which);
        const { start } = broker;
        return Object.defineProperty(broker, 'start', {
          value: async () => {
            await start();
            if (broker.pid !== undefined) pids.push(broker.pid);
          },
        });
      },
    },
  };
}

async function runReal(
  yaml: string,
  { fleet, signal, drain = '10s' }: { fleet: Fleet; signal?: AbortSignal; drain?: string },
) {
  const head = `question: Is every event accounted for?
subscribers: 12
topics: { news: { publish: 20/s } }
phases: { connect: 200ms, warmup: 200ms, measure: 4s, drain: ${drain} }
`;
  const { scenario, source } = parseScenario(head + yaml, {
    file: 'servers.yaml',
    registry: patterns,
    overrides: [],
  });
  const options: RunOptions = {
    registry: patterns,
    folder: '.',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    fleet,
    signal: signal ?? new AbortController().signal,
  };
  return run(prepare(scenario, options), options);
}

function completed({ trials: [trial] }: Result): Completed {
  assert.equal(trial?.outcome.status, 'completed', JSON.stringify(trial?.outcome));
  return trial.outcome;
}

test('servers and their broker die and come back, and no event is lost', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { fleet, pids } = watched();
  const result = await runReal(
    `variants: [sse]
servers: { count: 3, broker: redis-streams }
faults:
  - { at: 400ms, kill: 1 }
  - { at: 800ms, restart: 1 }
  - { at: 1200ms, start: 4 }
  - { at: 2s, broker: kill, for: 100ms }
  - { at: 3s, freeze: server, for: 200ms, server: 2 }
`,
    { fleet },
  );
  const trial = completed(result);
  const { ledger, faults, processes: used } = trial;
  assert.deepEqual([ledger.published, ledger.expected], [80, 960]);
  assert.deepEqual([ledger.missed, ledger.unexpected, ledger.unconfirmed], [0, 0, 0]);
  for (const { did, atMs, atUs } of faults!) {
    assert.notEqual(atUs, null, did);
    assert.ok(atUs! >= atMs * 1000, did);
  }
  assert.deepEqual(trial.checks, []);
  assert.ok(result.trials[0]!.warnings.some(({ code }) => code === 'server-killed'));
  assert.deepEqual(
    used.map(({ role, index }) => `${role} ${index}`),
    ['server 0', 'server 1', 'server 2', 'server 3', 'load 0', 'publisher 0', 'broker 0'],
  );
  for (const { role, index, cpuUs } of used) assert.ok(cpuUs > 0, `${role} ${index} used ${cpuUs}`);
  assert.match(result.environment.programs![0]!, /^redis-server \d/);
  assert.equal(pids.length, 3 + 2 + 2); // servers, their second lives, the broker's
  assert.deepEqual(pids.filter(alive), []);
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
});

test(
  'over what stands in for Kafka, frozen and with a server killed: no event is lost, and no time is shown',
  { timeout: limitMs },
  async (t) => {
    skipWhen(t, noKafka);
    const { fleet, pids } = watched();
    const result = await runReal(
      `variants: [websocket]
servers: { count: 2, broker: kafka }
faults:
  - { at: 500ms, kill: 1 }
  - { at: 900ms, restart: 1 }
  - { at: 2s, broker: freeze, for: 500ms }
`,
      { fleet, drain: '20s' },
    );
    const { ledger, voids } = completed(result);
    assert.equal(ledger.published, 80);
    assert.deepEqual([ledger.missed, ledger.unexpected, ledger.unconfirmed], [0, 0, 0]);
    assert.deepEqual(voids?.['emulated'], ['latency', 'backlog', 'pace']);
    const emulated = result.trials[0]!.warnings.find(({ code }) => code === 'emulated');
    assert.match(emulated!.message, /used an emulator of Kafka \(librdkafka's mock cluster\) instead/);
    assert.match(result.environment.programs![0]!, /^kcat \d/);
    assert.deepEqual(pids.filter(alive), []);
  },
);

test(
  'webhooks from topics of what stands in for Kafka, with a server killed: none is lost, no time is shown',
  { timeout: limitMs },
  async (t) => {
    skipWhen(t, noKafka || noRedis);
    const { fleet, pids } = watched();
    const result = await runReal(
      `variants: [{ webhook: { store: kafka, timeout: 1s, retries: [300ms, 1s, 1s] } }]
servers: { count: 2 }
faults:
  - { at: 1s, kill: 1 }
  - { at: 2s, restart: 1 }
`,
      { fleet, drain: '40s' },
    );
    const { ledger, voids, processes: used } = completed(result);
    assert.equal(ledger.missed, 0);
    assert.deepEqual(voids?.['emulated'], ['latency', 'backlog', 'pace']);
    // The Redis with the records, and the emulator.
    assert.equal(used.filter(({ role }) => role === 'broker').length, 2);
    assert.ok(result.environment.programs!.some((one) => one.includes('emulator of Kafka')));
    assert.deepEqual(pids.filter(alive), []);
  },
);

test(
  'a server alone that is stopped counts to the end, and both sides agree',
  { timeout: limitMs },
  async () => {
    const { fleet, pids } = watched();
    const result = await runReal('variants: [websocket]\nfaults: [{ at: 3900ms, stop: 1 }]\n', {
      fleet,
      drain: '1s',
    });
    const trial = completed(result);
    assert.equal(trial.servers, undefined);
    assert.ok(trial.counters.server.events > 0);
    assert.deepEqual(
      trial.checks.filter(({ agree, note }) => !agree && note === ''),
      [],
    );
    assert.ok(trial.checks.some(({ name, agree }) => name === 'events' && agree));
    assert.deepEqual(pids.filter(alive), []);
  },
);

test('an interrupted trial leaves no server and no broker', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { fleet, pids } = watched();
  const controller = new AbortController();
  const ended = runReal(
    `variants: [sse]
servers: { count: 2, broker: redis-pubsub }
faults: [{ at: 0s, kill: 2 }, { at: 100ms, restart: 2 }]
`,
    {
      fleet: {
        ...fleet,
        load: (index) => (setTimeout(() => controller.abort(new Error('enough')), 2500), fleet.load(index)),
      },
      signal: controller.signal,
    },
  );
  const { state } = await ended;
  assert.equal(state.kind, 'interrupted');
  assert.ok(pids.length >= 3);
  assert.deepEqual(pids.filter(alive), []);
});
