// Names and messages that attack what reads them: a spreadsheet, a terminal, a CI runner, a
// Markdown page. Each form has one function that makes text harmless; here every form is made of a
// result whose texts are all hostile.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { HistogramLogReader, listTags } from 'hdr-histogram-js';
import { read } from 'vega';
import { test } from 'vitest';
import { compare } from '../../../core/comparison/compare-runs.ts';
import { historyOf } from '../../../core/comparison/history.ts';
import { oneLine, oneLineTexts, printable, printableJson } from '../../../core/base/printable.ts';
import type { Result } from '../../../core/result/result.ts';
import { runSetOf } from '../../../core/comparison/run-set.ts';
import { renderAnnotations } from '../../../reports/comparison/ci.ts';
import { renderComparisonMarkdown } from '../../../reports/comparison/markdown.ts';
import { renderComparison } from '../../../reports/comparison/terminal.ts';
import { documentsOf, type Format } from '../../../reports/export/formats.ts';
import { renderHistory } from '../../../reports/history/words.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { fixtureResult } from '../fixture.ts';

const hostile =
  '=HYPERLINK(1)\x1b]0;owned\x07\x1b[2J\u009b31m\r\n::error file=x::pwned\n\u00a0\u3000::error::pwned\n' +
  ' ##[error]pwned ::stop-commands::x\t\u202e\u2028<img src=x>|`**[a](http://evil.example)** @team ' +
  'www.evil.example %0A::warning::pwned';

