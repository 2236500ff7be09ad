// Holds that a variant that lost deliveries is in no place the soonest for it: what is lost has no latency.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { renderCsv } from '../../../reports/export/csv.ts';
import { renderSummary } from '../../../reports/export/summary.ts';
import { renderCard } from '../../../reports/page/card.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { answerClauses } from '../../../reports/summary/answer.ts';
import { choicesOf } from '../../../reports/summary/choices.ts';
import { curvesOf } from '../../../reports/summary/curve-data.ts';
import { headlinesOf } from '../../../reports/summary/headline.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { resultOf, shaped } from './shaped.ts';

const lossy = { ledger: { missed: 90 } };
const mixed = () =>
  resultOf([
    shaped('sse', { p50Us: 2000, p99Us: 3000, ...lossy }),
    shaped('websocket', { p50Us: 10_000, p99Us: 12_000 }),
    shaped('polling', { p50Us: 500_000, p99Us: 600_000 }),
  ]);
const remark =
  'Latencies of sse are of the deliveries that arrived, as lost ones have none; they are not ranked.';

test('the headline ranks those that lost nothing, and says which latencies are of what arrived', () => {
  const { answer, remarks } = headlinesOf([mixed()]);
  assert.match(answer, /websocket was fastest \(median 10 ms.*; polling was slowest/);
  assert.ok(remarks.includes(remark));
  const asked = resultOf(mixed().trials, { answer: ['latency.p50'] });
  assert.deepEqual(answerClauses([asked], variantsOf([asked])), [
    'median latency: 10 ms (websocket), 500 ms (polling)',
  ]);
  assert.ok(headlinesOf([asked]).remarks.includes(remark));
});

test('where each lost some they are ranked, as latencies of what arrived', () => {
  const all = resultOf([
    shaped('sse', { p50Us: 2000, ...lossy }),
    shaped('polling', { p50Us: 9000, ...lossy }),
  ]);
  const { answer, remarks } = headlinesOf([all]);
  assert.match(answer, /sse was fastest/);
  assert.ok(remarks.includes('Latencies are of the deliveries that arrived: lost ones have none.'));
});

test('every form marks its figures', async () => {
  const result = mixed();
  const page = await renderHtml([result], { interactive: false });
  assert.match(page, />sse<\/a\s*><small>latencies of deliveries that arrived<\/small>/);
  assert.match(page, /99 % of deliveries came within 12 ms with websocket, within 600 ms with polling/);
  assert.match(renderMarkdown([result]), /\| sse \(latencies of deliveries that arrived\) \|/);
  assert.ok(renderTable([result], { columns: 200, color: false }).includes(remark));
  const card = renderCard([result]);
  assert.match(card, /2 ms to 3 ms\*</);
  assert.match(card, /\* of the deliveries that arrived: others were lost/);
  assert.doesNotMatch(renderCard([resultOf([shaped('sse')])]), /\*/);
  const { loads } = JSON.parse(renderSummary([result])) as { loads: { rows: { ofWhatCame?: true }[] }[] };
  assert.deepEqual(
    loads[0]!.rows.map(({ ofWhatCame }) => ofWhatCame),
    [true, undefined, undefined],
  );
  // The last column of CSV: of latencies alone, and of those that lost some.
  const marked = renderCsv([result])
    .split('\r\n')
    .map((row) => row.split(','))
    .filter((fields) => fields.at(-1) === 'yes');
  assert.deepEqual(new Set(marked.map((fields) => fields[3])), new Set(['sse']));
  const names = new Set(marked.map((fields) => fields[6]));
  assert.ok(names.has('latency.p50') && names.has('latency.max') && !names.has('missed'));
  assert.ok(!names.has('publish-round-trip.max'), 'that is no delivery');
});

test('in a matrix it is neither the lowest nor crosses anything, and is said to have lost deliveries', () => {
  const cell = (variant: string, count: string, p50Us: number, more = {}) => ({
    ...shaped(`${variant}, count=${count}`, { p50Us, ...more }),
    cell: { variant, parameters: { count }, subscribers: 10, events: 40, deliveries: 400 },
  });
  const trials = [
    cell('sse', '1', 50_000),
    cell('polling', '1', 100_000),
    cell('sse', '2', 300_000),
    cell('polling', '2', 10_000, lossy),
  ];
  const of = (all: typeof trials) => variantsOf([resultOf(all, { curves: ['latency.p50'] })]);
  assert.equal(curvesOf(of(trials))[0]!.crossings.length, 0);
  const [, second] = choicesOf(of(trials))[0]!.rows[0]!.cells;
  assert.deepEqual(
    [second!.best.labels, second!.without, second!.lossy],
    [['sse'], ['polling'], ['polling']],
  );
  const whole = [...trials.slice(0, 3), cell('polling', '2', 10_000)];
  assert.equal(curvesOf(of(whole))[0]!.crossings.length, 1);
});
