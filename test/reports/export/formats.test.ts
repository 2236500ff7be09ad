// Tests the forms for other people's tools, read back with other people's readers: vega's CSV reader,
// HdrHistogram's log reader.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { HistogramLogReader, listTags } from 'hdr-histogram-js';
import { read } from 'vega';
import { test } from 'vitest';
import { metrics } from '../../../core/metrics/registry.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import type { Result } from '../../../core/result/result.ts';
import { csvField, renderCsv } from '../../../reports/export/csv.ts';
import { documentsOf, formats, isFormat } from '../../../reports/export/formats.ts';
import { renderHgrm, renderHlog } from '../../../reports/export/hdr.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { codeSpan, markdownText } from '../../../reports/text/markdown-text.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { mergedLatency } from '../merged-latency.ts';
import { fixtureResult } from '../fixture.ts';

test('CSV: a row for each metric of each trial with its unit, one for a trial that failed', () => {
  const result = fixtureResult({ trouble: true });
  const text = renderCsv([result]);
  assert.ok(text.split('\n').every((line) => line === '' || line.endsWith('\r')));
  // Vega reads every field as text.
  const rows = read(text, { type: 'csv' }) as unknown as Record<string, string>[];
  const sse = rows.filter(({ variant }) => variant === 'sse');
  const trial = result.trials.find(({ variant }) => variant.label === 'sse')!;
  for (const [name, { read: measure }] of Object.entries(metrics)) {
    // 200 events carry no p99, and the memory of 100 subscribers is within noise.
    const carried = !/\.p99\.9$|^server-memory|^(?:publish|\w+-receiver).*\.p99/.test(name);
    const value = carried && trial.outcome.status === 'completed' ? measure(trial.outcome) : undefined;
    const row = sse.find(({ metric }) => metric === name);
    assert.equal(
      row?.['value'],
      value === undefined || !Number.isFinite(value) ? undefined : String(value),
      name,
    );
  }
  const p99 = sse.find(({ metric }) => metric === 'latency.p99')!;
  assert.equal(p99['unit'], 'us');
  assert.ok(Number(p99['low']) < Number(p99['value']) && Number(p99['value']) < Number(p99['high']));
  assert.equal(sse.find(({ metric }) => metric === 'latency.max')!['low'], '');
  assert.deepEqual(
    rows.filter(({ variant }) => variant === 'http-stream').map(({ outcome, metric }) => [outcome, metric]),
    [['failed', '']],
  );
  // Of a trial that does not count, what is void has no value; how late the publisher was stands.
  const spoilt = rows.filter(({ variant }) => variant === 'long-polling');
  assert.deepEqual(
    spoilt.filter(({ outcome, value }) => (outcome === 'void') !== (value === '')),
    [],
  );
  const outcomeOf = (wanted: string) => spoilt.find(({ metric }) => metric === wanted)!['outcome'];
  assert.deepEqual([outcomeOf('missed'), outcomeOf('publisher-lag.p50')], ['void', 'valid']);
});

test(
  'CSV: any field comes through as it was, but for what a spreadsheet ' +
    'would take for a formula, and carriage returns',
  () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({
            unit: fc.constantFrom('a', '"', ',', '\r', '\n', ' ', ';', '=', '+', '-', '@', '\t'),
            maxLength: 8,
          }),
          { minLength: 2, maxLength: 5 },
        ),
        (fields) => {
          const text = `${fields.map((_, i) => `c${i}`).join(',')}\r\n${fields.map(csvField).join(',')}\r\n`;
          const [row] = read(text, { type: 'csv' }) as unknown as Record<string, string>[];
          const kept = fields
            .map((field) => field.replaceAll('\r', '\n'))
            .map((field) => (/^[=+\-@\t\n]/.test(field) ? `'${field}` : field));
          assert.deepEqual(
            fields.map((_, i) => row![`c${i}`]),
            kept,
          );
        },
      ),
    );
    for (const [value, written] of [
      [-5, '-5'],
      [0.1, '0.1'],
      [1e21, '1e+21'],
      ['-5', "'-5"],
      ['=1+1', "'=1+1"],
      ['@SUM(1)', "'@SUM(1)"],
      ['\r=1', '"\'\n=1"'],
      ['a=1', 'a=1'],
    ] as const) {
      assert.equal(csvField(value), written);
    }
  },
);

