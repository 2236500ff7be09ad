// Brings subscribers up against raw servers: from which addresses they come, how many are on their way at
// once, and how long the last ones are waited for.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test, type TestContext, vi } from 'vitest';
import { descriptorLimit } from '../../core/base/descriptor-limit.ts';
import type { LoadCommand } from '../../core/protocol/control.ts';
import { newCounters } from '../../core/result/counters.ts';
import { startSubscribers } from '../../load/ramp.ts';
import { skipWhen } from '../skip.ts';
import { rawServer, until } from './context.ts';

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: hello\n\n';

function command(url: string, count: number, more: Partial<Extract<LoadCommand, { kind: 'start' }>> = {}) {
  return {
    kind: 'start' as const,
    pattern: 'sse',
    options: {},
    endpoint: { url, over: 'h1' as const, publishUrl: url },
    first: 0,
    count,
    topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
    subscribers: count,
    connectMs: 0,
    reconnect: { base: 10, cap: 50 },
    seed: 1,
    fanoutEvery: 1,
    ...more,
  };
}

/** A server whose subscribers wait until somebody answers them. */
async function holdingServer(t: TestContext) {
  const waiting: Socket[] = [];
  const url = await rawServer(t, (socket) => void waiting.push(socket));
  return {
    url,
    waiting,
    answer: (count: number) => waiting.splice(0, count).forEach((one) => one.write(head)),
  };
}

test('a few hundred subscribers come from the addresses that the trial was given', async (t) => {
  skipWhen(t, process.platform !== 'linux' && 'only Linux has other loopback addresses than 127.0.0.1');
  const from = new Map<string, number>();
  const url = await rawServer(t, (socket) => {
    const address = socket.remoteAddress!;
    from.set(address, (from.get(address) ?? 0) + 1);
    socket.write(head);
  });
  const addresses = { first: (3 << 16) + (2 << 8) + 254, each: 100 };
  const { allReady, running } = await startSubscribers(
    // As the second of two processes: subscribers count over the whole trial.
    command(url, 300, { first: 150, subscribers: 450, addresses }),
    newCounters(),
  );
  await allReady;
  await running.close(1000);
  assert.deepEqual(Object.fromEntries(from), {
    '127.3.2.255': 50,
    '127.3.3.0': 100,
    '127.3.3.1': 100,
    '127.3.3.2': 50,
  });
});

test('no more than a thousand are on their way: the next come as servers take those', async (t) => {
  skipWhen(t, (descriptorLimit('self') ?? Infinity) < 4000 && 'a process may hold too few descriptors here');
  const { url, waiting, answer } = await holdingServer(t);
  const { allReady, running } = await startSubscribers(command(url, 1300), newCounters());
  await until(() => waiting.length >= 1000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(waiting.length, 1000);
  answer(200);
  await until(() => waiting.length >= 1000);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(waiting.length, 1000, 'as many more as were answered');
  answer(1000);
  await until(() => waiting.length === 100);
  answer(100);
  await allReady;
  await running.close(1000);
});

test('the last are waited for as long as more come', async (t) => {
  const { url, waiting, answer } = await holdingServer(t);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { allReady, running, recorder } = await startSubscribers(command(url, 3), newCounters());
  let over = false;
  const ended = allReady.catch((error: Error) => error.message).finally(() => (over = true));
  const turn = () => new Promise(setImmediate);
  const answered = async (count: number) => {
    answer(1);
    while (recorder.connected() < count) await turn();
  };
  while (waiting.length < 3) await turn();
  for (const count of [1, 2]) {
    await vi.advanceTimersByTimeAsync(20_000);
    await answered(count);
  }
  await vi.advanceTimersByTimeAsync(29_900);
  assert.equal(over, false, '69.9 s after the start, and 29.9 s after the second');
  await vi.advanceTimersByTimeAsync(100);
  assert.match(
    String(await ended),
    /^1 of 3 subscribers were not subscribed .*: the server does not answer$/,
  );
  vi.useRealTimers();
  await running.close(0);
});
