// The program that the kill tests kill: a webhook server with the given options. Prints its address as JSON.

import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer } from '../../../servers/start.ts';

const [options = '{}'] = process.argv.slice(2);
const server = await startServer({
  pattern: 'webhook',
  options: patterns.webhook.options.parse({
    concurrency: 32,
    retries: ['50ms', '50ms', '100ms', '1s', '1s'],
    ...(JSON.parse(options) as object),
  }),
  limits: { ...defaultLimits, slowBuffer: 64 * 1024 ** 2 },
  seed: 1,
});
console.log(JSON.stringify({ url: server.endpoint.url }));
process.on('disconnect', () => process.exit());
