// What readers see of variants: the scenario's name, or the label without what all of them share.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { expectedOf } from '../../../reports/summary/notices.ts';
import { variantNames } from '../../../reports/summary/names.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { resultOf, shaped } from './shaped.ts';

const called = (trial: Result['trials'][number], as: string) => ({
  ...trial,
  variant: { ...trial.variant, as },
});
const svix = 'webhook retries=svix store=sqlite timeScale=3600';
const slack = 'webhook retries=slack store=sqlite timeScale=3600';

test('options that all variants share are left out of the names, and said once in every form', async () => {
  const result = resultOf([shaped(svix), shaped(slack)]);
  assert.deepEqual(
    variantsOf([result]).map(({ label, id }) => [label, id]),
    [
      ['webhook retries=svix', svix],
      ['webhook retries=slack', slack],
    ],
  );
  const said = 'All variants have store=sqlite, timeScale=3600.';
  assert.ok(renderTable([result], { columns: 400, color: false }).includes(said));
  assert.ok(renderMarkdown([result]).includes(said));
  assert.ok((await renderHtml([result], { interactive: false })).includes(said));
});

test('a variant that asked for compression and got none is called by what it got', () => {
  const asking = (label: string, came: number) => {
    const trial = shaped(label);
    return { ...trial, outcome: { ...trial.outcome, compression: { asked: 'gzip' as const, came } } };
  };
  const { of } = variantNames([
    resultOf([
      asking('sse gzip', 0),
      asking('polling gzip every=5s', 3),
      shaped('websocket'),
    ] as Result['trials']),
  ]);
  assert.deepEqual(['sse gzip', 'polling gzip every=5s', 'websocket'].map(of), [
    'sse gzip (came in plain text)',
    'polling gzip every=5s',
    'websocket',
  ]);
});

test('a variant alone, and variants that would no longer be told apart, keep all of their labels', () => {
  const names = (...labels: string[]) => {
    const { of, shared } = variantNames([resultOf(labels.map((label) => shaped(label)))]);
    return [...labels.map(of), shared];
  };
  assert.deepEqual(names('sse h2'), ['sse h2', '']);
  assert.deepEqual(names('sse h2', 'websocket h2'), ['sse', 'websocket', 'h2']);
  assert.deepEqual(names('sse a', 'sse a a'), ['sse a', 'sse a a', '']);
  assert.deepEqual(names('sse h2 @mine', 'polling h2 @mine'), ['sse @mine', 'polling @mine', 'h2']);
});

test("the scenario's name is used wherever readers meet the variant, with its target and cell", async () => {
  const result = {
    ...resultOf([called(shaped(svix), 'Svix'), called(shaped(slack), 'Slack')]),
    expectations: [
      {
        variant: svix,
        repetition: 1,
        check: 'missed == 0',
        metric: 'missed',
        bound: 0,
        measured: 0,
        held: true,
      },
    ],
  };
  assert.deepEqual(
    expectedOf([result]).map(({ who }) => who),
    ['Svix'],
  );
  const page = await renderHtml([result], { interactive: false });
  assert.match(page, /<a href="#pattern-webhook">Svix<\/a>/);
  assert.doesNotMatch(page, /retries=svix/);
  const target = called(shaped('sse @mine, publish=1/s'), 'Events');
  const cell = {
    variant: 'sse @mine',
    parameters: { publish: '1/s' },
    subscribers: 1,
    events: 1,
    deliveries: 1,
  };
  const names = variantNames([
    resultOf([{ ...target, cell, variant: { ...target.variant, target: 'mine' } }]),
  ]);
  assert.equal(names.of('sse @mine, publish=1/s'), 'Events @mine, publish=1/s');
  assert.equal(names.of('sse @mine'), 'Events @mine', 'of a curve');
});

const inCell = (
  variant: string,
  parameters: Record<string, string>,
  as?: string,
): Result['trials'][number] => {
  const trial = shaped(
    `${variant}, ${Object.entries(parameters)
      .map(([path, value]) => `${path}=${value}`)
      .join(', ')}`,
  );
  return {
    ...(as === undefined ? trial : called(trial, as)),
    cell: { variant, parameters, subscribers: 10, events: 40, deliveries: 400 },
  };
};
const windows = ['0s', '5s'];
const policies = ['phoenix', 'socket.io'];
const cellsOf = (variant: string, as?: string) =>
  windows.flatMap((window) => policies.map((reconnect) => inCell(variant, { window, reconnect }, as)));

test('cells of one variant are called by what sets them apart, and the variant is said once', async () => {
  const result = resultOf(cellsOf('websocket'), { curves: ['latency.p50'] });
  const labels = variantsOf([result]).map(({ label }) => label);
  assert.deepEqual(labels, [
    'window=0s, reconnect=phoenix',
    'window=0s, reconnect=socket.io',
    'window=5s, reconnect=phoenix',
    'window=5s, reconnect=socket.io',
  ]);
  const said = 'All rows are of one variant, websocket.';
  for (const text of [
    renderTable([result], { columns: 400, color: false }),
    renderMarkdown([result]),
    await renderHtml([result], { interactive: false }),
  ]) {
    assert.ok(text.includes(said));
    assert.doesNotMatch(text, /websocket, (?:window|reconnect)=/);
  }
  const { of, variant } = variantNames([resultOf(cellsOf('sse', 'Events'))]);
  assert.deepEqual(
    [variant, of('sse, window=0s, reconnect=phoenix')],
    ['Events', 'window=0s, reconnect=phoenix'],
  );
});

test('cells of two variants, or of one and a variant without cells, keep its name', () => {
  const two = variantNames([resultOf([...cellsOf('websocket'), ...cellsOf('sse')])]);
  assert.equal(two.of('sse, window=0s, reconnect=phoenix'), 'sse, window=0s, reconnect=phoenix');
  const beside = variantNames([resultOf(cellsOf('sse')), resultOf([shaped('sse')])]);
  assert.equal(beside.of('sse, window=0s, reconnect=phoenix'), 'sse, window=0s, reconnect=phoenix');
  // Of a run that ended after the cells of its first variant.
  const planned = { trials: [{ variant: 'sse, window=0s', repetition: 1 }], searches: [], afterwards: [] };
  const cut = variantNames([{ ...resultOf(cellsOf('websocket')), planned }]);
  assert.match(cut.of('websocket, window=0s, reconnect=phoenix'), /^websocket, /);
});
