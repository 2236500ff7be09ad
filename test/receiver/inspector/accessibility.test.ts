// The page of a receiver in a real browser: what came is shown as text, its knobs work, and axe finds
// nothing, on a phone and on a desk, in light and dark.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { beforeEach, describe, test, type TestContext } from 'vitest';
import { wellBehaved } from '../../../receiver/inspector/conduct.ts';
import { startInspector } from '../../../receiver/inspector/inspector.ts';
import { skipWhen } from '../../skip.ts';
import { holds, open, skip } from '../../servers/webhook/http/dashboard-page.ts';

const evil = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

async function start(t: TestContext) {
  const inspector = await startInspector({
    host: '127.0.0.1',
    port: 0,
    pagePort: 0,
    allowHosts: [],
    secrets: [],
    conduct: wellBehaved,
    isStrict: false,
  });
  t.onTestFinished(() => inspector.close());
  const post = (body: string | Buffer, headers: Record<string, string> = {}) =>
    fetch(`${inspector.url}/hook/with/a/rather/long/path?tenant=1234567890`, {
      method: 'POST',
      body,
      headers,
    });
  return { ...inspector, post };
}

describe("a receiver's page", () => {
  beforeEach((t) => skipWhen(t, skip));

  test('shows requests as they come, as text, and sets how it answers', async (t) => {
    const { pageUrl, post } = await start(t);
    const page = await open(t, pageUrl);
    await page.getByText('No requests yet.').waitFor();
    await post(JSON.stringify({ evil }), { 'x-evil': evil, 'idempotency-key': 'k1' });
    await page.locator('#list summary').click();
    assert.ok((await page.locator('#list pre').textContent())!.includes(JSON.stringify(evil)));
    assert.equal(await page.locator('#list img, #list script').count(), 0);
    await post('again', { 'idempotency-key': 'k1' });
    await page.getByText('repeats #1').waitFor();

    await page.getByRole('button', { name: '503 twice' }).click();
    await holds(
      page,
      '/^Answers 503, for 2 more requests$/.test(document.getElementById("conduct-now").textContent)',
    );
    assert.equal((await post('1')).status, 503);
    await holds(page, '/for 1 more request$/.test(document.getElementById("conduct-now").textContent)');
    assert.equal((await post('1')).status, 503);
    assert.equal((await post('1')).status, 204);
    await page.locator('[data-conduct="{}"][aria-pressed="true"]').waitFor();
    await page.locator('#slow input').fill('150');
    await page.locator('#slow input').press('Enter');
    await page.getByText('Answers 204, 150 ms late').waitFor();
    await page.getByRole('button', { name: 'Clear the list' }).click();
    await page.getByText('No requests yet.').waitFor();
    await post('new');
    await holds(page, 'document.querySelectorAll("#list > li").length === 1');
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1280]) {
      test(`axe finds nothing at ${width} px, ${colorScheme}, and nothing scrolls sideways`, async (t) => {
        const { pageUrl, post } = await start(t);
        await post(JSON.stringify({ a: [1, { b: 'x'.repeat(300) }] }), {
          'stripe-signature': 't=1,v1=00',
          'x-long': 'y'.repeat(500),
        });
        await post(Buffer.from([0, 255, 7]));
        await post('', { 'idempotency-key': 'k'.repeat(200) });
        const page = await open(t, pageUrl, { colorScheme, viewport: { width, height: 800 } });
        await holds(page, 'document.querySelectorAll("#list > li").length === 3');
        for (const summary of await page.locator('#list summary').all()) await summary.click();
        await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8'));
        const found = await page.evaluate(
          'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + nodes[0].html))',
        );
        assert.deepEqual(found, []);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
      });
    }
  }
});
