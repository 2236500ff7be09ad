// Warnings are told once for each reason: how many trials, by how much, what is void.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { renderSummary } from '../../../reports/export/summary.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { groupText, headOf, problemGroups, warningGroups } from '../../../reports/summary/warnings.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { stored } from '../../core/result/trial.ts';
import { failed, resultOf, shaped } from './shaped.ts';

/** A trial whose publisher was so late. */
function late(label: string, lagMs: number, repetition = 1): Result['trials'][number] {
  const trial = shaped(label, { voids: { 'publisher-late': ['latency'] } }, repetition);
  assert.ok(trial.outcome.status === 'completed');
  const latency = {
    ...trial.outcome.latency,
    publisherLag: stored(...Array.from({ length: 1000 }, () => lagMs * 1000)),
  };
  return {
    ...trial,
    outcome: { ...trial.outcome, latency },
    warnings: [{ code: 'publisher-late', level: 'invalid', message: `it was ${lagMs} ms late.` }],
  };
}

const texts = (...trials: Result['trials']) =>
  warningGroups(variantsOf([resultOf(trials)])).map((group) => `${headOf(group)}: ${groupText(group)}`);

test('several trials with different figures are one line: how many, and from least to most', () => {
  assert.deepEqual(texts(late('sse', 11), late('sse', 20, 2), late('polling', 28)), [
    'Publisher late (voids latencies): 3 trials, 11 to 28 ms. For example sse (trial 1): it was 11 ms late.',
  ]);
});

test('trials that say the same are named and their words given', () => {
  assert.deepEqual(texts(late('sse', 11), late('polling', 11)), [
    'Publisher late (voids latencies): sse and polling: it was 11 ms late.',
  ]);
});

test('failures come first, then what is void, then notes', () => {
  const noted = {
    ...shaped('a'),
    warnings: [{ code: 'few-samples', level: 'note' as const, message: 'few.' }],
  };
  assert.deepEqual(texts(noted, late('b', 11), failed('c')), [
    'Failed: c: it broke',
    'Publisher late (voids latencies): b: it was 11 ms late.',
    'Too few events for a percentile: a: few.',
  ]);
});

test('every form of report says the line, and the page unfolds what each trial said', async () => {
  const result = resultOf([late('sse', 11), late('polling', 28)]);
  const line = '2 trials, 11 to 28 ms';
  assert.ok(
    renderTable([result], { columns: 400, color: false }).includes(
      `Publisher late (voids latencies): ${line}`,
    ),
  );
  assert.ok(renderMarkdown([result]).includes(`**Publisher late (voids latencies)**: ${line}`));
  const page = await renderHtml([result], { interactive: false });
  assert.match(page, /Publisher late \(voids latencies\)<\/b>: 2 trials, 11 to 28 ms\s*<details>/);
  assert.match(page, /<li>sse: it was 11 ms late\.<\/li><li>polling: it was 28 ms late\.<\/li>/);
});

test('that processes share cores is in every form that people and scripts read', async () => {
  const message = '10 servers, the load process and the publisher share 2 cores and wait.';
  const shared = {
    ...shaped('a'),
    warnings: [{ code: 'shared-cores', level: 'note' as const, message }],
  };
  const result = resultOf([shared]);
  const texts = [
    renderTable([result], { columns: 400, color: false }),
    renderMarkdown([result]).replaceAll('*', ''),
    (await renderHtml([result], { interactive: false })).replaceAll(/<[^>]*>/g, ''),
  ];
  for (const text of texts) assert.ok(text.includes(`Processes share cores: a: ${message}`), text);
  const { warnings } = JSON.parse(renderSummary([result])) as { warnings: unknown[] };
  assert.deepEqual(warnings, [{ level: 'note', reason: 'Processes share cores', text: `a: ${message}` }]);
});

test('a problem that happened at many ports and servers is one, with how often and where', () => {
  const met = (label: string, ...problems: [code: string, message: string, count: number][]) => {
    const trial = shaped(label);
    assert.ok(trial.outcome.status === 'completed');
    const told = problems.map(([code, message, count]) => ({ code, message, count }));
    return { ...trial, outcome: { ...trial.outcome, problems: told } };
  };
  const refused = (port: number) => `connect ECONNREFUSED 127.0.0.1:${port}`;
  const trials = [
    met('a', ['E', refused(4000), 2], ['E', refused(4001), 3], ['ws', 'answered 503', 1]),
    met('b', ['E', refused(4000), 4], ['ws', 'answered 500', 7], ['stop', 'server 12 did not stop', 1]),
    met('c', ['stop', 'server 3 did not stop', 1]),
  ];
  assert.deepEqual(problemGroups(variantsOf([resultOf(trials)])), [
    { code: 'E', example: refused(4000), others: 1, count: 9, who: 'a and b' },
    { code: 'ws', example: 'answered 500', others: 0, count: 7, who: 'b' },
    { code: 'stop', example: 'server 12 did not stop', others: 1, count: 2, who: 'b and c' },
    { code: 'ws', example: 'answered 503', others: 0, count: 1, who: 'a' },
  ]);
});
