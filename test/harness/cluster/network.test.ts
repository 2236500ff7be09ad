// Puts the network between the real processes of a trial: it runs through, both sides are accounted for, the
// result says what was between them, and nothing is left.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { atUrls, clientRoutes } from '../../../harness/cluster/network.ts';
import { prepare, run } from '../../../harness/run/run.ts';
import { processes, type Fleet } from '../../../harness/trial/fleet.ts';
import { completed } from '../../fake/run.ts';

const endpoint = { url: 'http://127.0.0.1:1', over: 'h1' as const, publishUrl: 'http://127.0.0.1:1' };

test('subscribers get the address of the network, and publishing goes past it', () => {
  assert.deepEqual(
    clientRoutes(endpoint).map(({ to }) => to),
    ['http://127.0.0.1:1'],
  );
  assert.deepEqual(atUrls(endpoint, ['http://127.0.0.1:9']), { ...endpoint, url: 'http://127.0.0.1:9' });
});

test('of a list of servers each has one, in its order', () => {
  const urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2'];
  const cluster = { ...endpoint, urls, publishUrls: urls };
  assert.deepEqual(
    clientRoutes(cluster).map(({ to, between }) => [to, between]),
    urls.map((url) => [url, 'clients']),
  );
  const through = ['http://127.0.0.1:8', 'http://127.0.0.1:9'];
  assert.deepEqual(atUrls(cluster, through), { ...cluster, url: through[0], urls: through });
});

const yaml = `question: Does it go through?
subscribers: 40
topics: { news: { publish: 40/s } }
phases: { connect: 200ms, warmup: 200ms, measure: 3s, drain: 5s }
reconnect: { base: 50ms, cap: 200ms }
network: { latency: 20ms, jitter: 5ms }
faults:
  - { at: 200ms, network: { reset: true }, share: 50% }
  - { at: 600ms, network: { silence: both }, share: 50%, for: 300ms }
  - { at: 1100ms, network: { partition: true }, share: 30%, for: 200ms }
variants: [sse]
`;

test('a trial goes through it, is cut and silenced by it, and loses nothing', async () => {
  const { scenario, source } = parseScenario(yaml, {
    file: 'network.yaml',
    registry: patterns,
    overrides: [],
  });
  const pids: number[] = [];
  const fleet: Fleet = {
    ...processes,
    network() {
      const peer = processes.network();
      pids.push(peer.pid);
      return peer;
    },
  };
  const options = {
    registry: patterns,
    folder: '.',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    fleet,
    signal: new AbortController().signal,
  };
  const result = await run(prepare(scenario, options), options);
  for (const [i, { warnings }] of result.trials.entries()) {
    const trial = completed(result, i);
    const { ledger, checks, faults, latency, processes: uses } = trial;
    assert.ok(ledger.delivered > 1000);
    assert.deepEqual([ledger.missed, ledger.corrupted, ledger.unexpected], [0, 0, 0]);
    assert.ok(latency.endToEnd.minUs >= 15_000, 'nothing is faster than its latency less jitter');
    assert.ok(faults!.every(({ atUs }) => atUs !== null));
    const unexplained = checks.filter(({ agree, note }) => !agree && !note.includes('the network between'));
    assert.deepEqual(unexplained, []);
    const [own] = uses.filter(({ role }) => role === 'network');
    assert.ok(own!.cpuUs > 0 && own!.rssConnectedBytes > 0);
    const said = warnings.find(({ code }) => code === 'through-network')!.message;
    assert.match(
      said,
      /a network with latency 20ms ± 5ms each way.* \d+ connections, of which \d+ were reset/,
    );
    assert.equal(trial.network, undefined, 'packets would be counted twice');
  }
  const written = JSON.parse(JSON.stringify(result));
  assert.deepEqual(resultSchema.parse(written), written);
  assert.equal(pids.length, 1);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
