// Where the choice changes: the best variant of each place of a matrix, the places between which another
// becomes it, and how far a search found that each variant kept up.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result, Trial } from '../../../core/result/result.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { loadsOf } from '../../../reports/summary/at-load.ts';
import { boundsOf } from '../../../reports/summary/bounds.ts';
import { choicesOf } from '../../../reports/summary/choices.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { resultOf, shaped } from './shaped.ts';

function cell(variant: string, parameters: Record<string, string>, requests: number): Trial {
  const name = Object.entries(parameters)
    .map(([path, value]) => `${path}=${value}`)
    .join(', ');
  return {
    ...shaped(variant, { requests }),
    variant: { pattern: variant, label: `${variant}, ${name}`, options: {} },
    cell: { variant, parameters, subscribers: 10, events: 40, deliveries: 400 },
  };
}

function withDelivered(trial: Trial, delivered: number): Trial {
  assert.ok(trial.outcome.status === 'completed');
  const { outcome } = trial;
  return { ...trial, outcome: { ...outcome, ledger: { ...outcome.ledger, delivered } } };
}

const curves = ['requests-per-delivery'];
const rates = ['1/s', '10/s', '100/s'];
/** A webhook asks once for each delivery, polling less often the more there is. */
const matrix = resultOf(
  rates.flatMap((publish, i) => [
    cell('polling', { publish }, [10, 2, 0.1][i]!),
    cell('webhook', { publish }, 1),
    cell('sse', { publish }, 0),
  ]),
  { curves },
);

test('of one variant alone there is no choice', () => {
  const alone = resultOf(
    rates.map((publish, i) => cell('polling', { publish }, [10, 2, 0.1][i]!)),
    { curves },
  );
  assert.deepEqual(choicesOf(variantsOf([alone])), []);
  assert.match(
    headlineOf([alone]),
    /: 10\b[^()]* at [^()]*; 0\.1 at [^()]*\.$/,
    'nor is it named again and again',
  );
});

