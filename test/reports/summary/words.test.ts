// What reports say: the headline, the table, the terminal, and what is wrong with files that are no results.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import type { Completed, Result } from '../../../core/result/result.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { readResult } from '../../../reports/read/read.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { completed, stored, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const only = (result: Result, ...patterns: string[]): Result => ({
  ...result,
  trials: result.trials.filter(({ variant }) => patterns.includes(variant.pattern)),
});

test('the headline names who was soonest, and by how much the last one was behind', () => {
  const line = headlineOf([fixtureResult()]);
  assert.match(line, /^With 100 subscribers and 10 events a second, .*(?:soonest|alike)/);
  assert.match(line, /; polling took longest \(half within \d+ ms, 0\.11 requests per delivery\)\.$/);
});

test('the headline answers with the metrics that the question asks for, alike ones together', () => {
  const asking = (answer: string[], ...patterns: string[]): Result => {
    const result = only(fixtureResult(), ...patterns);
    return { ...result, scenario: { ...result.scenario, answer } };
  };
  const all = ['polling', 'long-polling', 'http-stream', 'sse', 'websocket'];
  assert.equal(
    headlineOf([asking(['descriptors.added', 'requests-per-delivery', 'latency.p50'], ...all)]),
    'With 100 subscribers and 10 events a second, server descriptors for the subscribers: 100 (all ' +
      'alike); requests per delivery: 0 (http-stream, sse and websocket), 0.11 (polling), 1 (long-polling).',
  );
  assert.match(
    headlineOf([asking(['latency.p50'], 'http-stream', 'sse')]),
    /delivery latency, median: 1\.\d+ ms to 1\.\d+ ms \(all alike\)\.$/,
  );
  assert.match(
    headlineOf([asking(['upstream.p50'], ...all)]),
    /delivered soonest/,
    'without such figures the latency is the answer',
  );
  assert.match(
    headlineOf([asking(['missed']), asking(['requests'])]),
    /^In 2 runs .*delivered soonest|nothing can be said/,
    'nor do different questions have one answer',
  );
  const trouble = fixtureResult({ trouble: true });
  assert.match(
    headlineOf([{ ...trouble, scenario: { ...trouble.scenario, answer: ['descriptors.added'] } }]),
    /subscribers: 5 \(webhook\), 100 \(polling, sse and websocket\)\. .*do not count/,
    'of trials that count',
  );
});

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
      /one server process answered 12,346 requests a second \(GET \/poll, nothing new; 50 connections\)\./,
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
  'the headline of several results names a variant once, and ' + 'says whose it is only where that matters',
  () => {
    const line = headlineOf([1, 2, 3].map((seed) => fixtureResult({ seed })));
    assert.match(
      line,
      /^In 3 runs with 100 subscribers and 10 events a second, websocket, http-stream and sse delivered soonest, and alike \(/,
    );
    assert.equal(line.split('polling').length, 2);
    assert.ok(line.length < 300, line);
    const [small, large] = [fixtureResult(), fixtureResult({ seed: 2 })];
    const other = { ...large, scenario: { ...large.scenario, subscribers: 2000 } };
    assert.match(
      headlineOf([only(small, 'sse'), only(other, 'polling')]),
      /^Over 2 results, sse delivered soonest .*; polling took longest/,
    );
    assert.match(
      headlineOf([only(small, 'sse', 'polling'), only(other, 'polling', 'websocket')]),
      /^Over 2 results, websocket and sse delivered soonest/,
    );
  },
);

