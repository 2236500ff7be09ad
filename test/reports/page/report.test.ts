// The page: self-contained, complete without scripts, the same each time, safe with hostile text.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { chartScriptText } from '../../../reports/page/chart-script.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { stored } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const still = { interactive: false };

test('one file: nothing is loaded from anywhere, and it is small', async () => {
  for (const results of [
    [fixtureResult()],
    [fixtureResult({ trouble: true })],
    [fixtureResult({ measureS: 120 })],
    [1, 2, 3].map((seed) => fixtureResult({ seed, measureS: 60 })),
  ]) {
    const page = await renderHtml(results, still);
    assert.ok(page.length < 300_000, `${page.length} bytes`);
    const written = page.replaceAll(`<script>${chartScriptText}</script>`, '');
    assert.notEqual(written, page);
    assert.doesNotMatch(
      written,
      /<(?:script(?! type="application\/json" class="chart-values">)|link|img)\b/i,
    );
    assert.doesNotMatch(written, /<(?:iframe|object|embed|base)\b/i);
    assert.doesNotMatch(written, /\b(?:src|action|formaction|poster|data)\s*=\s*["']/i);
    assert.doesNotMatch(written, /url\(|@import/i);
    for (const [, href] of page.matchAll(/\bhref\s*=\s*"([^"]*)"/gi)) assert.match(href!, /^#/);
  }
});

test(
  'the interactive page is below 1 MB, loads nothing either, ' +
    'and holds the still charts for readers without scripts',
  async () => {
    const [page, plain] = [
      await renderHtml([fixtureResult()], { interactive: true }),
      await renderHtml([fixtureResult()], still),
    ];
    assert.ok(page.length < 1_000_000, `${page.length} bytes`);
    assert.doesNotMatch(page, /<script[^>]+src/i);
    const svgs = (text: string) => text.split('<svg').length;
    assert.ok(svgs(plain) > 5);
    assert.equal(svgs(page.slice(0, page.indexOf('<script>'))), svgs(plain));
  },
);

test('the same result gives the same bytes', async () => {
  // assert.equal would print them.
  assert.ok((await renderHtml([fixtureResult()], still)) === (await renderHtml([fixtureResult()], still)));
});

test(
  'without scripts everything is there: the answer, the table, ' +
    'every chart with a name, the ledger, the way to repeat it',
  async () => {
    const result = fixtureResult();
    const page = await renderHtml([result], still);
    for (const variant of new Set(result.trials.map((trial) => trial.variant.label)))
      assert.ok(page.includes(variant), variant);
    for (const heading of [
      'Results',
      'The ledger',
      'Requests, bytes and connections',
      'Cross-check',
      'The patterns',
      'This run',
    ])
      assert.ok(page.includes(heading), heading);
    assert.ok(page.includes(result.command));
    for (const [svg] of page.matchAll(/<svg(?! class="key")[^>]*>.{0,300}/gs))
      if (!svg.includes('xmlns='))
        // the card, which the script copies
        assert.match(svg, /role="img"><title>[^<]+<\/title><desc>[^<]+</);
  },
);

test('of several results each variant says whose it is, in warnings and expectations too', async () => {
  const page = await renderHtml([fixtureResult(), fixtureResult({ seed: 2, trouble: true })], still);
  assert.match(page, /<b class="bad">Failed<\/b>: http-stream \(10:00:02\): /);
  assert.match(
    page,
    /<th scope="row">webhook \(10:00:02\)<\/th><td class="words"[^>]*><code>missed == 0<\/code>/,
  );
});

test('the strip compares what was sent with what that very run planned', async () => {
  const [small, large] = [fixtureResult({ measureS: 5 }), fixtureResult({ seed: 2 })];
  assert.match(await renderHtml([small, large], still), /✓ 50 of 50</);
  for (const { outcome } of large.trials)
    if (outcome.status === 'completed')
      outcome.checks[0] = { name: 'events', server: 3, client: 2, agree: false, note: 'one was under way' };
  assert.match(await renderHtml([large], still), /✓ agree, 6 differences explained/);
});

/** The same result with another lag of the publisher in one trial of two variants. */
function withLag(result: Result, lagsUs: Readonly<Record<string, number>>): Result {
  const trials = result.trials.map((trial) => {
    const { outcome, variant } = trial;
    const lagUs = lagsUs[variant.label];
    if (outcome.status !== 'completed' || lagUs === undefined) return trial;
    return {
      ...trial,
      outcome: { ...outcome, latency: { ...outcome.latency, publisherLag: stored(lagUs, lagUs) } },
    };
  });
  return { ...result, trials };
}

test('the strip shows the trial nearest to a limit, not the one with the largest figure', async () => {
  // A tenth of polling's 99th percentile is about 100 ms, so that 40 ms are nothing to it; 23 ms are too much
  // for SSE, where 10 ms are the limit.
  const late = withLag(fixtureResult(), { polling: 40_000, sse: 23_000 });
  const page = await renderHtml([late], still);
  assert.match(page, /✗ 23\S* ms<small>at most 10 ms: sse, 2 events<\/small>/);
  assert.match(page, /<dd class="bad">\s*✗ 0\.4\dx<small>publisher lag: sse<\/small>/);
  assert.match(
    renderTable([late], { columns: 200, color: false }),
    /\nThe load generator was overloaded: headroom 0\.4\dx \(sse\)\.\n/,
  );
  const fine = withLag(fixtureResult(), { polling: 40_000 });
  assert.match(await renderHtml([fine], still), /✓ 40\S* ms<small>at most [\d.]+ ms: polling/);
  const frozen = {
    ...late,
    trials: late.trials.map((trial) => ({
      ...trial,
      warnings: [{ code: 'publisher-late', level: 'note' as const, message: 'the scenario froze it.' }],
    })),
  };
  assert.doesNotMatch(await renderHtml([frozen], still), /Publisher lag|✗/, 'nor one that was frozen');
});

test('trouble is shown where it is, and a run that was cut short is greyed out', async () => {
  const page = await renderHtml([fixtureResult({ trouble: true })], still);
  assert.match(page, /<main class="">/);
  const cut = { ...fixtureResult(), state: { kind: 'interrupted', by: 'SIGINT' } as const };
  assert.match(await renderHtml([cut], still), /<main class="suspect">/);
  assert.match(page, /\(does not count\)/);
  assert.match(page, /Failed/);
  assert.match(page, /expectations failed/);
  assert.match(await renderHtml([fixtureResult()], still), /<main class="">/);
});

test('text from scenario and environment is never markup', async () => {
  const hostile = '</style></script><img src=x onerror=alert(1)> $& $1 \u2028 "quoted\' &amp;';
  const plain = fixtureResult({ trouble: true });
  const poison = (value: unknown, key = ''): unknown => {
    if (typeof value === 'string')
      return [
        'pattern',
        'status',
        'format',
        'createdAt',
        'v2',
        'level',
        'metric',
        'role',
        'startedAt',
      ].includes(key)
        ? value
        : `${value}${hostile}`;
    if (Array.isArray(value)) return value.map((one) => poison(one, key));
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poison(one, name)]));
    return value;
  };
  const poisoned = poison(plain) as Result; // the same shape with other texts
  for (const interactive of [false, true]) {
    const page = await renderHtml([poisoned], { interactive });
    const withoutVega = page.replace(/<script>.*?<\/script>/gs, '');
    assert.doesNotMatch(withoutVega, /<img/i);
    assert.equal(page.split('<script>').length, interactive ? 4 : 2, 'no script but our own');
    assert.ok(page.includes('$&amp; $1'), 'nor a replacement pattern at work');
  }
});
