// What the scenario six-connections says of browsers, in a browser: six streams over HTTP/1.1 leave it nothing to ask
// the same host with, and over HTTP/2 they do not.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { chromium, type Browser, type Page } from 'playwright-core';
import { patterns, variantOf } from '../../core/patterns.ts';
import { defaultLimits } from '../../core/scenario.ts';
import { startServer } from '../../servers/start.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'Chromium is not installed (Debian: apt-get install chromium)';
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run', '--disable-sync'];

/** Longer than any answer takes that comes at all. */
const patienceMs = 3000;

/** Opens streams until `count` stand, or patience ends. @returns how many stand */
const openStreams = (page: Page, count: number) =>
  page.evaluate(
    ([wanted, patience]) =>
      new Promise<number>((resolve) => {
        const kept = ((globalThis as unknown as { streams: unknown[] }).streams ??= []); // of the page, so that none is collected
        let open = 0;
        setTimeout(() => resolve(open), patience);
        for (let i = 0; i < wanted!; i++) {
          const stream = new EventSource('/events?topics=news');
          kept.push(stream);
          stream.onopen = () => ++open === wanted && resolve(open);
        }
      }),
    [count, patienceMs] as const,
  );

/** Asks for something small. @returns its status, 0 when patience ends first */
const ask = (page: Page) =>
  page.evaluate((patience) => fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(patience) }).then((response) => response.status, () => 0), patienceMs);

describe('a browser with six streams', { skip }, () => {
  let browser: Browser;
  before(async () => void (browser = await chromium.launch({ executablePath, args })));
  after(() => browser.close());

  async function pageOf(over: 'h1' | 'h2') {
    const options = patterns.sse.options.parse({ over });
    const server = await startServer({ pattern: 'sse', options: variantOf(patterns, 'sse', options).options, limits: defaultLimits, seed: 1 });
    after(() => server.close());
    const context = await browser.newContext({ ignoreHTTPSErrors: true }); // the test certificate is no authority's
    const page = await context.newPage();
    await page.goto(server.endpoint.url);
    return page;
  }

  test('over HTTP/1.1 gets no answer to anything else, and no seventh stream', async () => {
    const page = await pageOf('h1');
    assert.equal(await openStreams(page, 5), 5);
    assert.equal(await ask(page), 200, 'five leave one connection');
    assert.equal(await openStreams(page, 1), 1);
    assert.equal(await ask(page), 0, 'six leave none');
    assert.equal(await openStreams(page, 1), 0, 'nor is there one for a seventh');
  });

  test('over HTTP/2 gets it beside ten streams', async () => {
    const page = await pageOf('h2');
    assert.equal(await openStreams(page, 10), 10);
    assert.equal(await ask(page), 200);
  });
});
