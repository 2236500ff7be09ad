// Opens a page in a real Chromium with EventSource and no code of its own for it: cut off, it comes back by
// itself, says what it has seen, and gets what it missed. Skipped where Chromium is not installed.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer } from '../../../servers/start.ts';
import { skipWhen } from '../../skip.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-sync',
];

test('a browser whose stream is cut off comes back by itself and has missed nothing', async (t) => {
  skipWhen(t, skip);
  const { options } = variantOf(patterns, 'sse', patterns.sse.options.parse({ retry: '300ms' }));
  const server = await startServer({ pattern: 'sse', options, limits: defaultLimits, seed: 1 });
  t.onTestFinished(() => server.close());
  const browser = await chromium.launch({ executablePath, args });
  t.onTestFinished(() => browser.close());
  const page = await browser.newPage();
  await page.goto(server.endpoint.url);
  const publish = (number: number) =>
    fetch(`${server.endpoint.publishUrl}/topics/news`, { method: 'POST', body: JSON.stringify({ number }) });
  const seen = () => page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen);
  const untilSeen = (count: number) =>
    page.waitForFunction(
      (wanted) => (globalThis as unknown as { seen: number[] }).seen.length >= wanted,
      count,
      { timeout: 15_000 },
    );

  // All the code that a page needs.
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const [numbers, stream] = [[] as number[], new EventSource('/events?topics=news')];
        Object.assign(globalThis, { seen: numbers, stream, cuts: 0 });
        stream.onerror = () => (globalThis as unknown as { cuts: number }).cuts++;
        stream.onmessage = ({ data }) =>
          numbers.push((JSON.parse(data) as { body: { number: number } }).body.number);
        stream.onopen = () => resolve();
      }),
  );
  await publish(1);
  await untilSeen(1);
  server.disconnect(1);
  for (const number of [2, 3]) await publish(number); // while it is away
  await untilSeen(3);
  await publish(4);
  await untilSeen(4);
  assert.deepEqual(await seen(), [1, 2, 3, 4]);
  assert.ok(
    (await page.evaluate(() => (globalThis as unknown as { cuts: number }).cuts)) > 0,
    'it was cut off',
  );
});
