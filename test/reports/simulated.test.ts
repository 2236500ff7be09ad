// Tests that every form of a report says what was simulated, and by how much its figures are off.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../core/result/result.ts';
import { renderCsv } from '../../reports/export/csv.ts';
import { documentsOf } from '../../reports/export/formats.ts';
import { renderJunit } from '../../reports/export/junit.ts';
import { renderSummary } from '../../reports/export/summary.ts';
import { renderHtml } from '../../reports/page/report.ts';
import { headlineOf } from '../../reports/summary/headline.ts';
import { resultNames } from '../../reports/summary/variants.ts';
import { renderMarkdown } from '../../reports/text/markdown.ts';
import { renderTable } from '../../reports/text/terminal.ts';
import { simulatedResult } from '../simulation/result.ts';
import { fixtureResult } from './fixture.ts';

const wide = { columns: 200, color: false };
/** Text without the tags and spaces between it. */
const textOf = (page: string) => page.replace(/<style>[\s\S]*?<\/style>|<[^>]+>/g, ' ').replace(/\s+/g, ' ');

test('title, answer, strip and every table of a page say that it was simulated', async () => {
  const page = await renderHtml([await simulatedResult()], { interactive: false });
  const text = textOf(page);
  assert.match(page, /<title>small, simulated: pushbench<\/title>/);
  assert.match(text, /Simulated: With 100 subscribers/);
  assert.doesNotMatch(headlineOf([await simulatedResult()]), /\(simulated\)/, 'said once');
  assert.match(text, /Simulated, from profile test machine 2 trials computed, none of them measured/);
  assert.match(text, /Calibrated range inside/);
  assert.doesNotMatch(text, /Events sent|Load generator headroom|Server and client counts/);
  const tables = page.match(/<table[\s\S]*?<\/table>/g)!;
  assert.ok(tables.length > 5);
  for (const table of tables) assert.match(table, /simulated/i);
  assert.match(text, /50\.1 ms ±12 %/);
  assert.match(text, /99\.1 ms ±30 %/);
  assert.match(
    text,
    /What is not in these figures: What the publisher costs\. not simulated: webhook: there is no/,
  );
  assert.match(text, /This machine was simulated: nothing ran on it but/);
});

/** The text of the table with this caption or label. */
function tableCalled(page: string, name: string): string {
  const tables = page.match(/<table[\s\S]*?<\/table>/g) ?? [];
  const found = tables.filter((table) => table.includes(name));
  assert.equal(found.length, 1, `${found.length} tables are called "${name}"`);
  return textOf(found[0]!);
}

test('in every table that has figures of a simulation each stands beside its error', async () => {
  const result = await simulatedResult({ overrides: ['answer=[latency.p50]'] });
  const page = await renderHtml([result], { interactive: false });
  for (const [name, figure] of [
    ['At this load: latency and costs of each pattern', '50.1 ms ±12 %'],
    ['Figures of the valid trials', '50.1 ms ±12 %'],
    ['Patterns by what they cost and how soon they deliver', '50.1 ms ±12 %'],
    ['Delivery latency by percentile', '50.1 ms ±12 %'],
    ['Expectations that failed, are undecided or were not judged', '50.1 ms ±12 %'],
    ['Processes over the measured phase', '10 % ±10 %'],
    ['What the subscribers did over the whole trial', 'B ±?'],
    ['Expected error of simulated figures', 'sse (simulated) ±12 % ±20 % ±30 % ±1 % ±? ±10 %'],
  ] as const) {
    const text = tableCalled(page, name);
    assert.ok(text.includes(figure), `${name}: ${text}`);
  }
});

