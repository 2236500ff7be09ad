// The script of pages with charts, in a real browser: values at the pointer and at the arrow keys, copies of
// charts, the policy of `pushbench open` that lets it run, and the pages without it.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, test, type TestContext } from 'vitest';
import { formatUs } from '../../../core/base/units.ts';
import { renderCard } from '../../../reports/page/card.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { serveArchive } from '../../../reports/open/server.ts';
import { skipWhen } from '../../skip.ts';
import { fixtureResult } from '../fixture.ts';

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';

let browser: Browser;
beforeAll(async () => {
  if (!skip) browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(() => browser?.close());

/** A page on a server of its results folder, whose policy the page is under. */
async function openReport(t: TestContext, width = 1280): Promise<{ page: Page; faults: string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-charts-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'one'));
  writeFileSync(join(root, 'one', 'result.json'), JSON.stringify(fixtureResult()));
  const server = await serveArchive(root, pathToFileURL(`${process.cwd()}/docs/`), 0);
  t.onTestFinished(server.close);
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  t.onTestFinished(() => context.close());
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  await page.goto(`${server.url}runs/one/report.html`);
  return { page, faults };
}

test('at the pointer and at the arrow keys a chart tells the values of all its lines', async (t) => {
  skipWhen(t, skip);
  for (const width of [1280, 390]) {
    const { page, faults } = await openReport(t, width);
    const chart = page.locator('#time-median .chart');
    const box = page.locator('#values');
    assert.equal(await box.isVisible(), false);
    await chart.scrollIntoViewIfNeeded();
    const { x, y, width: wide } = (await chart.locator('svg:visible').boundingBox())!;
    await page.mouse.move(x + wide / 2, y + 60);
    const rows = await box.locator('tr').allInnerTexts();
    assert.equal(rows.length, 6);
    // In the middle of the fixture's 20 s, as its own series says.
    const at = Number.parseFloat(await box.locator('b').innerText());
    assert.ok(at > 7 && at < 12, `${at} s`);
    const sse = fixtureResult().trials.find(({ variant }) => variant.label === 'sse')!;
    assert.equal(sse.outcome.status, 'completed');
    const { startUs, columns } = sse.outcome.series;
    const value = columns['latencyP50Us']![startUs.indexOf(Math.round(at * 4) * 250_000)]!;
    assert.ok(
      rows.some((row) => row.startsWith('sse') && row.endsWith(formatUs(Number(value.toPrecision(4))))),
    );
    assert.equal(await chart.locator('svg:visible .pointer circle').count(), 6);
    await page.mouse.move(2, 2);
    assert.equal(await box.isVisible(), false);
    assert.equal(await page.locator('.pointer').count(), 0);

    await chart.focus();
    await page.keyboard.press('Home');
    assert.equal(await box.locator('b').innerText(), '0 s');
    await page.keyboard.press('ArrowRight');
    assert.equal(await box.locator('b').innerText(), '0.25 s');
    assert.equal(await box.getAttribute('role'), 'status', 'it is read out');
    await page.keyboard.press('Escape');
    assert.equal(await box.isVisible(), false);
    assert.deepEqual(faults, []);
  }
});

