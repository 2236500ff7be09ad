// Holds a server made worse on purpose to just what it was told, seen from its hub and its count of
// connections.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { test, vi } from 'vitest';
import { newCounters } from '../../core/result/counters.ts';
import { random } from '../../core/base/random.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import type { Injection } from '../../core/scenario/injection.ts';
import { createHub, type HubEvent } from '../../servers/hub/hub.ts';
import { injectHub, injectTally } from '../../servers/inject.ts';
import { createTally } from '../../servers/http/connection-counts.ts';

function hubWith(injection: Injection) {
  const plain = createHub(defaultLimits, { epoch: 'test' });
  return { plain, hub: injectHub(plain, defaultLimits, injection, random(1, 'test')) };
}

test('nothing to inject is the hub itself', () => {
  const { plain, hub } = hubWith({});
  assert.equal(hub, plain);
});

test('a delay holds back live and stored events alike, in order, and the publisher is told at once', (t) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { hub } = hubWith({ delayMs: 20 });
  const got: HubEvent[] = [];
  hub.subscribe(['news'], (event) => got.push(event), undefined);
  const before = hub.cursor();
  const first = hub.publish('news', '{}', {});
  vi.advanceTimersByTime(10);
  const second = hub.publish('news', '{}', { crc: 7 });
  assert.deepEqual([first.seq, second.seq, hub.published()], [1, 2, 2]);
  vi.advanceTimersByTime(9);
  assert.deepEqual([got.length, hub.since(['news'], before).events.length, hub.cursor()], [0, 0, before]);
  vi.advanceTimersByTime(1);
  assert.deepEqual(got, [first]);
  assert.equal(hub.newest(['news']), first.id);
  vi.advanceTimersByTime(10);
  assert.deepEqual(got, [first, second]);
  assert.deepEqual(hub.since(['news'], before), { events: [first, second], lost: false });
});

test('a delay holds back a draft that was taken, and its number is given at once', (t) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { hub } = hubWith({ delayMs: 20 });
  const got: HubEvent[] = [];
  const taken: HubEvent[] = [];
  hub.subscribe(['news'], (event) => got.push(event), 'somebody');
  hub.draft('news', '0', {});
  hub.drop();
  const draft = hub.draft('news', '{}', {}, (event) => taken.push(event));
  hub.take();
  assert.deepEqual([draft.seq, hub.published(), got.length, taken.length], [1, 1, 0, 0]);
  vi.advanceTimersByTime(20);
  assert.deepEqual([got, taken], [[draft], [draft]]);
  assert.deepEqual(hub.followers('news'), ['somebody']);
});

test('loss and duplicates hit the followers of a topic too', () => {
  for (const [injection, expected] of [
    [{ lossShare: 0.1 }, 4500],
    [{ duplicateShare: 0.1 }, 5500],
  ] as const) {
    const { hub } = hubWith(injection);
    for (let i = 0; i < 5000; i++) hub.subscribe(['news'], () => {}, i);
    const { length } = hub.followers('news');
    assert.ok(Math.abs(length - expected) < 110, `${JSON.stringify(injection)}: ${length}`);
  }
});

test('loss and duplicates hit about their share of live and stored events', () => {
  const events = 5000;
  for (const [injection, expected] of [
    [{ lossShare: 0.1 }, 0.9 * events],
    [{ duplicateShare: 0.1 }, 1.1 * events],
  ] as const) {
    const { hub } = hubWith(injection);
    let live = 0;
    hub.subscribe(['news'], () => live++, undefined);
    const before = hub.cursor();
    let stored = 0;
    for (let i = 0, cursor = before; i < events; i++) {
      hub.publish('news', '{}', {});
      stored += hub.since(['news'], cursor).events.length;
      cursor = hub.cursor();
    }
    // A hundred and more either way is beyond five standard deviations.
    for (const seen of [live, stored])
      assert.ok(Math.abs(seen - expected) < 110, `${JSON.stringify(injection)}: ${seen}`);
  }
});

test('a subscription that ends with its first event gets the second one from the history', () => {
  const { hub } = hubWith({ duplicateShare: 1 });
  const got: HubEvent[] = [];
  const end = hub.subscribe(
    ['news'],
    (event) => {
      got.push(event);
      end();
    },
    undefined,
  );
  const event = hub.publish('news', '{}', {});
  assert.deepEqual(got, [event]);
  assert.deepEqual(hub.since(['news'], hub.cursor()).events, [event]);
  assert.deepEqual(hub.since(['news'], hub.cursor()).events, [], 'once');
});

test('a delivery keeps the server busy for as long as was asked', () => {
  const { hub } = hubWith({ cpuUsPerMessage: 500 });
  hub.subscribe(['news'], () => {}, undefined);
  hub.subscribe(['news'], () => {}, undefined);
  const from = performance.now();
  for (let i = 0; i < 10; i++) hub.publish('news', '{}', {});
  assert.ok(performance.now() - from >= 10, 'ten events to two subscribers are twenty times 0.5 ms');
});

test('a counted connection holds its extra descriptors until it closes', async (t) => {
  const tally = injectTally(createTally(newCounters()), { descriptorsPerConnection: 3 });
  const server = createServer((socket) => socket.resume());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.onTestFinished(() => void server.close());
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  const accepted = once(server, 'connection');
  const client = connect(address.port, '127.0.0.1');
  const [socket] = (await accepted) as [Socket];
  const count = () => readdirSync('/proc/self/fd').length;
  const before = count();
  tally.add(socket);
  tally.add(socket);
  assert.equal(count(), before + 3);
  const closed = once(socket, 'close');
  client.destroy();
  await closed;
  assert.equal(
    count(),
    before - 2,
    'three extra and both ends of the connection are gone, the directory aside',
  );
});
