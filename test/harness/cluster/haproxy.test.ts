// HAProxy in front of two reference servers: who gets what as it is drained, reloaded and told to close, and
// what becomes of subscribers when a server dies.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { readStat, RuntimeError } from '../../../harness/cluster/haproxy/runtime.ts';
import { TrialFailure } from '../../../harness/process/peer.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { loads } from '../../../load/registry.ts';
import { testContext } from '../../load/context.ts';
import { skipWhen } from '../../skip.ts';
import {
  absent,
  behindHaproxy,
  moveServer,
  runtimeOf,
  startHaproxy,
  until,
  usual,
} from './behind-haproxy.ts';

describe.concurrent('leastconn', () => {
  test.for(['websocket', 'sse'] as const)(
    '%s: drained, reloaded, closed, filled again',
    async (pattern, t) => {
      skipWhen(t, absent);
      const { haproxy, servers, seen, subscribe } = await behindHaproxy(t, pattern);
      await subscribe(0, 40);
      assert.deepEqual(await haproxy.sessions(), [20, 20], 'the fewest: half each');
      assert.deepEqual(
        servers.map((server) => server.subscribers()),
        [20, 20],
      );

      await haproxy.drain(1);
      await subscribe(40, 50);
      assert.deepEqual(
        await haproxy.sessions(),
        [20, 30],
        'drained: it keeps what it has and gets nothing new',
      );
      assert.deepEqual(
        (await haproxy.stats()).map(({ status }) => status),
        ['DRAIN', 'UP'],
      );

      const before = haproxy.pids();
      const probes = probing(haproxy.url);
      await haproxy.reload();
      assert.deepEqual(await probes.end(), { refused: 0 }, 'a reload refuses nobody');
      assert.deepEqual(await haproxy.sessions(), [20, 30], 'old connections live on');
      assert.deepEqual(seen.lost, []);
      await settles(async () => haproxy.pids().length, before.length + 1); // in the worker of before
      await subscribe(50, 55);
      assert.deepEqual(await haproxy.sessions(), [20, 35], 'and who was drained is still');

      await haproxy.shutDown(1);
      await until(() => seen.lost.length === 20);
      await until(() => seen.ready.length === 75);
      await settles(haproxy.sessions, [0, 55]); // closed at once, and back at the other

      await haproxy.ready(1);
      await subscribe(55, 65);
      assert.deepEqual(await haproxy.sessions(), [10, 55], 'the empty one is filled first, alone');
      await haproxy.shutDown(2);
      await until(() => haproxy.pids().length === before.length); // the old worker holds nothing now
    },
  );

  test('ready is done when what it says is true, also of a server that has just started', async (t) => {
    skipWhen(t, absent);
    const { haproxy, servers, subscribe } = await behindHaproxy(t, 'sse');
    const status = async () => (await haproxy.stats())[1]!.status;
    await haproxy.drain(2);
    await moveServer(haproxy, 2, 1); // nothing listens there
    await until(async () => /^DOWN$/.test(await status()));
    await moveServer(haproxy, 2, Number(new URL(servers[1]!.endpoint.url).port));
    await haproxy.ready(2);
    assert.equal(await status(), 'UP');
    await haproxy.drain(1);
    await subscribe(0, 4);
    assert.deepEqual(
      servers.map((server) => server.subscribers()),
      [0, 4],
    );
  });

  test('maxconn keeps who is beyond waiting, until there is room', async (t) => {
    skipWhen(t, absent);
    const { servers, load, seen, subscribe } = await behindHaproxy(t, 'websocket', { maxconn: 3 });
    await subscribe(0, 6);
    load.open(6);
    await sleep(300); // the others took a few milliseconds
    assert.ok(!seen.ready.includes(6));
    assert.deepEqual(
      servers.map((server) => server.subscribers()),
      [3, 3],
    );
    load.leave!(0);
    await until(() => seen.ready.includes(6));
  });
});

test('a killed server: what it held closes, and who comes then is brought to the other', async (t) => {
  skipWhen(t, absent);
  const options = patterns.sse.options.parse({});
  const peers = [processes.server(0), processes.server(1)];
  for (const peer of peers) t.onTestFinished(() => peer.stop(1000));
  const urls = await Promise.all(
    peers.map(async (peer, i) => {
      peer.send({ kind: 'start', pattern: 'sse', options, limits: defaultLimits, seed: i });
      return (await peer.next('listening', 15_000)).endpoint.url;
    }),
  );
  const haproxy = await startHaproxy(t, { ...usual, servers: urls });
  const seen = testContext(haproxy.url);
  const load = await (await loads.sse()).start(seen.context, options);
  t.onTestFinished(() => load.close(0));
  for (let i = 0; i < 30; i++) load.open(i);
  await until(() => seen.ready.length === 30);
  assert.deepEqual(await haproxy.sessions(), [15, 15]);
  await peers[0]!.kill();
  await until(() => seen.lost.length === 15 && seen.ready.length === 45);
  await settles(haproxy.sessions, [0, 30]);
  for (let i = 30; i < 40; i++) load.open(i);
  await until(() => seen.ready.length === 55);
  await until(async () => (await haproxy.stats())[0]!.status === 'DOWN');
});

