// A comparison as people and machines read it: terminal, page, Markdown, JUnit, annotations.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { chromium } from 'playwright-core';
import { test } from 'vitest';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { comparisonExitCode, type Comparison } from '../../../core/comparison/comparison-result.ts';
import { random } from '../../../core/base/random.ts';
import type { Result } from '../../../core/result/result.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import { renderAnnotations, renderComparisonJunit } from '../../../reports/comparison/ci.ts';
import { renderComparisonMarkdown } from '../../../reports/comparison/markdown.ts';
import { chartScriptText } from '../../../reports/page/chart-script.ts';
import { renderComparisonPage } from '../../../reports/comparison/page.ts';
import { renderComparison } from '../../../reports/comparison/terminal.ts';
import { changeText } from '../../../reports/comparison/words.ts';
import { skipWhen } from '../../skip.ts';
import { fixtureResult } from '../fixture.ts';

/**
 * Twelve pairs in turns; in the candidate sse costs 30 % more CPU and loses deliveries once, and one
 * webhook run does not count.
 */
function arms(together = true): { baseline: Result; candidate: Result } {
  const next = random(5, 'arms');
  const arm = (candidate: boolean): Result => {
    const result = fixtureResult({ repeat: 12, measureS: 12 });
    result.trials = result.trials.filter(({ variant }) => ['sse', 'webhook'].includes(variant.label));
    for (const trial of result.trials) {
      const { repetition: pair, outcome, variant } = trial;
      const first = pair % 2 === (candidate ? 1 : 0);
      trial.startedAt = new Date(
        Date.UTC(2026, 0, 2, together ? 10 : candidate ? 11 : 10, pair, first ? 0 : 30),
      ).toISOString();
      if (outcome.status !== 'completed') continue;
      for (const process of outcome.processes)
        process.cpuUs *= (candidate && variant.label === 'sse' ? 1.3 : 1) * (0.97 + 0.06 * next());
      if (candidate && variant.label === 'sse' && pair === 3) outcome.ledger.missed = 2;
      if (candidate && variant.label === 'webhook' && pair === 5) {
        Object.assign(outcome, { valid: false });
        trial.warnings.push({
          code: 'load-limited',
          level: 'invalid',
          message: 'this trial measured the load generator',
        });
      }
    }
    return result;
  };
  return { baseline: arm(false), candidate: arm(true) };
}

function comparisonOf({ baseline, candidate }: ReturnType<typeof arms>, name = 'new'): Comparison {
  return compare(runSetOf('main', [baseline]), runSetOf(name, [candidate]), { createdAt: new Date(0) });
}

const inTurns = arms();
const proven = comparisonOf(inTurns);
const advisory = comparisonOf(arms(false));

test('the terminal says what is worse, by how much and how sure, and which pair was dropped', () => {
  const text = renderComparison(proven, { columns: 160, color: false });
  assert.match(
    text,
    /^\nWorse, new against main: sse: server CPU per delivery \+\d\d\.\d % \(\+\d\d\.\d % to \+\d\d\.\d %\);/,
  );
  assert.match(text, /sse: worse \(12 of 12 pairs\)/);
  assert.match(text, /webhook: not slower \(11 of 12 pairs\)\n {2}pair 5 dropped: candidate: load-limited/);
  // Below the medians stand the lowest and the highest run of each side.
  assert.match(text, /server CPU per delivery .* worse\n +[\d.]+ to [\d.]+ µs +[\d.]+ to [\d.]+ µs\n/);
  assert.match(text, /missed +0 +0\.167 per run .*\n +0 to 2\n/);
  assert.match(text, /missed +0 +0\.167 per run +\+0\.167 +worse\n/);
  assert.match(text, /None on either side: missed, duplicated, corrupted and errors of server and clients\./);
  assert.match(text, /No figure for 99\.9th percentile latency: 1 event beyond it; 10 are needed\./);
  assert.doesNotMatch(text, /advisory/);
});

test('where the table is wider than the terminal, its rows are told in words, and nothing is wider', () => {
  const text = renderComparison(proven, { columns: 80, color: false });
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line);
  assert.match(
    text,
    /\n {2}missed: worse\n {4}baseline 0, candidate 0\.167 per run \(0 to 2\), change \+0\.167\n/,
  );
});

test('timings of runs that did not take turns are called advisory, with the reason; losses stand', () => {
  const text = renderComparison(advisory, { columns: 300, color: false });
  assert.match(text, /advisory: the runs did not alternate/);
  const lines = renderAnnotations(advisory, 'bench/x.yaml').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => /^::(\w+) file=bench\/x\.yaml,title=/.exec(line)?.[1]),
    ['warning', 'error', 'notice'],
  );
  assert.match(
    lines[0]!,
    /title=pushbench compare%3A sse::server CPU per delivery \+\d\d\.\d %25 .*\(advisory\)/,
  );
});

test('JUnit: what is proven worse fails, what is advisory or open is skipped', () => {
  const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '' });
  for (const [comparison, failures] of [
    [proven, 2],
    [advisory, 1],
  ] as const) {
    const xml = renderComparisonJunit(comparison);
    assert.equal(XMLValidator.validate(xml), true);
    const { testsuites } = parser.parse(xml) as {
      testsuites: { failures: string; errors: string; testsuite: { name: string }[] };
    };
    assert.equal(Number(testsuites.failures), failures);
    assert.equal(Number(testsuites.errors), 0);
    assert.deepEqual(
      testsuites.testsuite.map(({ name }) => name),
      ['compare: sse', 'compare: webhook'],
    );
  }
});

