// What HAProxy cuts because nobody says anything on it: sockets without pings, streams without heartbeats,
// and polls that are held for longer.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { skipWhen } from '../../skip.ts';
import { absent, behindHaproxy, until } from './behind-haproxy.ts';

describe.concurrent('a connection without a byte is cut after the idle time', () => {
  test('a WebSocket without pings is, and comes back', async (t) => {
    skipWhen(t, absent);
    const { seen, subscribe } = await behindHaproxy(t, 'websocket', { idleMs: 400 });
    await subscribe(0, 2);
    await until(() => seen.lost.length >= 2 && seen.ready.length >= 4);
  });

  test('a WebSocket with pings is not', async (t) => {
    skipWhen(t, absent);
    const { seen, subscribe } = await behindHaproxy(t, 'websocket', {
      idleMs: 1500,
      options: { ping: '200ms' },
    });
    await subscribe(0, 2);
    await sleep(3500);
    assert.deepEqual(seen.lost, []);
  });

  test('an event stream without heartbeats is, one with them is not', async (t) => {
    skipWhen(t, absent);
    const silent = await behindHaproxy(t, 'sse', { idleMs: 400 });
    const beating = await behindHaproxy(t, 'sse', { idleMs: 1500, options: { heartbeat: '200ms' } });
    await Promise.all([silent.subscribe(0, 2), beating.subscribe(0, 2)]);
    await until(() => silent.seen.lost.length >= 2 && silent.seen.ready.length >= 4);
    await sleep(3500);
    assert.deepEqual(beating.seen.lost, []);
  });

  test('a poll that is held for longer is answered 504', async (t) => {
    skipWhen(t, absent);
    const { seen, subscribe } = await behindHaproxy(t, 'long-polling', {
      servers: 1,
      idleMs: 400,
      options: { hold: '20s' },
    });
    await subscribe(0, 1);
    await until(() => seen.problems.some(({ message }) => message.endsWith('status 504')));
  });
});