test.for(['h2', 'h2c'] as const)(
  '%s: bytes are passed on, and connections are what is counted',
  async (over, t) => {
    skipWhen(t, absent);
    const { haproxy, servers, seen, subscribe } = await behindHaproxy(t, 'sse', {
      mode: 'tcp',
      options: { over },
    });
    await subscribe(0, 100);
    await subscribe(100, 150);
    assert.deepEqual(await haproxy.sessions(), [1, 1]);
    assert.deepEqual(servers.map((server) => server.subscribers()).toSorted(), [100, 50]);
    const sum = (of: 'bytesIn' | 'bytesOut' | 'errors' | 'connectionsOpened') =>
      servers.reduce((all, server) => all + server.counters()[of], 0);
    assert.deepEqual([sum('connectionsOpened'), sum('errors')], [2, 0], 'health checks are no connections');
    assert.deepEqual(seen.problems, []);
  },
);

test.for(['sse', 'http-stream', 'long-polling'] as const)(
  '%s: who leaves is gone for its server too, and is no error there',
  async (pattern, t) => {
    skipWhen(t, absent);
    const { servers, load, subscribe } = await behindHaproxy(t, pattern, { servers: 1 });
    const [server] = servers;
    await subscribe(0, 5);
    await until(() => server!.subscribers() === 5);
    for (let i = 0; i < 5; i++) load.leave!(i);
    await until(() => server!.subscribers() === 0); // heartbeats are 15 s apart, and a hold lasts longer
    assert.equal(server!.counters().errors, 0);
  },
);

test('a reload costs no poller its connection in the middle of a poll', async (t) => {
  skipWhen(t, absent);
  const { haproxy, seen, subscribe } = await behindHaproxy(t, 'polling', { options: { every: '20ms' } });
  await subscribe(0, 100);
  for (let i = 0; i < 2; i++) {
    await haproxy.reload();
    await sleep(500);
  }
  assert.deepEqual([seen.lost.length, seen.problems], [0, []]);
});

test('TLS passes through, whatever is done to HAProxy', async (t) => {
  skipWhen(t, absent);
  const { haproxy, servers, seen, subscribe } = await behindHaproxy(t, 'websocket', {
    mode: 'tcp',
    tls: true,
  });
  assert.match(haproxy.url, /^https:/);
  await subscribe(0, 10);
  assert.deepEqual(
    servers.map((server) => server.subscribers()),
    [5, 5],
  );
  await haproxy.reload();
  await haproxy.drain(1);
  await haproxy.shutDown(1);
  await until(() => seen.ready.length === 15);
  await settles(async () => servers.map((server) => server.subscribers()), [0, 10]);
  assert.deepEqual(seen.problems, []);
});

test('when HAProxy is gone, those who ask are told so, and so is the trial', async (t) => {
  skipWhen(t, absent);
  const { haproxy, seen, subscribe } = await behindHaproxy(t, 'sse');
  await subscribe(0, 2);
  const gone = (error: unknown) => error instanceof RuntimeError && error.code === 'gone';
  const broken = assert.rejects(
    haproxy.broken,
    (error) => error instanceof TrialFailure && error.code === 'in-front-ended',
  );
  for (const pid of haproxy.pids()) process.kill(pid, 'SIGKILL');
  await broken;
  await assert.rejects(haproxy.drain(1), gone);
  await assert.rejects(haproxy.sessions(), gone);
  assert.deepEqual(haproxy.pids(), []);
  await until(() => seen.lost.length === 2);
});

test('its statistics are those that it gives as JSON', async (t) => {
  skipWhen(t, absent);
  const { haproxy, subscribe } = await behindHaproxy(t, 'sse');
  await subscribe(0, 5);
  const { ask } = runtimeOf(haproxy);
  type Field = { field: { name: string }; objType: string; value: { value: unknown } };
  const before = readStat(await ask('show stat'));
  const asJson = JSON.parse(await ask('show stat json')) as Field[][]; // HAProxy's own format
  const after = readStat(await ask('show stat'));
  assert.equal(before.length, asJson.length);
  let compared = 0;
  for (const [i, row] of before.entries())
    for (const { field, value } of asJson[i]!) {
      // Of what moves meanwhile nobody knows what it was in between.
      const own = row.get(field.name);
      if (own !== after[i]!.get(field.name)) continue;
      assert.equal(own, String(value.value), field.name);
      compared++;
    }
  assert.ok(compared > 100, `${compared}`);
});

test('what HAProxy refuses is an error with its words', async (t) => {
  skipWhen(t, absent);
  const { haproxy } = await behindHaproxy(t, 'sse');
  await assert.rejects(haproxy.drain(3), /there is no server 3 behind HAProxy; there are 2/);
  await assert.rejects(
    runtimeOf(haproxy).tell('set server servers/s3 state ready'),
    (error: RuntimeError) =>
      error.code === 'refused' &&
      /^HAProxy refused "set server servers\/s3 state ready": \w/.test(error.message),
  );
});

/** Waits until it is so, for what takes its time after the other side has seen it; else says what it is. */
async function settles<T>(read: () => Promise<T>, wanted: T): Promise<void> {
  const end = performance.now() + 5000;
  while (!isDeepStrictEqual(await read(), wanted) && performance.now() < end) await sleep(10);
  assert.deepEqual(await read(), wanted);
}

/** Connects again and again. */
function probing(url: string): { end(): Promise<{ refused: number }> } {
  const { hostname, port } = new URL(url);
  let over = false;
  let refused = 0;
  const run = async () => {
    while (!over)
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname)
          .once('connect', () => socket.destroy())
          .once('error', () => void refused++)
          .once('close', () => resolve());
      });
  };
  const all = Promise.all([run(), run(), run()]);
  return {
    async end() {
      over = true;
      await all;
      return { refused };
    },
  };
}
