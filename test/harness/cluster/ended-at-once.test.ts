// Holds what is said of a broker or HAProxy that ends before it is of use: how it ended and what it printed,
// at once, and not that the trial was under way.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'vitest';
import { createBroker } from '../../../harness/cluster/brokers.ts';
import { createHaproxy } from '../../../harness/cluster/haproxy/haproxy.ts';
import { TrialFailure } from '../../../harness/process/peer.ts';
import { skipWhen } from '../../skip.ts';
import { absent, usual } from './behind-haproxy.ts';

/** Takes the port away. */
async function listenAt(port: number) {
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // of a TCP listener
    [Symbol.dispose]: () => void server.close(),
  };
}

/** Sooner than one that hangs is given up on, and with these words. */
async function failsSoon(starting: Promise<unknown>, said: RegExp): Promise<void> {
  const fromMs = performance.now();
  await assert.rejects(starting, (error) => {
    assert.ok(error instanceof TrialFailure);
    assert.match(error.message, said);
    return true;
  });
  assert.ok(performance.now() - fromMs < 8000, 'nobody waits for what has ended');
}

/** Nothing says that it ended in the middle of a trial. */
async function isWhole(broken: Promise<never>): Promise<void> {
  assert.equal(await Promise.race([broken, Promise.resolve('whole')]), 'whole');
}

for (const [kind, file] of [
  ['redis-pubsub', 'redis-server'],
  ['nats', 'nats-server'],
] as const)
  test(`a ${file} that finds its port taken`, async (t) => {
    skipWhen(t, spawnSync(file, ['--version']).status !== 0 && `${file} is not installed`);
    const broker = createBroker({ kind, url: undefined });
    t.onTestFinished(() => broker.stop());
    await broker.start();
    await broker.end('SIGKILL');
    using _taken = await listenAt(Number(new URL(broker.access.url).port));
    const said = `^${file} was started as the broker and ended \\(exit code 1\\)\\.\\n.*in use`;
    await failsSoon(broker.start(), new RegExp(said, 's'));
    await isWhole(broker.broken);
  });

test('a HAProxy that finds its port taken', async (t) => {
  skipWhen(t, absent);
  using taken = await listenAt(0);
  const haproxy = createHaproxy({
    ...usual,
    servers: ['http://127.0.0.1:1'],
    freePort: () => Promise.resolve(taken.port),
  });
  t.onTestFinished(() => haproxy.stop());
  await failsSoon(haproxy.start(), /in front of the servers and ended \(exit code 1\)\.\n.*127\.0\.0\.1/s);
  await isWhole(haproxy.broken);
});
