// Opens pages in a real Chromium that try to read from our servers and to publish: one of another site, the
// same once its name resolves to the server itself (DNS rebinding), and one of another port of this machine,
// which may read.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, test } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer, type RunningServer } from '../../../servers/start.ts';
import { skipWhen } from '../../skip.ts';

const executablePath = '/usr/bin/chromium';
const missing = 'Chromium is not installed (Debian: apt-get install chromium)';
const skip = existsSync(executablePath) ? false : missing;
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-sync',
  '--host-resolver-rules=MAP evil.example 127.0.0.1',
];

/** Where each pattern is read; what a page may read of webhooks is the dashboard's API. */
function readPath(pattern: PatternName): string {
  const { path, holdsConnection } = patterns[pattern];
  return holdsConnection ? `${path}?topics=news` : path;
}

let browser: Browser;
let pagesPort = 0;
const pages = createServer((_request, response) => {
  response.setHeader('content-type', 'text/html').end('<!doctype html><title>a page</title>');
});
beforeAll(async () => {
  if (skip) return;
  pages.listen(0, '127.0.0.1');
  await once(pages, 'listening');
  pagesPort = (pages.address() as AddressInfo).port;
  browser = await chromium.launch({ executablePath, args });
});
afterAll(async () => {
  await browser?.close();
  pages.closeAllConnections();
  pages.close();
});

type Tried = {
  fetched: string;
  scripted: string | false;
  streamed: string;
  socket: string;
  answers: string[];
};

/** What a page can try, as text that runs in it. */
const hostile = readFileSync(new URL('hostile-page.mjs', import.meta.url), 'utf8');

async function attack(page: Page, base: string, path: string, scripts: boolean): Promise<Tried> {
  await page.evaluate(hostile);
  return page.evaluate(`attack(${JSON.stringify(base)}, ${JSON.stringify(path)}, { scripts: ${scripts} })`);
}

/** Nothing has been published, nothing registered. */
async function untouched(pattern: PatternName, server: RunningServer): Promise<void> {
  assert.equal(server.hub.published(), 0, `${pattern}: something was published`);
  if (pattern === 'webhook')
    assert.deepEqual(await (await fetch(`${server.endpoint.url}/webhooks`)).json(), { webhooks: [] });
}

async function serve(pattern: PatternName): Promise<RunningServer> {
  return startServer({
    pattern,
    options: patterns[pattern].options.parse({}),
    limits: defaultLimits,
    seed: 1,
  });
}

/** Attacks each pattern from a page; hands over what came of it, and the server while it runs. */
async function fromPage(
  pageOf: (server: RunningServer) => { page: string; base: string },
  judge: (pattern: PatternName, tried: Tried, server: RunningServer, page: Page) => Promise<void> | void,
): Promise<void> {
  await using context = await browser.newContext();
  const page = await context.newPage();
  for (const pattern of Object.keys(patterns) as PatternName[]) {
    const server = await serve(pattern);
    try {
      const { page: address, base } = pageOf(server);
      await page.goto(address);
      const tried = await attack(
        page,
        base,
        readPath(pattern),
        new URL(address).origin !== server.endpoint.url,
      );
      await judge(pattern, tried, server, page);
    } finally {
      server.disconnect(1);
      await server.close();
    }
  }
}

describe('in Chromium', () => {
  beforeEach((t) => skipWhen(t, skip));
  test('a page of another site reads nothing and publishes nothing', async () => {
    await fromPage(
      ({ endpoint }) => ({ page: `http://evil.example:${pagesPort}/`, base: endpoint.url }),
      async (pattern, tried, server) => {
        assert.deepEqual(
          tried,
          { fetched: 'refused', scripted: 'refused', streamed: 'refused', socket: 'refused', answers: [] },
          pattern,
        );
        await untouched(pattern, server);
      },
    );
  });

  test('nor when its name resolves to the server', async () => {
    const origins = new Set<string>();
    await fromPage(
      ({ endpoint }) => {
        const base = `http://evil.example:${new URL(endpoint.url).port}`;
        return { page: `${base}/`, base };
      },
      async (pattern, tried, server, page) => {
        origins.add(await page.evaluate('origin'));
        assert.deepEqual(
          tried,
          { fetched: 'status 421', scripted: 'refused', streamed: 'refused', socket: 'refused', answers: [] },
          pattern,
        );
        assert.ok(server.counters().refusals > 5, 'it was asked');
        await untouched(pattern, server);
      },
    );
    assert.ok(
      [...origins].every((origin) => origin.startsWith('http://evil.example:')),
      'it was a page of the server by its name',
    );
  });

  test('a page of another port of this machine reads, but not webhooks, and publishes nothing', async () => {
    await fromPage(
      ({ endpoint }) => ({ page: `http://localhost:${pagesPort}/`, base: endpoint.url }),
      async (pattern, { answers, ...tried }, server) => {
        const refused = { fetched: 'read', scripted: 'refused', streamed: 'refused', socket: 'refused' };
        /** What is not named here is read by fetch alone. */
        const others: Partial<Record<PatternName, Omit<Tried, 'answers'>>> = {
          sse: { ...refused, streamed: 'read' },
          websocket: { ...refused, fetched: 'status 426', socket: 'read' },
          webhook: { ...refused, fetched: 'refused' },
        };
        assert.deepEqual(tried, others[pattern] ?? refused, pattern);
        if (pattern === 'websocket')
          assert.match(
            answers[1]!,
            /^\{"refused":1,"reason":"pages of another origin may read here, but not publish"\}$/,
          );
        await untouched(pattern, server);
      },
    );
  });

  test('and it may send what reading takes, for which the browser asks with a preflight', async () => {
    await using context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`http://localhost:${pagesPort}/`);
    const headers = { 'last-event-id': 'x-1', 'if-none-match': '"x"', 'cache-control': 'no-store' };
    for (const pattern of Object.keys(patterns) as PatternName[]) {
      const server = await serve(pattern);
      const ask = (more: object) =>
        page.evaluate(
          `fetch(${JSON.stringify(server.endpoint.url + readPath(pattern))}, ` +
            `{ headers: ${JSON.stringify({ ...headers, ...more })} })` +
            `.then(({ status }) => status, () => 'refused')`,
        );
      const expected = pattern === 'webhook' ? 'refused' : pattern === 'websocket' ? 426 : 200;
      assert.equal(await ask({}), expected, pattern);
      assert.equal(await ask({ 'x-other': '1' }), 'refused', pattern);
      server.disconnect(1);
      await server.close();
    }
  });

  test("a server's own page reads and publishes", async () => {
    await fromPage(
      ({ endpoint }) => ({ page: endpoint.url, base: endpoint.url }),
      (pattern, { fetched, answers }, server) => {
        assert.equal(fetched, pattern === 'websocket' ? 'status 426' : 'read', pattern);
        // Twice by fetch on each of the two paths and once by a form; and once by its socket where there is
        // one.
        assert.equal(server.hub.published(), pattern === 'websocket' ? 6 : 5, pattern);
        if (pattern === 'websocket') assert.match(answers.join(), /"body":"by a socket"/);
      },
    );
  });
});