test(
  "HdrHistogram log: its own reader finds every trial's " + 'histogram, tagged by variant, with its time',
  () => {
    const result = fixtureResult({ trouble: true, repeat: 2 });
    const log = renderHlog([result]);
    const completed = result.trials.flatMap(({ variant, startedAt, outcome }) =>
      outcome.status === 'completed' && outcome.valid ? [{ label: variant.label, startedAt, outcome }] : [],
    );
    assert.match(log, /^#\[left out: 2 trials whose latencies are void\]$/m);
    assert.deepEqual(new Set(listTags(log)), new Set(completed.map(({ label }) => label)));
    const reader = new HistogramLogReader(log);
    for (let left = completed.length; left > 0; left--) {
      const histogram = reader.nextIntervalHistogram()!;
      const trial = completed.find(
        ({ label, startedAt }) =>
          label === histogram.tag && Date.parse(startedAt) === histogram.startTimeStampMsec,
      )!;
      const own = histogramOf(trial.outcome.latency.endToEnd);
      assert.equal(histogram.totalCount, own.count);
      assert.equal(histogram.getValueAtPercentile(50), quantileUs(own, 0.5));
      assert.equal(
        histogram.endTimeStampMsec - histogram.startTimeStampMsec,
        trial.outcome.measuredUs / 1000,
      );
    }
    assert.equal(reader.nextIntervalHistogram(), null);
    const odd = {
      ...result,
      trials: result.trials.map((trial) => ({
        ...trial,
        variant: { ...trial.variant, label: `${trial.variant.label} retries=1s,5s\n` },
      })),
    };
    assert.equal(listTags(renderHlog([odd])).length, 4, 'a tag ends at a comma, so it has none');
  },
);

test(
  'percentile distribution: what the plotter reads is what the ' + 'merged histogram says, in milliseconds',
  () => {
    const [polling] = variantsOf([fixtureResult({ repeat: 3 })]);
    const text = renderHgrm(polling!)!;
    assert.match(text, /^ {7}Value {5}Percentile TotalCount 1\/\(1-Percentile\)\n\n/);
    const merged = mergedLatency(polling!.completed, 'endToEnd');
    // As plotFiles.html reads it: comments aside, columns between white space.
    const rows = text
      .split('\n')
      .slice(2)
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.trim().split(/\s+/).map(Number));
    assert.ok(rows.length > 40);
    for (const [ms, share, count] of rows) {
      const own = quantileUs(merged, count! / merged.count)! / 1000;
      // The top of a bin, and ours is never above the largest value.
      assert.ok(ms! >= own && ms! <= own * 1.001, `${ms} and ${own}`);
      assert.ok(count! / merged.count >= share! - 1e-9);
    }
    assert.equal(rows.at(-1)![2], merged.count);
    assert.match(text, /#\[Max {5}= .*Total count {4}= +60000\]/);
    assert.equal(renderHgrm({ ...polling!, completed: [] }), undefined);
    const [first] = polling!.completed;
    const few = { ...first!.precision!, endToEnd: { shownUpTo: 0, at: [] } };
    const late = { ...first!, valid: false, voids: { late: ['latency' as const] }, precision: few };
    const withLate = renderHgrm({ ...polling!, completed: [...polling!.completed, late] });
    assert.equal(withLate, text, 'a trial whose latencies are void says nothing of how far they carry');
  },
);

test('Markdown: the answer, expectations with the figure beside the bound, the table, the warnings', () => {
  const text = renderMarkdown([fixtureResult({ trouble: true })]);
  assert.match(text, /^## pushbench: compare\n\n\*\*With 100 subscribers/);
  assert.match(text, /\n\| webhook \| `missed == 0` \| 12 \| 0 \| failed \|\n/);
  assert.match(text, /\n\| long-polling \*\(does not count\)\* \| /);
  assert.match(text, /\n- \*\*Load generator at its limit \(does not count\)\*\*: long-polling: /);
  assert.match(text, /repeat it with `npm start -- run compare --set phases\.measure=20s`\.\n$/);
  assert.match(renderMarkdown([fixtureResult()]), /\n✅ All 11 expectations held\.\n/);
  assert.match(
    renderMarkdown([fixtureResult({ repeat: 3 })]),
    /\| sse \| [\d.]+ ms \([\d.]+ to [\d.]+ ms\) \|/,
    'the spread over trials',
  );
});

test('Markdown: a table keeps its columns and hostile text stays text', () => {
  const hostile = 'a|b <img src=x> **c** `d` [e](http://f) @g &lt; \\| ~~h~~\n# i';
  const poisoned = JSON.parse(
    JSON.stringify(fixtureResult({ trouble: true }))
      .replaceAll('"webhook"', JSON.stringify(hostile))
      .replaceAll('missed == 0', JSON.stringify(hostile).slice(1, -1)),
  ) as Result; // the same shape with other texts
  const text = renderMarkdown([poisoned]);
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  const cells = (line: string) => line.split('|').length;
  assert.ok(rows.length > 10);
  assert.deepEqual(
    [...new Set(rows.map(cells))].sort((a, b) => a - b),
    [7, 12, 17],
    'a table of five columns, the load with ten, and one of fifteen',
  );
  const outside = text.replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, '');
  assert.doesNotMatch(outside, /<img|[^\\]\[e|[^\\]`d|@g/);
  assert.equal(markdownText('a\n# b'), String.raw`a \# b`);
  assert.equal(codeSpan('a ` b'), '``a ` b``');
  assert.equal(codeSpan('a|b'), '<code>a&#124;b</code>');
  assert.equal(codeSpan('`a`'), '`` `a` ``');
});

test('every format renders one result and several, and one that has nothing to show', async () => {
  const empty = {
    ...fixtureResult(),
    trials: [],
    expectations: [],
    state: { kind: 'interrupted', by: 'SIGINT' } as const,
  };
  for (const format of Object.keys(formats)) {
    assert.ok(isFormat(format));
    const one = await documentsOf(format, [fixtureResult()], { interactive: false });
    const two = await documentsOf(format, [fixtureResult(), fixtureResult({ seed: 2 })], {
      interactive: false,
    });
    assert.deepEqual([one.length, two.length], format === 'hgrm' ? [6, 12] : [1, 1]);
    assert.equal(
      (await documentsOf(format, [empty], { interactive: false })).length,
      format === 'hgrm' ? 0 : 1,
    );
  }
});
