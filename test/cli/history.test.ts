// `pushbench history`: change points over saved runs, in the terminal and on a page.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { test } from 'vitest';
import { writeBaseline } from '../../core/comparison/baseline.ts';
import { historyOf } from '../../core/comparison/history.ts';
import { random } from '../../core/base/random.ts';
import { runSetOf, type RunSet } from '../../core/comparison/run-set.ts';
import { renderHistoryPage } from '../../reports/history/page.ts';
import { renderHistory } from '../../reports/history/words.ts';
import { fixtureResult } from '../reports/fixture.ts';
import { skipWhen } from '../skip.ts';
import { call, start, temporaryFolder } from './tools.ts';

/** A run a day; from the 19th on sse costs 30 % more CPU. */
function days(count: number): RunSet[] {
  const template = runSetOf('x', [fixtureResult({ measureS: 2 })]);
  const next = random(1, 'days');
  return Array.from({ length: count }, (_, day) => {
    const set = structuredClone(template);
    set.name = `day-${String(day + 1).padStart(2, '0')}`;
    set.createdAt = new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
    set.environment.commit = `c${day + 1}`;
    for (const { label, runs } of set.variants)
      for (const { values } of runs)
        values['server-cpu-per-delivery']! *=
          (label === 'sse' && day >= 18 ? 1.3 : 1) * (0.98 + 0.04 * next());
    return set;
  });
}

const nonEmpty = (sets: RunSet[]) => sets as [RunSet, ...RunSet[]];

test('a change point is found with its commits; shuffled input is put in order', () => {
  const history = historyOf(nonEmpty(days(30).toReversed()));
  const changes = history.series.flatMap((series) =>
    series.changes.map((change) => ({ variant: series.variant, metric: series.metric, ...change })),
  );
  assert.deepEqual(
    changes.map(({ variant, metric, point, before }) => [variant, metric, point.commit, before.commit]),
    [['sse', 'server-cpu-per-delivery', 'c19', 'c18']],
  );
  assert.ok(Math.abs(changes[0]!.ratio - 1.3) < 0.03);
  assert.deepEqual(
    history.sets.map(({ name }) => name),
    days(30).map(({ name }) => name),
  );
});

test('another machine is named and no change is looked for across it; other scenarios are left out', () => {
  const sets = days(30);
  for (const set of sets.slice(18)) set.environment.cpu = 'Other CPU';
  sets[3]!.scenario.name = 'another';
  const history = historyOf(nonEmpty(sets));
  assert.deepEqual(
    history.series.flatMap(({ changes }) => changes),
    [],
  );
  assert.deepEqual(
    history.moves.map(({ place, to }) => [history.sets[place]!.name, to.split(',')[0]]),
    [['day-19', 'Other CPU']],
  );
  assert.deepEqual(history.leftOut, ['day-04']);
});

test('runs that do not count are no points; losses are shown where there are any', () => {
  const sets = days(5);
  for (const run of sets[2]!.variants[0]!.runs) run.valid = false;
  sets[4]!.variants[3]!.runs[0]!.values['missed'] = 7;
  const { series } = historyOf(nonEmpty(sets));
  assert.deepEqual(
    series
      .find(({ variant, metric }) => variant === 'polling' && metric === 'server-cpu-per-delivery')!
      .points.map(({ place }) => place),
    [0, 1, 3, 4],
  );
  assert.deepEqual(
    series
      .filter(({ metric }) => metric === 'missed')
      .map(({ variant, points }) => [variant, points.at(-1)!.value]),
    [['sse', 7]],
  );
  assert.deepEqual(
    series.filter(({ metric }) => metric === 'duplicated'),
    [],
  );
});

test('where a saved run has several trials, their lowest and highest stand beside the median', async () => {
  const set = runSetOf('x', [fixtureResult({ measureS: 2, repeat: 3 })]);
  const history = historyOf([set]);
  const spread = /[\d.]+ to [\d.]+ ms/;
  assert.match(
    renderHistory(history, { columns: 200, color: false }),
    new RegExp(`sse +median latency +[\\d.]+ ms +${spread.source} +1 point`),
  );
  assert.match(
    await renderHistoryPage(history, '0.1.0'),
    new RegExp(`<td>[\\d.]+ ms<small>${spread.source}</small></td>`),
  );
});

test(
  'the command reads results and baselines, prints the ' + 'change, and says what it cannot read',
  async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'baselines'));
    for (const set of days(24))
      writeFileSync(join(folder, 'baselines', `${set.name}.json`), writeBaseline(set, new Date(0)));
    mkdirSync(join(folder, 'results/one'), { recursive: true });
    writeFileSync(join(folder, 'results/one/result.json'), JSON.stringify(fixtureResult({ measureS: 2 })));
    const found = await start(['history', 'baselines', '--html', 'x.html'], folder).ended;
    assert.equal(found.code, 0, found.stderr);
    assert.match(
      found.stdout,
      /24 saved runs of compare: 1 change point, 1 for the worse\.\n\nsse: server CPU per delivery \+\d\d\.\d % from day-19 on \(2026-01-19 00:00, at c19 \(before: c18\)\)/,
    );
    assert.match(readFileSync(join(folder, 'x.html'), 'utf8'), /Server CPU per delivery: 1 change point/);
    const few = await call(['history', 'results', 'baselines/day-01.json', '--json'], folder);
    assert.equal((JSON.parse(few.stdout) as { sets: unknown[] }).sets.length, 2);
    mkdirSync(join(folder, 'empty'));
    for (const [path, message] of [
      ['empty', /neither a result nor a baseline in empty/],
      ['nothing', /Cannot read a result at nothing/],
    ] as const) {
      const { code, stderr } = await call(['history', path], folder);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  },
);

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';

test(
  'the page in a browser: axe finds nothing, light and ' + 'dark; it escapes names and stays small',
  async (t) => {
    skipWhen(t, skip);
    const sets = days(30);
    for (const set of sets) set.name = `<b>${set.name}`;
    const page = await renderHistoryPage(historyOf(nonEmpty(sets)), '0.1.0');
    assert.doesNotMatch(page, /<b>day/);
    assert.ok(page.length < 400_000, `${page.length} bytes`);
    const file = join(temporaryFolder(t), 'history.html');
    writeFileSync(file, page);
    const browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--no-first-run',
      ],
    });
    t.onTestFinished(() => browser.close());
    for (const colorScheme of ['light', 'dark'] as const) {
      const tab = await browser.newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await tab.goto(`file://${file}`);
      // One legend says which line is which variant's.
      assert.deepEqual(await tab.locator('.legend li').allInnerTexts(), [
        'polling',
        'long-polling',
        'http-stream',
        'sse',
        'websocket',
        'webhook',
      ]);
      await tab.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
      assert.deepEqual(
        await tab.evaluate(
          'axe.run().then((result) => result.violations.map(({ id, help }) => id + ": " + help))',
        ),
        [],
        colorScheme,
      );
    }
  },
);