/** Control characters but line feeds; separators and marks that turn text around. */
const harmful = /[^\P{Cc}\n]|[\u2028\u2029\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
const ownColour = new RegExp(String.raw`\u001B\[\d+m`, 'g');
const command = /^\s*::|##\[/m;

async function documentOf(format: Format): Promise<string> {
  const [document] = await documentsOf(format, results, { interactive: false });
  return document!.text; // of these forms there is one
}

/** The fixture with every name, label, message and sentence that is free text replaced. */
function poisoned(seed = 1): Result {
  const result = fixtureResult({ trouble: true, repeat: 2, seed });
  const text = JSON.stringify(result);
  const swapped = ['webhook', 'long-polling'].reduce(
    (sofar, label, i) => sofar.replaceAll(`"${label}"`, JSON.stringify(`${hostile}${i}`)),
    text,
  );
  const parsed = JSON.parse(swapped) as Result; // the same shape with other texts
  parsed.scenario = { ...parsed.scenario, name: hostile, question: hostile, notice: [hostile] };
  parsed.command = hostile;
  parsed.pushbench = hostile;
  parsed.environment.cpu = hostile;
  for (const trial of parsed.trials) {
    for (const warning of trial.warnings) warning.message = hostile;
    if (trial.outcome.status === 'failed') trial.outcome.message = hostile;
  }
  for (const expectation of parsed.expectations) expectation.check = `${hostile} ${expectation.check}`;
  return parsed;
}

const results = [poisoned()];
const comparison = compare(runSetOf(hostile, [poisoned(1)]), runSetOf(`${hostile}2`, [poisoned(1)]), {
  createdAt: new Date(0),
});

test('the terminal: no control character but our own colours, and no line that a CI runner acts upon', () => {
  const history = historyOf([{ ...runSetOf(hostile, [poisoned()]), name: hostile }]);
  for (const columns of [20, 80, 300]) {
    const plain = [
      renderTable(results, { columns, color: false }),
      renderComparison(comparison, { columns, color: false }),
      renderHistory(history, { columns, color: false }),
    ];
    for (const text of plain) {
      assert.match(text, /HYPERLINK/);
      assert.doesNotMatch(text, harmful);
      assert.doesNotMatch(text, command);
    }
    for (const text of [
      renderTable(results, { columns, color: true }),
      renderComparison(comparison, { columns, color: true }),
      renderHistory(history, { columns, color: true }),
    ]) {
      assert.match(text, ownColour);
      assert.doesNotMatch(text.replaceAll(ownColour, ''), harmful);
    }
  }
});

test('CSV: no cell is a formula, numbers are numbers', async () => {
  const text = await documentOf('csv');
  // Vega reads every field as text.
  const rows = read(text, { type: 'csv' }) as unknown as Record<string, string>[];
  assert.ok(rows.length > 50);
  for (const row of rows) {
    for (const [name, cell] of Object.entries(row)) {
      if (name === 'value' || name === 'trial') assert.ok(Number.isFinite(Number(cell)), cell);
      else assert.doesNotMatch(cell, /^[=+\-@\t\r\n]/);
    }
    assert.match(row['scenario']!, /^'=HYPERLINK/);
  }
  assert.ok(rows.some(({ variant }) => variant!.startsWith("'=HYPERLINK")));
  assert.doesNotMatch(text.replaceAll('\r\n', '\n'), /[^\P{Cc}\n\t]|##\[/u);
});

test('Markdown: no markup, no address that becomes a link, no control character', () => {
  for (const text of [renderMarkdown(results), renderComparisonMarkdown(comparison)]) {
    assert.match(text, /HYPERLINK/);
    assert.doesNotMatch(text, harmful);
    const outside = text.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
    assert.doesNotMatch(outside, /<img|http:\/\/evil|www\.evil|@team|[^\\]\[a/);
    assert.doesNotMatch(text, command);
  }
});

test('JUnit: an XML parser reads the very text, but for what XML cannot hold', async () => {
  const text = await documentOf('junit');
  assert.equal(XMLValidator.validate(text), true);
  assert.doesNotMatch(text, /[^\P{Cc}\n\u0080-\u009F]/u);
  const { testsuites } = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    htmlEntities: true,
  }).parse(text) as { testsuites: { testsuite: { name: string }[] } };
  assert.ok(
    testsuites.testsuite.some(({ name }) => name.includes('<img src=x>|`**[a](http://evil.example)**')),
  );
});

test('HdrHistogram log: a tag is one field, and its own reader goes through to the end', async () => {
  const text = await documentOf('hlog');
  assert.doesNotMatch(text, harmful);
  assert.doesNotMatch(text, command);
  assert.ok(listTags(text).every((tag) => !/[\s,]/.test(tag)));
  const reader = new HistogramLogReader(text);
  let intervals = 0;
  while (reader.nextIntervalHistogram()) intervals++;
  assert.equal(intervals, text.split('\n').filter((line) => line.startsWith('Tag=')).length);
  assert.ok(intervals > 5);
});

test('annotations: as many commands as without, each of ours, with the text inside', () => {
  const clean = compare(
    runSetOf('a', [fixtureResult({ trouble: true, repeat: 2 })]),
    runSetOf('b', [fixtureResult({ trouble: true, repeat: 2 })]),
    { createdAt: new Date(0) },
  );
  const commands = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => /^::(error|warning|notice) ([^:]*)::/.exec(line)?.[1]);
  assert.deepEqual(
    commands(renderAnnotations(comparison, hostile)),
    commands(renderAnnotations(clean, 'x.yaml')),
  );
  const text = renderAnnotations(comparison, hostile);
  assert.doesNotMatch(text.replaceAll('\t', ''), harmful);
  assert.match(text, /%250A::warning::pwned/);
});

test('JSON: reads back as the same value and holds no control character', async () => {
  const text = await documentOf('json');
  const { figures, ...written } = JSON.parse(text);
  assert.deepEqual(written, results[0]);
  assert.equal(figures.length, results[0]!.trials.length);
  assert.doesNotMatch(text, /[^\P{Cc}\n]|##\[/u);
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const indent of [undefined, 1]) {
        const written = printableJson(value, indent);
        assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify(value)));
        assert.doesNotMatch(written, /[^\P{Cc}\n]/u);
      }
    }),
  );
});

test(
  'text of any kind becomes printable, clean text stays as it ' +
    'is, and clean values stay the same objects',
  () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(
            fc.constantFrom('\x1b', '\r', '\n', '\t', '\x7f', '\u009b', ':', '#', '[', '\u202e', ' '),
            fc.string({ unit: 'binary', maxLength: 1 }),
          ),
        }),
        (text) => {
          assert.doesNotMatch(printable(text).replaceAll('\t', ''), harmful);
          assert.doesNotMatch(printable(text), command);
          assert.doesNotMatch(oneLine(text), /\n|\t/);
          assert.equal(printable(printable(text)), printable(text));
        },
      ),
    );
    assert.equal(printable('größe: 5 µs, "é" 🎈\n  b::c ##d'), 'größe: 5 µs, "é" 🎈\n  b::c ##d');
    const clean = { a: ['b', { c: null, d: new Uint8Array(2) }], e: 5 };
    assert.equal(oneLineTexts(clean), clean);
    const mixed = { clean, dirty: 'a\x1b' };
    assert.deepEqual(oneLineTexts(mixed), { clean, dirty: 'a␛' });
    assert.equal(oneLineTexts(mixed).clean, clean);
  },
);
