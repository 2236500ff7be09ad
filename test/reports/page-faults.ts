// Looks at a page in a real browser: what axe finds, light and dark, what it asks of the network, and what is
// cut off on a phone.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, type TestContext } from 'vitest';

const executablePath = '/usr/bin/chromium';
/** Why no page can be looked at; false where one can. */
export const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--disable-sync',
];

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core'), 'utf8');

type Violation = { id: string; help: string; nodes: { html: string }[] };

/** One for the whole file; each test opens pages of its own in it. */
let browser: Browser;
beforeAll(async () => {
  if (!skip) browser = await chromium.launch({ executablePath, args });
});
afterAll(() => browser?.close());

const wide = { width: 1200, height: 900 };
const phone = { width: 390, height: 800 };

export async function openPage(t: TestContext, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: wide, ...options });
  t.onTestFinished(() => page.close());
  return page;
}

/**
 * Loads a page once and looks at it in both colour schemes, then loads it as a phone does, for what is drawn
 * for the width.
 * @param drawnBy what is there when the page's script has run. Tables are left out then: they are most of the
 *   work, and those of the page without a script
 * @returns violations that axe finds, and what else went wrong; a request to anywhere else is wrong
 */
export async function faultsOf(t: TestContext, url: string, drawnBy?: string): Promise<string[]> {
  const page = await openPage(t, { colorScheme: 'light' });
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on(
    'request',
    (request) =>
      request.url().startsWith(new URL(url).origin) ||
      request.url().startsWith('file:') ||
      faults.push(`it asked for ${request.url()}`),
  );
  await page.goto(url);
  if (drawnBy !== undefined) await page.waitForSelector(drawnBy);
  await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
  await page.evaluate(axe); // not a script element, which the page's own policy may forbid
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const where = drawnBy === undefined ? 'document' : '{ exclude: ["table"] }';
    const violations = (await page.evaluate(
      `axe.run(${where}).then((result) => result.violations)`,
    )) as Violation[];
    faults.push(
      ...violations.map(({ id, help, nodes }) => `${colorScheme}: ${id}: ${help}: ${nodes[0]?.html}`),
    );
  }
  await page.setViewportSize(phone);
  await page.reload();
  const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
  if (width !== phone.width) faults.push(`on a phone it is ${width} px wide`);
  await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
  const scrolled = (await page.evaluate(
    '[...document.querySelectorAll(".blocks")].filter((one) => one.scrollWidth > one.clientWidth)' +
      '.map((one) => `${one.ariaLabel} (${one.scrollWidth} px)`)',
  )) as string[];
  faults.push(...scrolled.map((table) => `on a phone a table has to be scrolled: ${table}`));
  await page.close();
  return faults;
}
