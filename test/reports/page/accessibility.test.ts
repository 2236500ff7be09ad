// The page in a real browser: axe finds nothing, light and dark, nothing is cut off on a phone, and what is
// interactive answers.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { renderPlanPage } from '../../../reports/capacity/page.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { serveArchive } from '../../../reports/open/server.ts';
import { skipWhen } from '../../skip.ts';
import { writeAb } from '../ab-folder.ts';
import { fixturePlan } from '../capacity/plan.ts';
import { fixtureResult } from '../fixture.ts';
import { faultsOf, openPage, skip } from '../page-faults.ts';

/** A result of these patterns alone: axe takes seconds for the tables of all six, and finds no more. */
function only(patterns: string[], result: Result): Result {
  return { ...result, trials: result.trials.filter(({ variant }) => patterns.includes(variant.pattern)) };
}

/** Those that fixtureResult gets into trouble. */
const troubled = ['long-polling', 'http-stream', 'webhook'];

const reports: Record<string, () => Result[]> = {
  'one result': () => [fixtureResult()],
  'one that does not count': () => [only(troubled, fixtureResult({ trouble: true, repeat: 2 }))],
  'several results': () => [
    only(['http-stream', 'sse'], fixtureResult({ measureS: 5 })),
    only(troubled, fixtureResult({ seed: 2, measureS: 5, trouble: true })),
  ],
  'one with all that may follow the trials': () => {
    const result = only(['polling', 'sse'], fixtureResult({ measureS: 5 }));
    return [
      {
        ...result,
        scenario: { ...result.scenario, answer: ['requests-per-delivery', 'latency.p50', 'upstream.p50'] },
        closedLoop: [
          {
            endpoint: 'GET /poll, nothing new',
            connections: 50,
            requestsPerS: 12_345,
            serverCpuShare: 1,
            clientCpuShare: 0.5,
            errors: 0,
          },
        ],
        chromium: {
          status: 'measured',
          version: '140.0',
          patienceMs: 2000,
          opened: [{ variant: 'sse', pages: 7, streams: 6, answered: 0 }],
        },
      },
    ];
  },
  'a result with nothing in it': () => [
    {
      ...fixtureResult(),
      trials: [],
      expectations: [],
      state: { kind: 'interrupted', by: 'SIGINT' } as const,
    },
  ],
};

for (const [name, results] of Object.entries(reports)) {
  test(
    `axe finds no violation in the report of ${name}, light and ` +
      'dark; a phone needs no sideways scrolling',
    async (t) => {
      skipWhen(t, skip);
      const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
      t.onTestFinished(() => rmSync(folder, { recursive: true }));
      const drawn = results().some(({ trials }) => trials.length > 0);
      for (const interactive of drawn && results().length === 1 ? [false, true] : [false]) {
        const url = `file://${join(folder, `${interactive}.html`)}`;
        writeFileSync(new URL(url), await renderHtml(results(), { interactive }));
        assert.deepEqual(
          await faultsOf(t, url, interactive ? '#picker:not([hidden])' : undefined),
          [],
          interactive ? 'interactive' : 'still',
        );
      }
    },
  );
}

test('axe finds no violation in a capacity plan; a phone needs no sideways scrolling', async (t) => {
  skipWhen(t, skip);
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const url = `file://${join(folder, 'plan.html')}`;
  writeFileSync(new URL(url), await renderPlanPage(fixturePlan(['polling', 'sse'])));
  assert.deepEqual(await faultsOf(t, url), []);
});

