// Runs for real where the loopback interface has ::1 and nothing else: a network namespace of its own.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'vitest';
import { resultSchema } from '../../core/result/result.ts';
import { skipWhen } from '../skip.ts';
import { start, temporaryFolder, writeScenario } from './tools.ts';

const onlyIpv6 = 'ip link set lo up && ip address del 127.0.0.1/8 dev lo && ';
const inNamespace = (script: string): [string, ...string[]] => ['unshare', '--net', 'sh', '-c', script];

test('without 127.0.0.1 every pattern meets its subscribers on ::1', async (t) => {
  const [command, ...args] = inNamespace(`${onlyIpv6}ip -6 address show dev lo | grep -q ::1`);
  skipWhen(
    t,
    spawnSync(command, args, { stdio: 'ignore' }).status === 0
      ? undefined
      : 'no network namespace with IPv6 alone can be made here',
  );
  const folder = temporaryFolder(t);
  const scenario = writeScenario(
    folder,
    'variants: [polling: { every: 200ms }, websocket, sse: { over: h2 }, webhook]',
  );
  const end = await start(['run', scenario, '--json', '--quiet'], folder, [
    ...inNamespace(`${onlyIpv6}exec "$0" "$@"`),
    process.execPath,
    resolve('cli/main.ts'),
  ]).ended;
  const result = resultSchema.parse(JSON.parse(end.stdout));
  assert.equal(result.environment.loopback, '::1', end.stderr);
  assert.equal(result.trials.length, 4);
  for (const { variant, outcome } of result.trials) {
    assert.ok(outcome.status === 'completed', JSON.stringify(outcome));
    assert.ok(outcome.ledger.expected > 0, variant.label);
    assert.deepEqual(
      [outcome.ledger.missed, outcome.ledger.delivered],
      [0, outcome.ledger.expected],
      variant.label,
    );
  }
});

test('where no loopback interface is up, the run is refused with what brings it up', async (t) => {
  const [command, ...args] = inNamespace('true');
  skipWhen(
    t,
    spawnSync(command, args, { stdio: 'ignore' }).status === 0
      ? undefined
      : 'no network namespace can be made here',
  );
  const folder = temporaryFolder(t);
  const end = await start(['run', writeScenario(folder, 'variants: [sse]')], folder, [
    ...inNamespace('exec "$0" "$@"'),
    process.execPath,
    resolve('cli/main.ts'),
  ]).ended;
  assert.equal(end.code, 3);
  assert.match(end.stderr, /no loopback interface is up, .* Bring it up with "ip link set lo up"/);
});