test('the headline counts what was missed and says why variants do not count', () => {
  const line = headlineOf([fixtureResult({ trouble: true })]);
  assert.match(
    line,
    /webhook missed 12 of 20,000 deliveries\. 2 variants do not count: long-polling \(load limited\); http-stream failed\.$/,
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
    assert.match(text, /does not count: long-polling: this trial measured/);
    assert.match(
      text,
      /not tested: long-polling \(trial 2\): missed == 0 \(measured 0, in a trial that does not count\)/,
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
    assert.match(half, /note: webhook \(trial 2\): 12 of 20000/);
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
      /failed: sse: latency\.p99 < 1s \(measured no figure: [\d,]+ samples; it takes 10,000\)/,
    );
    const noted = fixtureResult().trials.map((trial) => ({
      ...trial,
      warnings: [{ code: 'few-samples', level: 'note' as const, message: 'few samples.' }],
    }));
    assert.match(
      renderTable([{ ...result, trials: noted }], { columns: 200, color: false }),
      /note: every variant: few samples\./,
    );
  },
);

test('the headline claims no difference that a single run does not carry', () => {
  assert.match(
    headlineOf([only(fixtureResult(), 'sse', 'http-stream')]),
    /all variants delivered alike \(half of the deliveries within/,
  );
});

test(
  'the headline of deliveries that were made again says what came twice and why, what queued up, how ' +
    'long publishers waited and who kept the order',
  () => {
    const base = fixtureResult();
    const outcome = (ledger: object, more: Partial<Completed> = {}) => {
      const one = completed();
      return completed({
        ledger: { ...one.ledger, missed: 0, duplicated: 3, reordered: 0, ...ledger },
        ...more,
      });
    };
    const wait = (us: number) => ({ latency: { ...completed().latency, publishRoundTrip: stored(us) } });
    const of = (...trials: [label: string, outcome: Completed][]) =>
      headlineOf([{ ...base, trials: trials.map(([label, one]) => trialOf(label, one)) }]);
    const line = of(
      ['webhook store=sqlite', outcome({ reordered: 5 })],
      ['webhook fifo store=sqlite', outcome({})],
    );
    assert.doesNotMatch(line, /store=sqlite/, 'what they share is left out');
    assert.match(
      line,
      /No delivery was missed\. 6 came twice, each after an answer that was lost\. Only webhook fifo kept the order\.$/,
    );
    const unexplained = of(['webhook', outcome({ duplicated: 5 })]);
    assert.match(unexplained, /5 came twice, 2 of them without a lost answer\.$/);
    const lost = of(['webhook', outcome({ missed: 2, duplicated: 0 })]);
    assert.doesNotMatch(lost, /No delivery was missed|came twice/);
    assert.match(lost, /webhook missed 2 of 13 deliveries\.$/);
    const held = of(
      ['webhook delivery=sync', outcome({}, wait(9_000_000))],
      ['webhook store=sqlite', outcome({}, wait(70_000))],
    );
    assert.match(
      held,
      /Publishing took up to 9 s with webhook delivery=sync, up to 70\S* ms with webhook store=sqlite\./,
    );
    assert.doesNotMatch(line, /Publishing took|backlog/);
  },
);
test('the headline says so when nothing can be said', () => {
  const result = fixtureResult();
  assert.match(
    headlineOf([{ ...result, trials: [], state: { kind: 'interrupted', by: 'SIGINT' } }]),
    /nothing can be said: no trial was measured\. The run was interrupted \(SIGINT\)/,
  );
  const failed = {
    ...result,
    trials: result.trials.map((trial) => ({
      ...trial,
      outcome: { status: 'failed' as const, valid: false as const, code: 'x', message: 'it broke' },
    })),
  };
  assert.match(headlineOf([failed]), /nothing can be said: .*failed/);
});

test('a percentile without the samples to carry it is no figure, and the table says why', () => {
  const short = resultTable([fixtureResult({ measureS: 5 })]);
  const at = short.columns.findIndex(({ key }) => key === 'latency.p99');
  // 5 s of 10 events to 100 subscribers are 5,000 samples, and p99 takes 10,000.
  assert.equal(short.rows[0]!.cells[at]!.reason, '5,000 samples; it takes 10,000');
  assert.equal(resultTable([fixtureResult({ measureS: 20 })]).rows[0]!.cells[at]!.reason, undefined);
});

test('several trials are shown as their median and their spread', () => {
  const { rows, columns } = resultTable([fixtureResult({ repeat: 3 })]);
  const at = columns.findIndex(({ key }) => key === 'latency.p50');
  assert.match(rows[0]!.cells[at]!.range ?? '', /^[\d.]+ ms to [\d.]+ m?s$/);
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
  assert.match(text, /expectations failed, \d+ not tested: [^.]*\.\n\s+failed: .*\(measured /);
  assert.match(text, /does not count: /);
  assert.match(text, /failed: /);
});

test('files that are no results are refused with what is wrong with them', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-read-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const good = JSON.stringify(fixtureResult());
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'run', 'result.json'), good);
  assert.equal(
    (await readResult(join(folder, 'run'))).scenario.name,
    fixtureResult().scenario.name,
    'a folder stands for its result.json',
  );
  const rows: [path: string, message: RegExp][] = [
    [join(folder, 'none.json'), /Cannot read a result at .*none\.json: ENOENT/],
    [file('cut.json', good.slice(0, 5000)), /cut\.json is not whole JSON .*cut off/],
    [file('other.json', '{"name":"x"}'), /not a result of pushbench/],
    [
      file('newer.json', good.replace('"version":2', '"version":99')),
      /version 99 .* reads up to 2\. Upgrade/,
    ],
    [
      file('damaged.json', good.replace(/"v2":"[^"]{20}/, '"v2":"HISTFAAAABEAAAAAAAAA')),
      /damaged\.json does not hold together: the histogram endToEnd of trials\[0\] cannot be read \(/,
    ],
    [
      file('odd.json', good.replace('"kind":"finished"', '"kind":"perhaps"')),
      /does not hold together:[\s\S]*state/,
    ],
  ];
  for (const [path, message] of rows)
    await assert.rejects(
      readResult(path),
      (error) => error instanceof UserError && message.test(error.message),
      path,
    );
});
