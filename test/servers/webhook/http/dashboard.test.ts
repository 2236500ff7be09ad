// Checks the dashboard in a real browser, against the real server: what it shows is true and escaped, what it
// offers works, axe finds nothing, and nothing comes from elsewhere.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Page } from 'playwright-core';
import { beforeEach, describe, test } from 'vitest';
import { skipWhen } from '../../../skip.ts';
import { bareReceiver, receiver, until } from '../../receivers.ts';
import { browser, skip, serve, open, endpointRow, states, holds, notice, proxy } from './dashboard-page.ts';

describe('the dashboard', () => {
  beforeEach((t) => skipWhen(t, skip));
  test('shows endpoints, deliveries as they happen, and how far behind they are', async (t) => {
    const { page: address, register, publish } = await serve(t);
    const [good, bad] = [await receiver(t), await receiver(t, () => 500)];
    const page = await open(t, address);
    assert.equal(await page.locator('#no-endpoints').isVisible(), true);
    const id = await register(good.url, ['news']);
    await endpointRow(page, id).waitFor();
    assert.match((await endpointRow(page, id).textContent())!, /news.*enabled/);
    const failing = await register(bad.url, ['news']);
    await publish('news');
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 2');
    await page.locator('#deliveries .bad').waitFor();
    assert.deepEqual((await states(page)).sort(), ['delivered', 'exhausted']);
    await holds(page, 'document.getElementById("dead-letters").textContent === "1"');
    assert.equal(await page.locator('#delivered').textContent(), '1');
    assert.equal(await page.locator('#depth').textContent(), '0');
    await endpointRow(page, failing).getByText('answered 500').waitFor();
  });

  test('a backlog has a size and an age', async (t) => {
    const { page: address, register, publish } = await serve(t);
    const { url } = await bareReceiver(t, () => {});
    await register(url, ['news']);
    await publish('news');
    await publish('news');
    const page = await open(t, address);
    await holds(page, 'document.getElementById("depth").textContent === "2"');
    await holds(page, '/^[1-9]/.test(document.getElementById("oldest").textContent)');
    assert.deepEqual(await states(page), ['pending', 'pending']);
  });

  test('what a receiver answers, and what was published, is shown as text', async (t) => {
    const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
    const { page: address, register, publish } = await serve(t);
    const { url } = await bareReceiver(t, (socket) =>
      socket.end(
        `HTTP/1.1 500 No\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n${evil}${'x'.repeat(5000)}`,
      ),
    );
    await register(`${url}/?q=%3Cb%3E`, ['news']);
    await publish('news', JSON.stringify(evil));
    const page = await open(t, address);
    await page.locator('#deliveries .bad').waitFor();
    await page.locator('#deliveries button').click();
    await page.waitForSelector('#details[open] #attempts pre');
    const answers = await page.locator('#attempts pre').allTextContents();
    assert.equal(answers.length, 2);
    assert.ok(
      answers[0]!.startsWith(evil) && answers[0]!.endsWith('… (truncated)') && answers[0]!.length < 2200,
      answers.join(),
    );
    assert.match(
      (await page.locator('#attempts li').first().textContent())!,
      /status 500 · .* · next attempt \d/,
    );
    assert.ok((await page.locator('#details-body').textContent())!.includes(JSON.stringify(evil)));
    assert.equal(await page.locator('#details img, #details script').count(), 0);
  });

  test('filters by endpoint, state and event, of what is there and what comes', async (t) => {
    const { page: address, register, publish } = await serve(t);
    const [good, bad] = [await receiver(t), await receiver(t, () => 500)];
    const one = await register(good.url, ['news']);
    const two = await register(bad.url, ['news']);
    await publish('news');
    const page = await open(t, address);
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 2');
    const rows = async (n: number) =>
      holds(page, `document.querySelectorAll("#deliveries tr").length === ${n}`);
    await page.selectOption('#filters [name=endpoint]', one);
    await rows(1);
    await publish('news');
    await rows(2);
    assert.deepEqual(await states(page), ['delivered', 'delivered']);
    await page.selectOption('#filters [name=endpoint]', two);
    await page.selectOption('#filters [name=state]', 'delivered');
    await page.locator('#no-deliveries').waitFor();
    await page.selectOption('#filters [name=state]', 'exhausted');
    await rows(2);
    const event = (await page.locator('#deliveries tr td:nth-child(4)').first().textContent())!;
    await page.fill('#filters [name=event]', event);
    await page.keyboard.press('Enter');
    await rows(1);
    await page.uncheck('#filters [name=follow]');
  });

  test('sends a test event, disables and enables', async (t) => {
    const { page: address, register } = await serve(t);
    const { url, got } = await receiver(t);
    const id = await register(url, ['news']);
    const page = await open(t, address);
    const row = endpointRow(page, id);
    await row.getByRole('button', { name: /^Send test/ }).click();
    await notice(page, /Test event sent to/);
    await until('it came', () => got.length === 1);
    assert.match(got[0]!.body, /"topic":"webhook\.test"/);
    await row.getByRole('button', { name: /^Disable/ }).click();
    await row.getByRole('button', { name: /^Enable/ }).waitFor();
    assert.match((await row.textContent())!, /disabled.*by request/);
    assert.equal(await row.getByRole('button', { name: /^Send test/ }).isDisabled(), true);
    await row.getByRole('button', { name: /^Enable/ }).click();
    await row.getByRole('button', { name: /^Disable/ }).waitFor();
  });

  test('replays one dead letter, and recovers the others', async (t) => {
    const { page: address, register, publish } = await serve(t);
    let status = 500;
    const { url, got } = await receiver(t, () => status);
    const id = await register(url, ['news']);
    for (let i = 0; i < 3; i++) await publish('news');
    const page = await open(t, address);
    await holds(page, 'document.querySelectorAll("#deliveries .bad").length === 3');
    status = 204;
    const before = got.length;
    await page.locator('#deliveries tr').last().locator('button').click();
    await page.locator('#replay').click();
    await notice(page, /queued again/);
    await holds(page, 'document.querySelector("#details-facts .good")?.textContent === "delivered"');
    assert.equal(got.length, before + 1);
    await page.keyboard.press('Escape');
    await endpointRow(page, id)
      .getByRole('button', { name: /^Recover/ })
      .click();
    await page.locator('#recovery').getByRole('button', { name: 'Recover' }).click();
    await notice(page, /^2 deliveries to .* queued again$/);
    await holds(page, 'document.querySelectorAll("#deliveries .good").length === 3');
    assert.equal(got.length, before + 3);
  });

  test('comes back by itself, with what happened meanwhile', async (t) => {
    const { page: address, register, publish } = await serve(t);
    const { url } = await receiver(t);
    await register(url, ['news']);
    const way = await proxy(t, Number(new URL(address).port));
    const page = await open(t, `${way.url}/dashboard`);
    way.block();
    await page.waitForSelector('#live.off');
    await publish('news');
    way.unblock();
    await page.waitForSelector('#live.on');
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 1');
  });

  test('keeps its rows bounded when much happens, and reads older ones when asked', async (t) => {
    const { page: address, register, publish } = await serve(t);
    const { url } = await receiver(t);
    await register(url, ['news']);
    for (let i = 0; i < 120; i++) await publish('news');
    const page = await open(t, address);
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 50');
    await page.locator('#more-deliveries').click();
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 100');
    await page.locator('#more-deliveries').click();
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 120');
    assert.equal(await page.locator('#more-deliveries').isVisible(), false);
    for (let i = 0; i < 450; i += 50) await Promise.all(Array.from({ length: 50 }, () => publish('news')));
    await holds(page, 'document.getElementById("delivered").textContent === "570"');
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 200');
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing, ${colorScheme}: the page, the details, the recovery`, async (t) => {
      const { page: address, register, publish } = await serve(t);
      const [good, bad, gone, silent] = [
        await receiver(t),
        await receiver(t, () => 500),
        await receiver(t, () => 410),
        await bareReceiver(t, () => {}),
      ];
      const id = await register(good.url, ['news', 'orders']);
      for (const { url } of [bad, gone, silent]) await register(url, ['news']);
      await publish('news');
      await publish('news');
      const page = await open(t, address, { colorScheme });
      await page.locator('#deliveries .bad').first().waitFor();
      // The page's policy lets no other script in, so it is run from outside.
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      const violations = async () => {
        const found = (await page.evaluate('axe.run().then((result) => result.violations)')) as {
          id: string;
          help: string;
          nodes: { html: string }[];
        }[];
        return found.map(({ id: rule, help, nodes }) => `${rule}: ${help}: ${nodes[0]?.html}`);
      };
      await holds(page, 'document.getAnimations().length === 0');
      assert.deepEqual(await violations(), [], 'the page');
      await page.locator('#deliveries tr', { hasText: 'exhausted' }).first().locator('button').click();
      await page.waitForSelector('#details[open] #attempts pre, #details[open] #attempts li');
      assert.deepEqual(await violations(), [], 'the details');
      await page.keyboard.press('Escape');
      await endpointRow(page, id)
        .getByRole('button', { name: /^Recover/ })
        .click();
      assert.deepEqual(await violations(), [], 'the recovery');
    });
  }

  test(
    'a phone needs no sideways scrolling and sees states ' + 'and buttons, a desk sees every column',
    async (t) => {
      const { page: address, url, register, publish } = await serve(t);
      const { url: to } = await receiver(t, () => 500);
      const id = await register(`${to}/a/rather/long/path/to/the/hook?tenant=1234567890`, [
        'news',
        'orders',
        'payments',
      ]);
      await publish('news');
      await fetch(`${url}/webhooks/${id}/test`, { method: 'POST' });
      const hidden = (page: Page) =>
        page.evaluate(
          '["endpoints", "deliveries"].map((id) => { const box = ' +
            'document.getElementById(id).closest(".scroll"); return box.scrollWidth - box.clientWidth; })',
        );
      const phone = await open(t, address, { viewport: { width: 390, height: 800 } });
      await phone.locator('#deliveries tr', { hasText: 'exhausted' }).nth(1).waitFor();
      assert.equal(await phone.evaluate('document.documentElement.scrollWidth'), 390);
      assert.deepEqual(await hidden(phone), [0, 0]);
      for (const sought of [
        phone.locator('#endpoints').getByRole('button', { name: /^Disable/ }),
        phone.locator('#deliveries').getByRole('cell', { name: 'exhausted' }).first(),
      ]) {
        const { x, width } = (await sought.boundingBox())!;
        assert.ok(x >= 0 && x + width <= 390);
      }
      await phone.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      await holds(phone, 'document.getAnimations().length === 0');
      assert.deepEqual(
        await phone.evaluate('axe.run().then(({ violations }) => violations.map(({ id }) => id))'),
        [],
      );
      const desk = await open(t, address);
      await desk.locator('#deliveries tr').nth(1).waitFor();
      assert.deepEqual(await hidden(desk), [0, 0]);
    },
  );

  test('its policy lets no inline script and no foreign one run', async (t) => {
    const { page: address } = await serve(t);
    const page = await browser.newPage();
    t.onTestFinished(() => page.close());
    await page.goto(address);
    await page.evaluate(`document.body.append(Object.assign(document.createElement('script'),
        { textContent: 'globalThis.ran = 1' }));
      document.body.insertAdjacentHTML('beforeend',
        '<img src="data:," onerror="globalThis.ran = 2"><style>body { color: red }</style>')`);
    await page.waitForTimeout(100);
    assert.equal(await page.evaluate('globalThis.ran'), undefined);
  });
});
