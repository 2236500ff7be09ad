// Measures what an endpoint pays for order: deliveries a second to one endpoint whose answers take a while,
// with failures and without. The peer is the same server without `fifo`, in the same run.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { patterns } from '../core/pattern/registry.ts';
import { random } from '../core/base/random.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { startServer } from '../servers/start.ts';
import { body128, rounds, spread } from './tools.ts';

const answerMs = 10;
const deliveries = 500;
/** Before a failed attempt is made again. */
const waitMs = 50;

export async function main(): Promise<void> {
  for (const failing of [0, 0.02]) {
    const found: Record<'fifo' | 'beside', number[]> = { fifo: [], beside: [] };
    for (let round = 0; round < rounds; round++) {
      found.fifo.push(await perSecond(true, failing, round));
      found.beside.push(await perSecond(false, failing, round));
    }
    const ratios = found.fifo.map((value, i) => found.beside[i]! / value);
    console.log(
      `answers after ${answerMs} ms, ${failing * 100} % of the attempts fail and wait ${waitMs} ms: ` +
        `${spread(found.fifo, 0)} deliveries/s one after the other, ` +
        `${spread(found.beside, 0)} side by side (8 at once)`,
    );
    console.log(`side by side against fifo: ratio ${spread(ratios)}`);
  }
}

async function perSecond(fifo: boolean, failing: number, seed: number): Promise<number> {
  const draw = random(seed, 'failing');
  let taken = 0;
  const receiver = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => {
      const ok = draw() >= failing;
      setTimeout(() => {
        if (ok) taken++;
        response.writeHead(ok ? 204 : 503).end();
      }, answerMs);
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  const { port } = receiver.address() as AddressInfo; // of a TCP listener
  const options = patterns.webhook.options.parse({
    fifo,
    store: 'sqlite',
    retries: Array.from({ length: 10 }, () => `${waitMs}ms`),
    jitter: '0%',
  });
  const server = await startServer({
    pattern: 'webhook',
    options,
    limits: { ...defaultLimits, slowBuffer: 2 ** 30 },
    seed: 1,
  });
  try {
    await fetch(`${server.endpoint.url}/webhooks`, {
      method: 'POST',
      body: JSON.stringify({ url: `http://127.0.0.1:${port}/`, events: ['news'] }),
    });
    const fromMs = performance.now();
    for (let i = 0; i < deliveries; i++) void server.publish('news', body128, {});
    while (taken < deliveries) await sleep(2);
    return deliveries / ((performance.now() - fromMs) / 1000);
  } finally {
    await server.close();
    receiver.closeAllConnections();
    receiver.close();
  }
}
