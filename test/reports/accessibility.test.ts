// The page in a real browser: axe finds nothing, light and dark, nothing is cut off on a phone, and what is
// interactive answers.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { renderHtml } from '../../reports/html.ts';
import { fixtureResult } from './fixture.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath) ? false : 'Chromium is not installed (Debian: apt-get install chromium)';
const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run', '--disable-sync'];

type Violation = { id: string; help: string; nodes: { html: string }[] };

test('axe finds no violation, light and dark, still and interactive; a phone needs no sideways scrolling', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const browser = await chromium.launch({ executablePath, args });
  t.after(() => browser.close());
  for (const interactive of [false, true]) {
    for (const trouble of [false, true]) {
      const file = join(folder, `${interactive}-${trouble}.html`);
      writeFileSync(file, await renderHtml([fixtureResult({ trouble, repeat: 2 })], { interactive }));
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await browser.newPage({ colorScheme, viewport: { width: 1200, height: 900 } });
        const failures: string[] = [];
        page.on('pageerror', (error) => failures.push(error.message));
        page.on('request', (request) => request.url().startsWith('file:') || failures.push(`it asked for ${request.url()}`));
        await page.goto(`file://${file}`);
        if (interactive) await page.waitForSelector('#picker:not([hidden])');
        await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
        const violations = (await page.evaluate('axe.run().then((result) => result.violations)')) as Violation[];
        assert.deepEqual(violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes[0]?.html}`), [], `${colorScheme} ${interactive} ${trouble}`);
        assert.deepEqual(failures, []);
        await page.close();
      }
    }
  }
  const phone = await browser.newPage({ viewport: { width: 390, height: 800 } });
  await phone.goto(`file://${join(folder, 'false-false.html')}`);
  assert.equal(await phone.evaluate('document.documentElement.scrollWidth'), 390);
});

test('the interactive page: figures at the pointer, zoom on one time axis, variants to tick; whole without scripts', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const browser = await chromium.launch({ executablePath, args });
  t.after(() => browser.close());
  const file = join(folder, 'page.html');
  writeFileSync(file, await renderHtml([fixtureResult()], { interactive: true }));

  const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
  await page.goto(`file://${file}`);
  await page.waitForSelector('#picker:not([hidden])');
  const lines = () => page.locator('#time-requests .mark-line.role-mark path').count();
  const axis = (id: string) => page.locator(`#${id} .role-axis-label`).first().textContent();
  assert.equal(await lines(), 6);
  assert.equal(await page.locator('#tail .role-legend-symbol path').count(), 6, 'the legend stands');

  // Where the pointer is, the plot's own box: Playwright scrolls it into view and keeps clear of the picker.
  const chart = page.locator('#time-requests svg');
  const over = { position: { x: 400, y: 60 } };
  await chart.hover(over);
  await page.waitForSelector('#tip:not([hidden])');
  assert.match((await page.locator('#tip').textContent())!, /^variant: .*\nat, s: .*\nrequests\/s: /);

  const before = await axis('time-server-cpu');
  const top = async () => Number(await page.evaluate('scrollY'));
  const scrolled = await top();
  await page.mouse.wheel(0, -60);
  await page.waitForFunction(`scrollY < ${scrolled}`); // the wheel alone belongs to the page
  assert.equal(await axis('time-requests'), before);
  await chart.hover(over);
  await page.keyboard.down('Alt');
  await page.mouse.wheel(0, -600);
  await page.keyboard.up('Alt');
  await page.waitForFunction(`document.querySelector('#time-server-cpu .role-axis-label').textContent !== ${JSON.stringify(before)}`);
  assert.equal(await axis('time-requests'), await axis('time-server-cpu'), 'one shared axis');

  await page.locator('#picker input').first().uncheck();
  await page.waitForFunction('document.querySelectorAll("#time-requests .mark-line.role-mark path").length === 5');

  const still = await browser.newPage({ javaScriptEnabled: false });
  await still.goto(`file://${file}`);
  assert.equal(await still.locator('figure svg > title').count(), 9);
  assert.equal(await still.locator('#picker').isVisible(), false);
});