test('charts and the card are copied as drawings that need nothing of the page', async (t) => {
  skipWhen(t, skip);
  const { page, faults } = await openReport(t);
  const copied = async (button: string, within = 'body') => {
    const one = page.locator(within).getByRole('button', { name: button }).first();
    await one.click();
    await page.locator(within).getByRole('button', { name: 'Copied' }).waitFor();
  };
  await copied('Copy chart as SVG', '#time-requests');
  const svg = String(await page.evaluate('navigator.clipboard.readText()'));
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  assert.doesNotMatch(svg, /var\(|currentColor|class=|url\(/i);
  for (const words of ['Requests over time', 'long-polling', 'seconds', 'compare: pushbench'])
    assert.ok(svg.includes(words), words);
  await copied('Copy chart as PNG', '#tail');
  await copied('Copy a summary card as PNG', '.chart-hint + .chart-tools');
  const [width, height] = (await page.evaluate(`(async () => {
    const [item] = await navigator.clipboard.read();
    const { width, height } = await createImageBitmap(await item.getType('image/png'));
    return [width, height];
  })()`)) as [number, number];
  assert.deepEqual([width, height], [1200, 630]);
  assert.deepEqual(faults, []);
});

test('a script that is not of this build does not run under the policy of open', async (t) => {
  skipWhen(t, skip);
  const { page } = await openReport(t);
  const ran = await page.evaluate(`(() => {
    const script = document.createElement('script');
    script.textContent = 'window.foreign = true';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<p onclick="window.foreign = true" id="bait">x</p>');
    document.getElementById('bait').click();
    return window.foreign === true;
  })()`);
  assert.equal(ran, false);
});

test('without the script the page is whole and shows nothing that needs it', async (t) => {
  skipWhen(t, skip);
  const page = await browser.newPage({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  t.onTestFinished(() => page.close());
  await page.setContent(await renderHtml([fixtureResult()], { interactive: false }));
  assert.equal(await page.locator('figure svg:visible').count(), 9);
  assert.equal(await page.locator('.legend li:visible').count(), 6);
  assert.equal(await page.locator('.chart-hint:visible, button:visible').count(), 0);
});

test('charts stand two a row, and one a row on a phone; the legend stays in sight', async (t) => {
  skipWhen(t, skip);
  const page = await browser.newPage();
  t.onTestFinished(() => page.close());
  await page.setContent(await renderHtml([fixtureResult()], { interactive: false }));
  for (const [width, most] of [
    [1280, 2],
    [390, 1],
  ] as const) {
    await page.setViewportSize({ width, height: 900 });
    const tops = (
      await Promise.all((await page.locator('.charts > section').all()).map((one) => one.boundingBox()))
    ).map((box) => Math.round(box!.y));
    const perRow = [...Map.groupBy(tops, (top) => top).values()].map((row) => row.length);
    assert.equal(Math.max(...perRow), most, `${width}`);
    await page.locator('#fan-out').scrollIntoViewIfNeeded();
    const { y } = (await page.locator('.legend').boundingBox())!;
    assert.ok(y >= 0 && y < 20, `the legend is at ${y}`);
  }
});

test('nothing on the card is wider than its place, however long the names', async (t) => {
  skipWhen(t, skip);
  const page = await browser.newPage({ viewport: { width: 1200, height: 630 } });
  t.onTestFinished(() => page.close());
  const plain = fixtureResult();
  const long = {
    ...plain,
    trials: plain.trials.map((trial) => ({
      ...trial,
      variant: {
        ...trial.variant,
        label: `${trial.variant.label} store=sqlite WITH=${'MANY-OPTIONS '.repeat(4)}`,
      },
    })),
  };
  for (const results of [[plain], [long], [plain, fixtureResult({ seed: 2 })]]) {
    await page.setContent(renderCard(results).replace(/^<\?.*\?>\s*/, '<body style="margin:0">'));
    const boxes = (await page.evaluate(`[...document.querySelectorAll('text')].map((one) => {
      const { x, right, y, bottom } = one.getBoundingClientRect();
      return { x, right, y, bottom, words: one.textContent };
    })`)) as { x: number; right: number; y: number; bottom: number; words: string }[];
    assert.ok(boxes.length > 12);
    for (const { x, right, bottom, words } of boxes) {
      assert.ok(x >= 40 && right <= 1180 && bottom <= 630, `${words}: ${x} to ${right}, ${bottom}`);
    }
    const overlapping = boxes.filter((one, i) =>
      boxes.some(
        (other, j) =>
          j > i &&
          one.x < other.right &&
          other.x < one.right &&
          one.y + 4 < other.bottom &&
          other.y + 4 < one.bottom,
      ),
    );
    assert.deepEqual(
      overlapping.map(({ words }) => words),
      [],
    );
  }
});
