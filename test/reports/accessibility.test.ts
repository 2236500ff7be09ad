// The page in a real browser: axe finds nothing, light and dark, and nothing is cut off on a phone.

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
        if (interactive) await page.waitForFunction('document.querySelectorAll(".chart > div").length > 5');
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
