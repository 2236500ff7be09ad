// A browser's few connections: what a page's other requests wait for, over HTTP/1.1 and HTTP/2.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { fromSparse } from '../../../core/result/histogram.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { createPages } from '../../../load/subscribers/pages.ts';
import type { LoadContext } from '../../../load/pattern.ts';
import { sse } from '../../../load/sse.ts';
import { newCounters } from '../../../core/result/counters.ts';
import { random } from '../../../core/base/random.ts';
import { startServer } from '../../../servers/start.ts';

/** Two browsers with three pages each ask ten times a second for half a second. */
async function ask(over: 'h1' | 'h2' | 'h2c', free: number | undefined) {
  const { options } = variantOf(patterns, 'sse', patterns.sse.options.parse({ over }));
  const server = await startServer({ pattern: 'sse', options, limits: defaultLimits, seed: 1 });
  const counters = newCounters();
  const problems: string[] = [];
  let ready = 0;
  const context: LoadContext = {
    endpoint: server.endpoint,
    counters,
    reconnect: { base: 20, cap: 100 },
    random: random(1, 'pages'),
    topicsOf: () => ['news'],
    sourceAddress: () => '127.0.0.1',
    sink: {
      ready: () => void ready++,
      lost() {},
      reset() {},
      gone() {},
      event: () => true,
      problem: (code, message) => problems.push(`${code}: ${message}`),
    },
  };
  const running = await sse.start(context, options as never); // parsed by its own schema
  for (let i = 0; i < 6; i++) running.open(i);
  while (ready < 6) await sleep(5);
  const pages = createPages({ first: 0, count: 6, seed: 1 }, { tabs: 3, perS: 10, free }, context, running);
  const fromUs = nowUs();
  pages.begin({ warmupFromUs: fromUs, fromUs, toUs: fromUs + 500_000, slotUs: 250_000 });
  await sleep(1000);
  const { planned, latency } = pages.close();
  await running.close(1000);
  const seen = server.counters();
  await server.close();
  assert.deepEqual(problems, []);
  assert.equal(seen.pageRequests, counters.pageRequests);
  return { planned, answered: fromSparse(latency).count };
}

test('with a connection left all requests are answered', async () => {
  assert.deepEqual(await ask('h1', 1), { planned: 10, answered: 10 });
});

test('with none left none is', async () => {
  assert.deepEqual(await ask('h1', 0), { planned: 10, answered: 0 });
});

for (const over of ['h2', 'h2c'] as const) {
  test(`over ${over} they go beside the streams`, async () => {
    assert.deepEqual(await ask(over, undefined), { planned: 10, answered: 10 });
  });
}
