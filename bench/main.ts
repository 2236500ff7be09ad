// Runs the benchmarks (`npm run bench`, or `npm run bench -- NAME` for one). Each prints a ratio against a
// named peer, both measured in one run, or a figure against its stated bound.
//
// They are not tests: a shared machine decides the seconds.

import { parseArgs } from 'node:util';

const benches: Record<string, () => Promise<{ main(): Promise<void> }>> = {
  help: () => import('./help.ts'),
  'load-client': () => import('./load-client.ts'),
  'polling-client': () => import('./polling-client.ts'),
  'server-delivery': () => import('./server-delivery.ts'),
  'ten-thousand': () => import('./ten-thousand.ts'),
  'cluster-fan-out': () => import('./cluster-fan-out.ts'),
  brokers: () => import('./brokers.ts'),
  accuracy: () => import('./accuracy.ts'),
  'event-core': () => import('./event-core.ts'),
  verify: () => import('./verify.ts'),
  'webhook-sender': () => import('./webhook-sender.ts'),
  'webhook-store': () => import('./webhook-store.ts'),
  'webhook-fifo': () => import('./webhook-fifo.ts'),
  'webhook-kills': () => import('./webhook-kills.ts'),
};

const { positionals } = parseArgs({ allowPositionals: true });
const unknown = positionals.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) {
  console.error(
    `There is no benchmark called ${unknown.join(', ')}; there are: ${Object.keys(benches).join(', ')}.`,
  );
  process.exit(2);
}
for (const name of positionals.length > 0 ? positionals : Object.keys(benches)) {
  console.log(`\n## ${name}`);
  const { main } = await benches[name]!();
  await main();
}