test('of each place it is said what is lowest, what comes next, and where it changes', () => {
  const [choices, ...others] = choicesOf(variantsOf([matrix]));
  assert.equal(others.length, 0);
  assert.deepEqual(choices!.places, rates);
  assert.deepEqual(
    choices!.rows.map(({ metric }) => metric),
    ['latency.p50', 'requests-per-delivery'],
  );
  const [late, asked] = choices!.rows;
  assert.deepEqual(late!.cells[0]!.best.labels.length, 3, 'alike');
  assert.deepEqual(
    asked!.cells.map((one) => [one!.best.labels, one!.next!.labels, one!.changed]),
    [
      [['sse'], ['webhook'], false],
      [['sse'], ['webhook'], false],
      [['sse'], ['polling'], false],
    ],
  );
  assert.equal(choices!.changes.length, 1);
  assert.match(
    choices!.changes[0]!,
    /^Requests per delivery: below about \d+\/s \(publish\), webhook needs fewer than polling; above, more \(measured at 10\/s and 100\/s,/,
  );
  assert.deepEqual(loadsOf([matrix]), [], 'a matrix has no one load');
});

test('where the lowest is another one, the cell says that it changed', () => {
  const trials = matrix.trials.filter(({ variant }) => variant.pattern !== 'sse');
  const [choices] = choicesOf(variantsOf([{ ...matrix, trials }]));
  assert.deepEqual(
    choices!.rows[1]!.cells.map((one) => [one!.best.labels[0], one!.changed]),
    [
      ['webhook', false],
      ['webhook', false],
      ['polling', true],
    ],
  );
  assert.match(renderMarkdown([{ ...matrix, trials }]), /\*\*polling 0\.1 \(webhook 1\)\*\*/);
});

test('of a variant without a figure nothing is said, not that another one became the lowest', () => {
  const trials = matrix.trials.filter(
    ({ variant }) => variant.pattern !== 'sse' && variant.label !== 'polling, publish=10/s',
  );
  const [choices] = choicesOf(variantsOf([{ ...matrix, trials }]));
  assert.deepEqual(
    choices!.rows[1]!.cells.map((one) => [one!.best.labels[0], one!.without, one!.changed]),
    [
      ['webhook', [], false],
      ['webhook', ['polling'], false],
      ['polling', [], false],
    ],
  );
});

test('of two parameters, variants are chosen among under one value of the other', () => {
  const trials = ['64B', '16KiB'].flatMap((payload) =>
    rates.flatMap((publish) => [
      cell('sse', { publish, payload }, payload === '64B' ? 1 : 9),
      cell('webhook', { publish, payload }, 4),
    ]),
  );
  const all = choicesOf(variantsOf([resultOf(trials, { curves })]));
  assert.deepEqual(
    all.map(({ name, rows }) => [name, rows[1]!.cells[0]!.best.labels]),
    [
      ['payload=64B', ['sse']],
      ['payload=16KiB', ['webhook']],
    ],
  );
});

test('variants with names of their own are chosen among like all others', () => {
  const named = (trial: Trial): Trial => ({ ...trial, variant: { ...trial.variant, as: 'hourly' } });
  const trials = ['64B', '16KiB'].flatMap((payload) =>
    rates.flatMap((publish) => [
      named(cell('polling', { publish, payload }, 9)),
      cell('sse', { publish, payload }, 1),
    ]),
  );
  assert.deepEqual(
    choicesOf(variantsOf([resultOf(trials, { curves })])).map(({ name, rows }) => [
      name,
      rows[1]!.cells[0]!.best.labels,
      rows[1]!.cells[0]!.next?.labels,
    ]),
    [
      ['payload=64B', ['sse'], ['hourly']],
      ['payload=16KiB', ['sse'], ['hourly']],
    ],
  );
});

test('of a metric of which more is better, the highest is the best', () => {
  const trials = rates.flatMap((publish, i) => [
    cell('polling', { publish }, 1),
    withDelivered(cell('sse', { publish }, 1), i === 2 ? 10 : 390),
  ]);
  const [choices] = choicesOf(variantsOf([resultOf(trials, { curves: ['delivered'] })]));
  assert.deepEqual(
    choices!.rows[1]!.cells.map((one) => one!.best.labels),
    [['sse'], ['sse'], ['polling']],
  );
  assert.match(
    choices!.changes[0]!,
    /^[^:]*: below about \d+\/s \(publish\), polling is lower than sse; above, higher/,
  );
});

type Search = NonNullable<Result['searches']>[number];
const search = (variant: string, limit: Search['limit'], more: Partial<Search> = {}): Search => ({
  variant,
  what: 'topics.news.publish',
  keep: 'latency.p90 < 100ms',
  resolution: 0.41,
  like: '100/s',
  over: true,
  steps: [100, 200, 400].map((value) => ({ value, verdict: 'held', measured: 3000, why: '' })),
  limit,
  ...more,
});
const searched = (...searches: Search[]): Result => ({
  ...resultOf(searches.map(({ variant }) => cell(variant, { publish: '100/s' }, 0))),
  searches,
});
const kept = '(90 % of deliveries within 100 ms, to 100 subscribers)';

test('of a search it is said how far each kept up, those that are alike together', () => {
  const most = { kind: 'at-least', value: 400 } as const;
  const said = (...searches: Search[]) => boundsOf([searched(...searches)])[0]!.sentence;
  assert.equal(
    said(search('sse', most), search('websocket', most)),
    `Both kept up at 400/s, the highest rate tried ${kept}.`,
  );
  assert.equal(
    said(search('sse', most), search('websocket', most), search('polling', most)),
    `All 3 kept up at 400/s, the highest rate tried ${kept}.`,
  );
  assert.equal(
    said(search('sse', { kind: 'found', value: 200, brokenAt: 283 }), search('websocket', most)),
    'sse kept up at 200/s and no longer at 283/s; websocket kept up at 400/s, the highest rate tried ' +
      `${kept}.`,
  );
  const ended = {
    steps: [
      { value: 400, verdict: 'held' as const, measured: 3000, why: '' },
      { value: 800, verdict: 'ended' as const, measured: null, why: 'load limited' },
    ],
  };
  assert.equal(
    said(search('sse', most, ended)),
    'sse kept up at 400/s, the highest rate that gave a figure (the search ended at 800/s: load limited) ' +
      `${kept}.`,
  );
  assert.equal(
    said(search('sse', { kind: 'below', value: 100 })),
    `sse did not keep up at 100/s, the lowest rate tried ${kept}.`,
  );
  const both = searched(search('sse', most), search('websocket', most));
  assert.match(headlineOf([both]), /^Both kept up at 400\/s, the highest rate tried/);
});

test('and it is drawn: a bar to what held, a cross where it no longer did', async () => {
  const found = search('sse', { kind: 'found', value: 200, brokenAt: 400 });
  const page = await renderHtml([searched(found, search('websocket', { kind: 'at-least', value: 400 }))], {
    interactive: false,
  });
  const [section] = /<section class="at-load bounds">[\s\S]*?<\/section>/.exec(page)!;
  const [sse, websocket] = section.split('<tr').slice(2);
  assert.match(sse!, /kept up at 200\/s, no longer at 400\/s/);
  const at = (row: string, what: RegExp) => Number(what.exec(row)![1]);
  const circle = /<circle class="p50" cx="([\d.]+)%"/;
  assert.ok(at(sse!, circle) < at(sse!, /class="cross" x="([\d.]+)%"/));
  assert.equal(at(websocket!, circle), at(sse!, /class="cross" x="([\d.]+)%"/));
  assert.doesNotMatch(websocket!, /class="cross"/);
});
