// Opens the page of a single server in a real browser, pattern by pattern: it connects, lists, publishes,
// replays after a cut, runs nothing that it shows, and axe finds nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { beforeEach, describe, test, type TestContext } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { skipWhen } from '../../skip.ts';
import { ask, serve as serveTrial } from '../http/gate-clients.ts';
import { until } from '../http/raw-http.ts';
import { browser, holds, skip } from '../webhook/http/dashboard-page.ts';

const followed = (Object.keys(patterns) as PatternName[]).filter((name) => name !== 'webhook');
const hostile = '<img src=x onerror=alert(1)></script><script>alert(2)</script>';
const page = { commands: () => [{ what: `try ${hostile}`, command: `curl '${hostile}'` }] };
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const serve = (t: TestContext, pattern: PatternName, options: object = {}) =>
  serveTrial(t, pattern, options, { page });

async function open(
  t: TestContext,
  address: string,
  options: Parameters<typeof browser.newPage>[0] = {},
): Promise<Page> {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  const troubles: string[] = [];
  tab.on('pageerror', (error) => troubles.push(error.message));
  tab.on('dialog', (dialog) => {
    troubles.push(`it opened a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  tab.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) troubles.push(message.text());
  });
  tab.on('request', (request) => {
    if (new URL(request.url()).host !== new URL(address).host) troubles.push(`it asked for ${request.url()}`);
  });
  t.onTestFinished(async () => {
    await tab.close();
    assert.deepEqual(troubles, []);
  });
  await tab.goto(address);
  await state(tab, 'connected');
  return tab;
}

const state = (tab: Page, name: string) =>
  holds(tab, `document.getElementById('state').dataset.state === '${name}'`);
const rows = (tab: Page) => tab.locator('#events li').allTextContents();
const number = async (tab: Page, id: string) => Number(await tab.locator(`#${id}`).textContent());
const listed = (tab: Page, count: number) =>
  holds(tab, `document.querySelectorAll('#events li').length === ${count}`);

describe('the page of one server', () => {
  beforeEach((t) => skipWhen(t, skip));

  for (const pattern of followed) {
    test(`${pattern}: connects, lists with times, publishes, and replays what a cut missed`, async (t) => {
      const server = await serve(t, pattern, pattern === 'polling' ? { every: '100ms' } : {});
      const tab = await open(t, server.page!);
      assert.match((await tab.locator('#state').textContent())!, /^Connected, following news$/);
      await tab.locator('#body').fill(hostile);
      await tab.getByRole('button', { name: 'Publish' }).click();
      await listed(tab, 1);
      assert.match((await rows(tab))[0]!, /^\d\d:\d\d:\d\d\.\d{3}news #1after [\d.]+ m?s "?<img src=x/);
      const said = "document.getElementById('published').textContent";
      await holds(tab, `/^Published news #1 (over the socket|by POST);/.test(${said})`);
      assert.equal(server.hub.published(), 1);

      await tab.getByRole('button', { name: 'Cut the connection' }).click();
      await state(tab, 'cut');
      if (patterns[pattern].path !== '/poll')
        await until('the server has seen it go', () => server.subscribers() === 0);
      for (const body of ['"a"', '"b"']) server.hub.publish('news', body, {});
      await tab.getByRole('button', { name: 'Reconnect' }).click();
      await listed(tab, 3);
      assert.deepEqual(
        (await rows(tab)).slice(0, 2).map((row) => /#(\d)after .* replayed(".")/.exec(row)?.slice(1)),
        [
          ['3', '"b"'],
          ['2', '"a"'],
        ],
      );
      const outcome = 'document.getElementById("outcome").textContent';
      await holds(tab, `/the server replayed 2 events .*; nothing is missing/.test(${outcome})`);
      server.hub.publish('news', '"live"', {});
      await listed(tab, 4);
      assert.doesNotMatch((await rows(tab))[0]!, /replayed/);
      assert.deepEqual(
        await Promise.all(['count', 'replayed', 'missed', 'reconnections'].map((id) => number(tab, id))),
        [4, 2, 0, 1],
      );
    });
  }

  test('a stream that the server cuts is taken up again', async (t) => {
    for (const pattern of ['sse', 'http-stream', 'websocket'] as const) {
      const server = await serve(t, pattern);
      const tab = await open(t, server.page!);
      server.hub.publish('news', '1', {});
      await listed(tab, 1);
      server.disconnect(1);
      await until('it is gone', () => server.subscribers() === 0);
      server.hub.publish('news', '2', {});
      await listed(tab, 2);
      assert.match((await rows(tab))[0]!, /#2.*replayed/, pattern);
      await state(tab, 'connected');
    }
  });

  test('what the history no longer holds is told, not passed over', async (t) => {
    for (const pattern of followed) {
      const options = patterns[pattern].options.parse(pattern === 'polling' ? { every: '50ms' } : {});
      const limits = { ...defaultLimits, history: 2 };
      const server = await serveTrial(t, pattern, {}, { page, options, limits });
      const tab = await open(t, server.page!);
      server.hub.publish('news', '1', {});
      await listed(tab, 1);
      await tab.getByRole('button', { name: 'Cut the connection' }).click();
      if (pattern !== 'polling') await until('it is gone', () => server.subscribers() === 0);
      for (const body of ['2', '3', '4', '5']) server.hub.publish('news', body, {});
      await tab.getByRole('button', { name: 'Reconnect' }).click();
      await listed(tab, 3);
      await holds(
        tab,
        `/replayed 2 events .*; 2 more are missing/.test(document.getElementById('outcome').textContent)`,
      );
      assert.equal(await number(tab, 'missed'), 2, pattern);
    }
  });

  test('over HTTP/2 it publishes to where it came from', async (t) => {
    const server = await serve(t, 'sse', { over: 'h2' });
    assert.match(server.page!, /^https:/);
    const tab = await open(t, server.page!, { ignoreHTTPSErrors: true });
    await tab.getByRole('button', { name: 'Publish' }).click();
    await listed(tab, 1);
    assert.equal(server.hub.published(), 1);
  });

  test('works with the keyboard alone, and follows other topics', async (t) => {
    const server = await serve(t, 'sse');
    const tab = await open(t, server.page!);
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('End');
    await tab.keyboard.type(',sport');
    await tab.keyboard.press('Enter');
    await holds(tab, `/following news,sport/.test(document.getElementById('state').textContent)`);
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Tab');
    await tab.keyboard.press('Enter');
    await state(tab, 'cut');
    await tab.keyboard.press('Enter');
    await state(tab, 'connected');
    await tab.keyboard.press('Tab');
    await tab.keyboard.type('sport'); // takes the place of what was selected
    await tab.keyboard.press('Enter');
    await listed(tab, 1);
    assert.match((await rows(tab))[0]!, /sport #1/);
  });

  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [390, 1280])
      test(`axe finds nothing and nothing is cut off: ${colorScheme}, ${width} px`, async (t) => {
        const server = await serve(t, 'websocket');
        const tab = await open(t, server.page!, { colorScheme, viewport: { width, height: 800 } });
        server.hub.publish('news', JSON.stringify('x'.repeat(5000)), {});
        await listed(tab, 1);
        await tab.getByRole('button', { name: 'Cut the connection' }).click();
        server.hub.publish('news', '2', {});
        await tab.getByRole('button', { name: 'Reconnect' }).click();
        await listed(tab, 2);
        assert.equal(await tab.evaluate('document.documentElement.scrollWidth'), width);
        // The page's policy lets no other script in, so it is run from outside.
        await tab.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
        assert.deepEqual(
          await tab.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))'),
          [],
        );
      });
});

test('browsers get the page, programs JSON; servers of trials have the JSON alone', async (t) => {
  const [shown, trial] = [await serve(t, 'sse'), await serveTrial(t, 'sse')];
  const document = await ask(shown, 'GET /', html);
  assert.match(String(document.headers['content-type']), /^text\/html/);
  const policy = String(document.headers['content-security-policy']);
  assert.match(
    policy,
    /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}';/,
  );
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.equal(document.headers['vary'], 'accept');
  assert.doesNotMatch(document.text, /<img src=x/, 'what stands in it is data');
  for (const accept of ['*/*', 'application/json', 'application/json, text/html;q=0.5', 'text/html;q=0'])
    assert.match((await ask(shown, 'GET /', { accept })).text, /^\{"pattern":"sse","endpoints":\["GET \/"/);
  const [plain, asked] = [await ask(trial, 'GET /'), await ask(trial, 'GET /', html)];
  assert.deepEqual([asked.text, asked.headers['vary']], [plain.text, undefined]);
  assert.equal((await ask(trial, 'GET /clock')).status, 404);
  assert.equal(trial.page, undefined);
});

test('it keeps the rules of who may ask, and leads to the page that a pattern has itself', async (t) => {
  const server = await serve(t, 'sse');
  for (const route of ['GET /', 'GET /clock']) {
    assert.equal((await ask(server, route, { ...html, host: 'evil.example' })).status, 421);
    assert.equal((await ask(server, route, { ...html, origin: 'http://evil.example' })).status, 403);
  }
  const webhook = await serve(t, 'webhook');
  const { status, headers } = await ask(webhook, 'GET /', html);
  assert.deepEqual([status, headers['location']], [303, '/dashboard']);
  assert.equal((await ask(webhook, 'GET /')).status, 200);
  const h2c = await serve(t, 'sse', { over: 'h2c' });
  assert.equal(h2c.page, undefined, 'no browser speaks it');
});
