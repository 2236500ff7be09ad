// Opens the dashboard in a real Chromium, over a server that can be cut off.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';

export const executablePath = '/usr/bin/chromium';
export const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';
export const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-sync',
];

export let browser: Browser;
beforeAll(async () => {
  if (!skip) browser = await chromium.launch({ executablePath, args });
});
afterAll(() => browser?.close());

export async function serve(t: TestContext, options: Record<string, unknown> = {}) {
  const server = await startServer({
    pattern: 'webhook',
    options: patterns.webhook.options.parse({ retries: ['20ms'], ...options }),
    limits: defaultLimits,
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const { url } = server.endpoint;
  return {
    url,
    page: server.page!,
    async register(to: string, events: string[]): Promise<string> {
      const answer = await fetch(`${url}/webhooks`, {
        method: 'POST',
        body: JSON.stringify({ url: to, events }),
      });
      return ((await answer.json()) as { id: string }).id;
    },
    publish: (topic: string, body = '{"n":1}') => fetch(`${url}/topics/${topic}`, { method: 'POST', body }),
  };
}

/** The page, open and live. Whatever goes wrong in it fails the test at its end. */
export async function open(
  t: TestContext,
  address: string,
  options: Parameters<Browser['newPage']>[0] = {},
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on(
    'request',
    (request) =>
      new URL(request.url()).host === new URL(address).host || troubles.push(`it asked for ${request.url()}`),
  );
  page.on('dialog', (dialog) => troubles.push(`it opened a dialog: ${dialog.message()}`));
  t.onTestFinished(async () => {
    await page.close();
    assert.deepEqual(troubles, []);
  });
  await page.goto(address);
  await page.waitForSelector('#live.on');
  return page;
}

export const endpointRow = (page: Page, id: string) => page.locator(`#endpoints tr[data-id="${id}"]`);
export const states = (page: Page) => page.locator('#deliveries tr td:nth-child(6)').allTextContents();
/** Playwright's own waitForFunction evaluates text in the page, which the page's policy forbids. */
export async function holds(page: Page, expression: string): Promise<void> {
  const limit = performance.now() + 15_000;
  while (!(await page.evaluate(expression))) {
    if (performance.now() > limit) throw new Error(`not within 15 s: ${expression}`);
    await page.waitForTimeout(20);
  }
}

export const notice = (page: Page, text: RegExp) =>
  holds(page, `${text}.test(document.getElementById('notice').textContent)`);

/** A way to the server that can be blocked. */
export async function proxy(t: TestContext, port: number) {
  const sockets = new Set<Socket>();
  let blocked = false;
  const server = createServer((near) => {
    if (blocked) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) {
      sockets.add(socket.on('error', () => {}));
      socket.once('close', () => {
        near.destroy();
        far.destroy();
        sockets.delete(socket);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const block = () => {
    blocked = true;
    for (const socket of sockets) socket.destroy();
  };
  t.onTestFinished(() => {
    block();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    block,
    unblock: () => void (blocked = false),
  };
}
