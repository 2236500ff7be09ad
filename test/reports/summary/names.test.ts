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
