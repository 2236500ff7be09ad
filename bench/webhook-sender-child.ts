// Runs one sender under measurement in a process of its own and prints what it took as JSON. `plain` is
// undici in a loop, the others are the webhook server with the store of that name.

import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { patterns } from '../core/pattern/registry.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { startServer } from '../servers/start.ts';
import { body128 } from './tools.ts';

const [kind = 'plain', port = '', deliveries = '20000'] = process.argv.slice(2);
const total = Number(deliveries);
const endpoints = 16;
const concurrency = 64;

/** What the webhook server sends as a body. */
const envelope =
  '{"id":"k3f9a1-57","topic":"news","seq":57,"planned":123456789012,"sent":123456789012,' +
  `"accepted":123456789012,"body":${body128}}`;

async function plain(): Promise<(count: number) => Promise<void>> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: concurrency });
  return async (count) => {
    let left = count;
    await Promise.all(
      Array.from({ length: concurrency }, async () => {
        while (left-- > 0) {
          const { body } = await pool.request({
            method: 'POST',
            path: '/hook',
            headers: { 'content-type': 'application/json' },
            body: envelope,
          });
          await body.dump();
        }
      }),
    );
  };
}

async function ours(store: string): Promise<(count: number) => Promise<void>> {
  const options = patterns.webhook.options.parse({ store, concurrency, keep: 10_000_000 });
  const server = await startServer({
    pattern: 'webhook',
    options,
    limits: { ...defaultLimits, slowBuffer: 2 ** 30 },
    seed: 1,
  });
  for (let i = 0; i < endpoints; i++) {
    await fetch(`${server.endpoint.url}/webhooks`, {
      method: 'POST',
      body: JSON.stringify({ url: `http://127.0.0.1:${port}/hook/${i}`, events: [`news.${i}`] }),
    });
  }
  const depth = async () =>
    ((await (await fetch(`${server.endpoint.url}/webhooks/stats`)).json()) as { delivered: number })
      .delivered;
  return async (count) => {
    const from = await depth();
    for (let sent = 0; sent < count;) {
      for (let i = 0; i < 100 && sent < count; i++)
        void server.publish(`news.${sent++ % endpoints}`, body128, {});
      await sleep(1);
      while (sent - (server.counters().deliveryRequests - from) > 2000) await sleep(2);
    }
    while ((await depth()) < from + count) await sleep(5);
  };
}

const deliver = kind === 'plain' ? await plain() : await ours(kind);
await deliver(2000); // the compiler's part
const cpu = process.cpuUsage();
const fromMs = performance.now();
await deliver(total);
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({ cpuUs: (user + system) / total, perS: total / ((performance.now() - fromMs) / 1000) }),
);
process.exit();