test('on a phone charts are drawn for it, with letters as large as elsewhere', async (t) => {
  skipWhen(t, skip);
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'page.html');
  for (const interactive of [false, true]) {
    writeFileSync(file, await renderHtml([fixtureResult()], { interactive }));
    for (const [width, shown] of [
      [390, 'narrow'],
      [1200, 'wide'],
    ] as const) {
      const page = await openPage(t, { viewport: { width, height: 800 } });
      await page.goto(`file://${file}`);
      if (interactive && shown === 'wide') continue; // drawn again there
      assert.equal(await page.locator('.chart svg:visible').count(), 9);
      assert.equal(await page.locator(`.chart svg.${shown}:visible`).count(), 9);
      const { height } = (await page
        .locator('#time-requests svg:visible .role-axis-title text')
        .first()
        .boundingBox())!;
      assert.ok(height > 11, `letters of ${height} px at ${width}`);
      const scrolled = await page
        .locator('#time-requests .chart')
        .evaluate((chart) => chart.scrollWidth - chart.clientWidth);
      assert.equal(scrolled, 0);
    }
  }
});

test(
  'axe finds no violation in the index of runs and the ' + 'pages on the patterns, light and dark',
  async (t) => {
    skipWhen(t, skip);
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const seed of [1, 2, 3]) {
      mkdirSync(join(folder, `run${seed}`));
      writeFileSync(
        join(folder, `run${seed}`, 'result.json'),
        seed === 3 ? 'no JSON' : JSON.stringify(fixtureResult({ seed, measureS: 2, trouble: seed === 2 })),
      );
    }
    writeAb(join(folder, 'ab'));
    const server = await serveArchive(folder, pathToFileURL(`${process.cwd()}/docs/`), 0);
    t.onTestFinished(server.close);
    for (const path of [
      '',
      'docs/patterns/sse',
      'docs/outputs',
      'runs/run1/hgrm',
      'runs/ab/report.html',
      'history/compare',
    ]) {
      assert.deepEqual(await faultsOf(t, `${server.url}${path}`), [], path);
    }
    const page = await openPage(t);
    await page.goto(server.url);
    for (const box of await page.locator('input').all()) await box.check();
    await page.getByRole('button', { name: 'in one report' }).click();
    assert.match(await page.locator('.headline').innerText(), /^In 2 runs with 100 subscribers/);
    await page.goBack();
    for (const box of await page.locator('input').all()) await box.check();
    await page.getByRole('button', { name: 'Compare' }).click();
    assert.equal(await page.locator('.question').innerText(), 'compare: run2 against run1');
    await page.goto(`${server.url}runs/run1/report.html`);
    await page.locator('a[href="#pattern-sse"]').first().click();
    await page.locator('#pattern-sse a.doc').click();
    assert.equal(
      await page.locator('h1').innerText(),
      'Server-Sent Events',
      'from the table to the page on the pattern',
    );
  },
);

test(
  'the interactive page: figures at the pointer, zoom on one time axis, ' +
    'variants to tick; whole without scripts',
  async (t) => {
    skipWhen(t, skip);
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'page.html');
    writeFileSync(file, await renderHtml([fixtureResult()], { interactive: true }));

    const page = await openPage(t);
    await page.goto(`file://${file}`);
    await page.waitForSelector('#picker.live');
    const lines = () => page.locator('#time-requests .mark-line.role-mark path').count();
    const axis = (id: string) => page.locator(`#${id} .role-axis-label`).first().textContent();
    assert.equal(await lines(), 6);
    assert.equal(await page.locator('#picker input:visible').count(), 6);

    // Where the pointer is, the plot's own box: Playwright scrolls it into view and
    // keeps clear of the picker.
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
    await page.waitForFunction(
      `document.querySelector('#time-server-cpu .role-axis-label').textContent !== ${JSON.stringify(before)}`,
    );
    assert.equal(await axis('time-requests'), await axis('time-server-cpu'), 'one shared axis');

    await page.locator('#picker input').first().uncheck();
    await page.waitForFunction(
      'document.querySelectorAll("#time-requests .mark-line.role-mark path").length === 5',
    );

    const still = await openPage(t, { javaScriptEnabled: false });
    await still.goto(`file://${file}`);
    assert.equal(await still.locator('figure svg.wide > title').count(), 9);
    assert.equal(await still.locator('#picker input:visible').count(), 0);
  },
);
