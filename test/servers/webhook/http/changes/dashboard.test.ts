// Changes things from the dashboard in a real browser: registers, publishes, rotates, removes; shows secrets
// once, dead letters that become fewer, and how attempts went. By keyboard, on a phone, and axe finds
// nothing.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Webhook } from 'standardwebhooks';
import type { Page } from 'playwright-core';
import { beforeEach, describe, test } from 'vitest';
import { skipWhen } from '../../../../skip.ts';
import { receiver, until, type Got } from '../../../receivers.ts';
import { skip, serve, open, endpointRow, holds, notice } from '../dashboard-page.ts';

const verifies = (secret: string, { headers, body }: Got): boolean => {
  try {
    new Webhook(secret).verify(body, headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
};

/** The secret that the page shows; the dialog is closed then, and nothing of it is left. */
async function takeSecret(page: Page): Promise<string> {
  await page.waitForSelector('#secret[open]');
  const secret = (await page.locator('#secret-text').textContent())!;
  await page.getByRole('button', { name: 'Done' }).click();
  // The dialog tells of its closing a turn after it has closed.
  await holds(page, '!document.getElementById("secret").open');
  await holds(page, 'document.getElementById("secret-text").textContent === ""');
  assert.ok(!(await page.content()).includes(secret));
  return secret;
}

describe('the dashboard', () => {
  beforeEach((t) => skipWhen(t, skip));

  test('registers, publishes, rotates and removes, by keyboard', async (t) => {
    const { url, page: address } = await serve(t);
    const at = await receiver(t);
    const page = await open(t, address);
    await page.locator('#register-open').focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('#register[open]');
    await page.keyboard.type(`${at.url}/<b>`);
    await page.keyboard.press('Tab');
    await page.keyboard.type('news, orders');
    await page.keyboard.press('Enter');
    const secret = await takeSecret(page);
    const [{ id, events }] = (
      (await (await fetch(`${url}/webhooks`)).json()) as { webhooks: [{ id: string; events: string[] }] }
    ).webhooks;
    assert.deepEqual(events, ['news', 'orders']);
    await endpointRow(page, id).waitFor();

    await page.locator('#publish-open').click();
    await page.locator('#publish textarea').fill('{"price":7}');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await notice(page, /^Event \S+ published on news$/);
    await until('it came', () => at.got.length === 1);
    assert.match(at.got[0]!.body, /"body":\{"price":7\}/);
    assert.ok(verifies(secret, at.got[0]!));

    await endpointRow(page, id)
      .getByRole('button', { name: /^Rotate secret/ })
      .click();
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    const fresh = await takeSecret(page);
    assert.notEqual(fresh, secret);
    await endpointRow(page, id)
      .getByRole('button', { name: /^Send test/ })
      .click();
    await until('the test came', () => at.got.length === 2);
    assert.deepEqual([verifies(secret, at.got[1]!), verifies(fresh, at.got[1]!)], [true, true]);

    await endpointRow(page, id)
      .getByRole('button', { name: /^Remove/ })
      .click();
    await page.locator('#remove').getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await fetch(`${url}/webhooks/${id}`)).status, 200);
    await endpointRow(page, id)
      .getByRole('button', { name: /^Remove/ })
      .click();
    await page.locator('#remove').getByRole('button', { name: 'Remove', exact: true }).click();
    await notice(page, /is removed$/);
    await page.locator('#no-endpoints').waitFor();
    assert.equal((await fetch(`${url}/webhooks/${id}`)).status, 404);
  });

  test('says in the dialog what is wrong, and keeps what was typed', async (t) => {
    const { page: address } = await serve(t);
    const page = await open(t, address);
    await page.locator('#register-open').click();
    await page.locator('#register [name=url]').fill('http://10.0.0.1/hook');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.locator('#register [role=alert]', { hasText: 'url: ' }).waitFor();
    assert.equal(await page.locator('#register [name=url]').inputValue(), 'http://10.0.0.1/hook');
    await page.keyboard.press('Escape');
    await page.locator('#publish-open').click();
    await page.locator('#publish [name=topic]').fill('no topic');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.locator('#publish [role=alert]', { hasText: 'topic' }).waitFor();
  });

  test('dead letters become fewer, a success clears the failure, and attempts are drawn', async (t) => {
    const { page: address, register, publish } = await serve(t, { retries: [] });
    let status = 500;
    const at = await receiver(t, () => status);
    const id = await register(at.url, ['news']);
    const page = await open(t, address);
    assert.equal(await page.locator('#no-deliveries').textContent(), 'No deliveries yet.');
    for (let i = 0; i < 3; i++) await publish('news');
    await holds(page, 'document.getElementById("dead-letters").textContent === "3"');
    await endpointRow(page, id).getByText('answered 500').waitFor();
    await holds(page, 'document.querySelectorAll("#success-trend rect.failed").length === 1');
    await page.locator('#show-dead').click();
    await holds(page, 'document.querySelectorAll("#deliveries tr").length === 3');
    status = 204;
    await page.locator('#deliveries button').first().click();
    await page.locator('#replay').click();
    await notice(page, /^Delivery \d+ queued again$/);
    await holds(page, 'document.getElementById("dead-letters").textContent === "2"');
    await page.keyboard.press('Escape');
    await endpointRow(page, id)
      .getByRole('button', { name: /^Recover/ })
      .click();
    await page.locator('#recovery').getByRole('button', { name: 'Recover' }).click();
    await holds(page, 'document.getElementById("dead-letters").textContent === "0"');
    assert.equal(await page.locator('#show-dead').isVisible(), false);
    await page.getByText('No matches.').waitFor();
    await holds(page, `!document.querySelector('[data-id="${id}"]').textContent.includes('answered 500')`);
    await holds(
      page,
      'document.getElementById("success-caption").textContent === "Success rate: 50 % of 6 attempts"',
    );
    await holds(
      page,
      '/^Latency, newest minute: p50 .* p95 /.test(document.getElementById("latency-caption").textContent)',
    );
    await page.locator('#trend-details summary').click();
    assert.match((await page.locator('#trend-rows tr').first().textContent())!, /\d/);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing in the dialogs, ${colorScheme}, and a phone shows them whole`, async (t) => {
      const { page: address, register, publish } = await serve(t, { retries: [] });
      const [good, bad] = [await receiver(t), await receiver(t, () => 500)];
      const id = await register(good.url, ['news']);
      await register(bad.url, ['news']);
      await publish('news');
      const page = await open(t, address, { colorScheme, viewport: { width: 390, height: 800 } });
      await page.locator('#deliveries .bad').waitFor();
      await page.locator('#success-trend rect').first().waitFor();
      await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
      const fits = async (what: string) => {
        await holds(page, 'document.getAnimations().length === 0');
        const found = await page.evaluate(
          'axe.run().then(({ violations }) => violations.map(({ id }) => id))',
        );
        assert.deepEqual(found, [], what);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390, what);
        const box = 'document.querySelector("dialog[open]") ?? document.documentElement';
        assert.equal(await page.evaluate(`((box) => box.scrollWidth - box.clientWidth)(${box})`), 0, what);
      };
      await page.locator('#trend-details summary').click();
      await fits('the page');
      for (const name of ['register', 'publish']) {
        await page.locator(`#${name}-open`).click();
        await fits(name);
        await page.keyboard.press('Escape');
      }
      for (const [name, label] of [
        ['remove', /^Remove/],
        ['rotate', /^Rotate/],
      ] as const) {
        await endpointRow(page, id).getByRole('button', { name: label }).click();
        await fits(name);
        if (name === 'remove') await page.keyboard.press('Escape');
      }
      await page.getByRole('button', { name: 'Rotate', exact: true }).click();
      await page.waitForSelector('#secret[open]');
      await fits('the secret');
    });
  }
});
