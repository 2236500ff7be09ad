// The example of the documentation, run against the real server.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { startServer } from '../../servers/start.ts';
import { until } from '../servers/receivers.ts';

test('docs/examples/receiver.mjs registers, verifies and prints events in order', async (t) => {
  const server = await startServer({
    pattern: 'webhook',
    options: patterns.webhook.options.parse({}),
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const child = spawn(
    process.execPath,
    ['--conditions=pushbench-source', 'docs/examples/receiver.mjs', server.endpoint.url, 'news', 'orders'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.onTestFinished(() => void child.kill());
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await until('it has registered', () =>
    /^ep_\S+ receives news, orders at http:\/\/127\.0\.0\.1:\d+\/hook\n/.test(printed),
  );
  for (const topic of ['news', 'news', 'orders']) {
    await fetch(`${server.endpoint.publishUrl}/topics/${topic}`, { method: 'POST', body: '{"price":1}' });
  }
  await until('it has printed them', () => printed.split('\n').length === 5);
  assert.deepEqual(printed.split('\n').slice(1).sort(), [
    '',
    'news 1 event: {"price":1}',
    'news 2 event: {"price":1}',
    'orders 1 event: {"price":1}',
  ]);
  assert.ok(printed.indexOf('news 1') < printed.indexOf('news 2'));
});
