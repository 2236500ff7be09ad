// The program that the kill test kills: a webhook server on the given database file. Prints its address as JSON.

import { patternOptions } from '../../../core/patterns.ts';
import { defaultLimits } from '../../../core/scenario.ts';
import { startServer } from '../../../servers/start.ts';

const [file = '', options = '{}'] = process.argv.slice(2);
const server = await startServer({
  pattern: 'webhook',
  options: patternOptions.webhook.parse({ store: 'sqlite', file, concurrency: 32, retries: ['50ms', '50ms', '100ms', '1s', '1s'], ...(JSON.parse(options) as object) }),
  limits: { ...defaultLimits, slowBuffer: 64 * 1024 ** 2 },
  seed: 1,
});
console.log(JSON.stringify({ url: server.endpoint.url }));
process.on('disconnect', () => process.exit());