/** The same pairs with what a change of them makes of both sides. */
function changed(change: (result: Result, candidate: boolean) => void): Comparison {
  const { baseline, candidate } = structuredClone(inTurns);
  change(baseline, false);
  change(candidate, true);
  return comparisonOf({ baseline, candidate });
}

test('what was not judged is said everywhere, and is an error for CI', async () => {
  const rows: [string, Comparison, RegExp][] = [
    [
      'no variant on both sides',
      changed((result, candidate) => {
        for (const trial of result.trials)
          if (candidate) trial.variant = { ...trial.variant, label: `${trial.variant.label} @new` };
      }),
      /new has no runs of it/,
    ],
    [
      'latencies void in more than a fifth of the pairs',
      changed((result, candidate) => {
        for (const { outcome, repetition } of result.trials)
          if (candidate && repetition > 8 && outcome.status === 'completed')
            Object.assign(outcome, { valid: false, voids: { 'publisher-late': ['latency'] } });
      }),
      /[45] of 12 pairs (?:do not count|lack it) \(at most 20 %(?:25)? may be dropped\): .*publisher-late/,
    ],
    [
      'another scenario',
      changed((result, candidate) => {
        if (candidate)
          result.scenario.source = result.scenario.source.replace(/subscribers: \d+/, 'subscribers: 7');
      }),
      /the sides ran different scenarios \(scenario subscribers\)/,
    ],
    [
      'nothing delivered',
      changed((result) => {
        for (const { outcome } of result.trials)
          if (outcome.status === 'completed') Object.assign(outcome.ledger, { delivered: 0, missed: 0 });
      }),
      /nothing was delivered on either side/,
    ],
  ];
  for (const [name, comparison, why] of rows) {
    assert.equal(comparisonExitCode({ ...comparison }, []) === 0, false, name);
    const xml = renderComparisonJunit(comparison);
    assert.equal(XMLValidator.validate(xml), true, name);
    assert.match(xml, /<error type="not-judged"/, name);
    assert.match(xml, why, name);
    const texts = [
      renderComparison(comparison, { columns: 1000, color: false }),
      renderComparisonMarkdown(comparison),
      renderAnnotations(comparison, undefined),
      await renderComparisonPage(comparison),
    ];
    for (const text of texts) {
      assert.match(text, /not judged/i, name);
      assert.match(text, why, name);
      assert.doesNotMatch(text, /✅ \*\*|Not slower,|invalid/, name);
    }
  }
});

test('Markdown and the page escape the names that they are given', async () => {
  const evil = comparisonOf(inTurns, '<img src=x onerror=alert(1)>|`');
  const markdown = renderComparisonMarkdown(evil);
  assert.doesNotMatch(markdown, /<img/);
  assert.match(markdown, /### ❌ sse: worse \(12 of 12 pairs\)/);
  assert.match(
    markdown,
    /\| server CPU per delivery \| [\d.]+ µs \([\d.]+ to [\d.]+ µs\) \| .* \| \*\*worse\*\* \|/,
  );
  const page = await renderComparisonPage(evil, {
    baseline: [inTurns.baseline],
    candidate: [inTurns.candidate],
  });
  const written = page
    .replace(`<script>${chartScriptText}</script>`, '')
    .replaceAll('<script type="application/json" class="chart-values">', '');
  assert.doesNotMatch(written, /<img|<script|https?:\/\/(?!www\.w3\.org)/);
  assert.match(page, /<dt>Load generator headroom<\/dt><dd>[\d.]+x/);
  assert.match(page, /<td>[\d.]+ µs<small>[\d.]+ to [\d.]+ µs<\/small><\/td>/);
  assert.ok(page.length < 300_000, `${page.length} bytes`);
});

test('changes read as people write them', () => {
  assert.deepEqual([1, 1.146, 0.95, 3, 1 - 1e-9, 1.0004].map(changeText), [
    '0.0 %',
    '+14.6 %',
    '-5.0 %',
    '+200 %',
    '0.0 %',
    '0.0 %',
  ]);
});

const executablePath = '/usr/bin/chromium';
const skip = existsSync(executablePath)
  ? false
  : 'Chromium is not installed (Debian: apt-get install chromium)';

test(
  'the page in a browser: axe finds nothing, light and dark; ' + 'dots, estimates and both curves are drawn',
  async (t) => {
    skipWhen(t, skip);
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-page-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'comparison.html');
    writeFileSync(
      file,
      await renderComparisonPage(proven, { baseline: [inTurns.baseline], candidate: [inTurns.candidate] }),
    );
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
      const page = await browser.newPage({ colorScheme, viewport: { width: 1100, height: 900 } });
      await page.goto(`file://${file}`);
      assert.equal(
        await page.locator('figure svg:visible > title').count(),
        4,
        'of the two drawings of each figure, wide and narrow, one is seen',
      );
      assert.ok((await page.locator('.mark-symbol :is(path, circle)').count()) > 5 * 12);
      await page.addScriptTag({ path: createRequire(import.meta.url).resolve('axe-core') });
      const violations = (await page.evaluate(
        'axe.run().then((result) => result.violations.map(({ id, help }) => id + ": " + help))',
      )) as string[];
      assert.deepEqual(violations, [], colorScheme);
    }
    const phone = await browser.newPage({ viewport: { width: 390, height: 800 } });
    await phone.goto(`file://${file}`);
    assert.equal(await phone.evaluate('document.documentElement.scrollWidth'), 390);
  },
);
