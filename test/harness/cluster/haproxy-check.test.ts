// HAProxy that connects to servers and HAProxy that asks them: which of the two notices that a server is
// drained, accepts without serving, or stands still.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { checkNames } from '../../../core/scenario/servers.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { skipWhen } from '../../skip.ts';
import { absent, behindHaproxy, startHaproxy, until, usual } from './behind-haproxy.ts';

/** An answer has so long to come: servers of these tests share a core with their subscribers. */
const every = { everyMs: 500, fall: 2, rise: 1 };
/** After this time a check that notices it has done so. */
const longEnoughMs = 2000;

describe.concurrent('a check', () => {
  test.for(checkNames)('%s: a drained server', async (kind, t) => {
    skipWhen(t, absent);
    const { haproxy, servers, seen, subscribe } = await behindHaproxy(t, 'websocket', {
      check: { kind, ...every },
    });
    // A busy machine answers a check late, and then a server is down until the next one.
    await until(async () => (await haproxy.stats()).every(({ status }) => status === 'UP'));
    await subscribe(0, 40);
    const [first = 0, second = 0] = await haproxy.sessions();
    assert.ok(first > 0, 'both are up');
    void servers[0]!.drain({ windowMs: 60_000, limitMs: 60_000 }); // the first is told at once
    await until(() => seen.lost.length === 1);
    const status = async () => (await haproxy.stats())[0]!.status;
    if (kind === 'http') {
      await until(async () => (await status()) === 'DOWN');
      await until(() => seen.ready.length === 41);
      const { refusals } = servers[0]!.counters();
      await subscribe(40, 50);
      const now = [first - 1, second + 11];
      assert.deepEqual(await haproxy.sessions(), now, 'those who are there stay, new ones go elsewhere');
      assert.equal(servers[0]!.counters().refusals, refusals, 'and nobody is refused any more');
    } else {
      await sleep(longEnoughMs);
      assert.equal(await status(), 'UP');
      assert.equal(seen.ready.length, 40, 'who was let go is brought back to it, as it has the fewest');
      assert.ok(servers[0]!.counters().refusals > 1, 'and refused, again and again');
    }
  });

  test.for(checkNames)('%s: a server that accepts and closes', async (kind, t) => {
    skipWhen(t, absent);
    const { haproxy, servers, subscribe } = await behindHaproxy(t, 'sse', { check: { kind, ...every } });
    servers[0]!.refuse('accept-then-close');
    const status = async () => (await haproxy.stats())[0]!.status;
    if (kind === 'tcp') {
      await sleep(longEnoughMs);
      assert.equal(await status(), 'UP');
      return;
    }
    await until(async () => (await status()) === 'DOWN');
    await subscribe(0, 10);
    assert.equal(servers[1]!.subscribers(), 10);
    servers[0]!.refuse('off');
    await until(async () => (await status()) === 'UP');
    assert.equal(servers[0]!.counters().errors, 0);
  });

  test.for([
    ['h2', { options: { over: 'h2' } }],
    ['h2c', { options: { over: 'h2c' } }],
    ['TLS', { tls: true }],
  ] as const)('http, of servers that speak %s', async ([, speaks], t) => {
    skipWhen(t, absent);
    const { haproxy, servers, subscribe } = await behindHaproxy(t, 'sse', {
      mode: 'tcp',
      check: { kind: 'http', ...every },
      ...speaks,
    });
    await subscribe(0, 2);
    const opened = () => servers.map((one) => one.counters().connectionsOpened);
    const before = opened();
    await sleep(5 * every.everyMs);
    const states = async () => (await haproxy.stats()).map(({ status }) => status);
    assert.deepEqual(await states(), ['UP', 'UP']);
    assert.deepEqual(opened(), before, 'checks are no connections');
    servers[1]!.refuse('dependency-down');
    await until(async () => (await states()).join() === 'UP,DOWN');
  });

  test('a server that stands still is up to a connect, and down to a request', async (t) => {
    skipWhen(t, absent);
    const options = patterns.sse.options.parse({});
    const peer = processes.server(0);
    t.onTestFinished(() => peer.stop(1000));
    peer.send({ kind: 'start', pattern: 'sse', options, limits: defaultLimits, seed: 0 });
    const { url } = (await peer.next('listening', 15_000)).endpoint;
    const [byConnect, byRequest] = await Promise.all(
      checkNames.map((kind) => startHaproxy(t, { ...usual, servers: [url], check: { kind, ...every } })),
    );
    process.kill(peer.pid!, 'SIGSTOP');
    t.onTestFinished(() => void process.kill(peer.pid!, 'SIGCONT'));
    await until(async () => (await byRequest!.stats())[0]!.status === 'DOWN');
    assert.equal((await byConnect!.stats())[0]!.status, 'UP');
    process.kill(peer.pid!, 'SIGCONT');
    await until(async () => (await byRequest!.stats())[0]!.status === 'UP');
  });
});