test('so do terminal, Markdown, summary, CSV, JUnit and the card', async () => {
  const results: Result[] = [await simulatedResult()];
  const origin =
    /Simulated, not measured: computed from the profile "test machine" \(Test CPU, 2 cores; calibrated/;
  for (const text of [renderTable(results, wide), renderMarkdown(results)]) {
    assert.match(text, origin);
    assert.match(text, /50\.1 ms ±12 %/);
    assert.match(text, /Not in the simulated figures:\s+(?:- )?What the publisher costs\./);
    assert.match(text, /not simulated: webhook/);
    assert.match(text, /± is how far off such a figure is expected to be/);
  }
  const summary = JSON.parse(renderSummary(results)) as {
    simulated: string[];
    loads: { rows: { figures: { metric: string; expectedError?: number }[] }[] }[];
  };
  assert.match(summary.simulated[0]!, origin);
  const figure = summary.loads[0]!.rows[0]!.figures.find(({ metric }) => metric === 'latency.p50');
  assert.equal(figure!.expectedError, 0.12);
  const rows = renderCsv(results).split('\r\n');
  assert.match(rows[0]!, /,low,high,expected_error,of_what_came$/);
  assert.match(
    rows.find((row) => row.includes(',latency.p50,'))!,
    /,simulated,latency\.p50,\d+,us,[\d.]+,[\d.]+,0\.12,$/,
  );
  assert.equal(rows.filter((row) => row.includes(',valid,')).length, 0);
  assert.equal(rows.filter((row) => /,(?:errors|reconnects|publisher-lag\.p50),/.test(row)).length, 0);
  assert.match(renderJunit(results), /testsuite name="small: sse \(simulated\)"/);
  const [card] = await documentsOf('card', results, { interactive: false });
  assert.match(card!.text, /simulated · small/);
});

test('a measured and a simulated result stand side by side, each called so, and are not ranked', async () => {
  const results = [fixtureResult({ measureS: 2 }), await simulatedResult()];
  const alike = { ...results[1]!, scenario: { ...results[1]!.scenario, ...results[0]!.scenario } };
  const both = [results[0]!, alike];
  assert.deepEqual(resultNames(both), ['measured', 'simulated']);
  assert.match(
    headlineOf(both),
    /2 results of different kinds \(measured and simulated\), which are not ranked/,
  );
  const text = textOf(await renderHtml(both, { interactive: false }));
  assert.match(text, /1 of them simulated/);
  assert.match(text, /sse \(measured\)/);
  assert.match(text, /sse \(simulated\)/);
  assert.match(text, /simulated from profile test machine: Test CPU/);
  assert.deepEqual(resultNames([results[0]!]), [''], 'one that was measured has no such name');
  const [first, second, third] = resultNames([...both, { ...alike, createdAt: '2026-02-04T04:05:06.000Z' }]);
  assert.doesNotMatch(first!, /simulated/);
  for (const name of [second!, third!]) assert.match(name, /, simulated$/);
});

test('an expectation is decided by no less than such a figure is off', async () => {
  const result = await simulatedResult();
  assert.deepEqual(
    result.expectations.map(({ check, verdict }) => `${check}: ${verdict}`),
    [
      'missed == 0: held',
      'missed == 0: held',
      'latency.p50 < 53ms: undecided',
      'latency.p50 < 53ms: undecided',
      'errors == 0: undecided',
      'errors == 0: undecided',
    ],
  );
  assert.match(result.expectations[2]!.why!, /^by its expected error it lies between 44\.1 ms and 56\.1 ms/);
  assert.match(result.expectations[4]!.why!, /no model computes this figure/);
});

test('repeated trials of a matrix and of a search are simulated like those that are run', async () => {
  const matrix = await simulatedResult({
    overrides: ['matrix={ subscribers: [10, 20] }', 'repeat=2', 'expect=[]'],
  });
  assert.deepEqual(
    matrix.trials.map(({ variant, repetition }) => `${variant.label} ${repetition}`),
    [1, 2].flatMap((trial) =>
      [10, 20].flatMap((n) => ['sse', 'websocket'].map((name) => `${name}, subscribers=${n} ${trial}`)),
    ),
  );
  assert.equal(matrix.state.kind, 'finished');
  const search = await simulatedResult({
    overrides: ['search=[{ what: subscribers, from: 20, to: 160, keep: latency.max < 100ms }]', 'expect=[]'],
  });
  const [found] = search.searches!;
  assert.equal(found!.limit.kind, 'found');
  assert.ok('brokenAt' in found!.limit && found!.limit.value < 100 && found!.limit.brokenAt >= 100);
});
