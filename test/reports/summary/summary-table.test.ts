// Reads the table of a result, in the terminal and in Markdown, and the lines that stand below it.

import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { fixtureResult } from '../fixture.ts';

test('what was measured after the trials stands below the table, and in a job summary', () => {
  const result: Result = {
    ...fixtureResult(),
    closedLoop: [
      {
        endpoint: 'GET /poll, nothing new',
        connections: 50,
        requestsPerS: 12_345.6,
        serverCpuShare: 1,
        clientCpuShare: 0.5,
        errors: 0,
      },
    ],
    chromium: {
      status: 'measured',
      version: '140.0',
      patienceMs: 2000,
      opened: [
        { variant: 'sse', pages: 7, streams: 6, answered: 0 },
        { variant: 'sse h2', pages: 7, streams: 7, answered: 7 },
      ],
    },
  };
  for (const text of [renderTable([result], { columns: 300, color: false }), renderMarkdown([result])]) {
    assert.match(
      text,
      /one server process answered 12,346 requests per second \(GET \/poll, nothing new; 50 connections\)\./,
    );
    assert.match(
      text,
      /In a real Chromium 140\.0, pages that were answered beside their streams: sse 0 of 7, sse h2 7 of 7\./,
    );
  }
  const without: Result = {
    ...fixtureResult(),
    chromium: { status: 'skipped', reason: 'Chromium is not installed' },
  };
  assert.match(
    renderTable([without], { columns: 300, color: false }),
    /In a real Chromium: skipped, Chromium is not installed\./,
  );
});

test(
  'a warning of one trial names the trial, one of all trials the variant; an expectation tells of a ' +
    'trial that does not count',
  () => {
    const result = fixtureResult({ trouble: true, repeat: 2 });
    const text = renderTable(
      [
        {
          ...result,
          trials: result.trials.filter(
            ({ variant, repetition }) => variant.label !== 'webhook' || repetition === 2,
          ),
        },
      ],
      { columns: 200, color: false },
    );
    assert.match(text, /\(does not count\): long-polling: this trial measured/);
    assert.match(
      text,
      /not judged: long-polling \(trial 2\): missed == 0 \(no figure: void: the trial does not count\)/,
    );
    const half = renderTable(
      [
        {
          ...result,
          trials: result.trials.map((trial) =>
            trial.variant.label === 'webhook' && trial.repetition === 1 ? { ...trial, warnings: [] } : trial,
          ),
        },
      ],
      { columns: 200, color: false },
    );
    assert.match(half, /Deliveries missed: webhook \(trial 2\): 12 of 20000/);
    const short = fixtureResult({ measureS: 2 });
    short.expectations = [
      {
        variant: 'sse',
        repetition: 1,
        check: 'latency.p99 < 1s',
        metric: 'latency.p99',
        bound: 1e6,
        measured: null,
        held: false,
      },
    ];
    assert.match(
      renderTable([short], { columns: 200, color: false }),
      /not judged: sse: latency\.p99 < 1s \(no figure: 2 events beyond it; 10 are needed\)/,
    );
    const noted = fixtureResult().trials.map((trial) => ({
      ...trial,
      warnings: [{ code: 'few-samples', level: 'note' as const, message: 'few samples.' }],
    }));
    assert.match(
      renderTable([{ ...result, trials: noted }], { columns: 200, color: false }),
      /Too few events for a percentile: every variant: few samples\./,
    );
  },
);

test('a percentile without the events to carry it is no figure, and the table says why', () => {
  const short = resultTable([fixtureResult({ measureS: 5 })]);
  const at = short.columns.findIndex(({ key }) => key === 'latency.p99');
  // 5 s of 10 events to 100 subscribers are 5,000 deliveries, and as the fixture has it 625 events.
  const { text, reason } = short.rows[1]!.cells[at]!;
  assert.equal(reason, '6 events beyond it; 10 are needed');
  assert.match(text, /^≥ [\d.]+ ms$/);
  const long = resultTable([fixtureResult({ measureS: 20 })]).rows[1]!.cells[at]!;
  assert.equal(long.reason, undefined);
  assert.match(long.within!, /^[\d.]+ to [\d.]+ ms$/);
});

test('several trials are shown as their median and their spread', () => {
  const { rows, columns } = resultTable([fixtureResult({ repeat: 3 })]);
  const at = columns.findIndex(({ key }) => key === 'latency.p50');
  assert.match(rows[0]!.cells[at]!.range ?? '', /^[\d.]+(?: ms)? to [\d.]+ m?s$/);
});

test('the terminal table fits the terminal: what does not stands in a block below', () => {
  for (const columns of [80, 100, 200]) {
    const text = renderTable([fixtureResult()], { columns, color: false });
    assert.ok(
      text.split('\n').every((line) => line.length <= columns),
      `at ${columns}`,
    );
    assert.match(text, /polling[\s\S]*webhook/);
  }
  const colored = renderTable([fixtureResult({ trouble: true })], { columns: 120, color: true });
  assert.notEqual(stripVTControlCharacters(colored), colored);
});

test('the terminal shows failed expectations with the measured value, failures and warnings', () => {
  const text = renderTable([fixtureResult({ trouble: true })], { columns: 120, color: false });
  assert.match(text, /expectations failed, \d+ not judged \([^.]*\)\.\n\s+failed: .*\(measured /);
  assert.match(text, /\(does not count\): /);
  assert.match(text, /Failed: /);
});
