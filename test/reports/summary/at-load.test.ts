// The answer at a load: the table's figures, what was lost in all trials together, a line of reasoning that
// says no more than a run can tell, and nothing that is void.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { evidence } from '../../../core/result/evidence.ts';
import type { Completed, Result, Trial } from '../../../core/result/result.ts';
import { renderSummary } from '../../../reports/export/summary.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { loadsOf, type AtLoad, type LoadRow } from '../../../reports/summary/at-load.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { processUse } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';
import { failed, resultOf, shaped, type Shape } from './shaped.ts';

const rowOf = (load: AtLoad, label: string): LoadRow => load.rows.find((row) => row.label === label)!;

/** A trial with these figures, whose server used a share of a core. */
function costing(label: string, cpu: number, shape: Shape, repetition = 1): Trial {
  const trial = shaped(label, shape, repetition);
  const outcome = trial.outcome as Completed; // `shaped` makes no other
  const own = outcome.processes.filter(({ role }) => role !== 'server');
  return {
    ...trial,
    outcome: {
      ...outcome,
      connections: 100,
      processes: [...own, processUse('server', { cpuUs: cpu * 10e6, idleShare: 0 })],
    },
  };
}

function reasons(...trials: Trial[]): Record<string, string> {
  const [load] = loadsOf([resultOf(trials)]);
  return Object.fromEntries(load!.rows.map(({ label, reason }) => [label, reason.text]));
}

test('the figures are those of the table, of several trials their median and range', () => {
  for (const result of [fixtureResult(), fixtureResult({ repeat: 3 })]) {
    const { columns, rows } = resultTable([result]);
    const [load, ...others] = loadsOf([result]);
    assert.equal(others.length, 0);
    assert.equal(load!.setting, '100 subscribers, 10 events a second, 1,000 deliveries a second');
    for (const { label, cells } of rows)
      for (const key of ['latency.p50', 'latency.p99', 'descriptors.added-peak'] as const) {
        const cell = cells[columns.findIndex((column) => column.key === key)]!;
        const figure = rowOf(load!, label).figures[key];
        assert.equal(figure.text, cell.text);
        const range = cell.range ?? cell.within ?? '';
        const same = range === `${cell.text} to ${cell.text}` || range === '';
        assert.equal(figure.range, same ? undefined : range, `${label} ${key}`);
      }
  }
  const sse = rowOf(loadsOf([fixtureResult()])[0]!, 'sse').figures;
  assert.equal(sse['bytes-per-s'].text, '3.27', '409 bytes a delivery, 1,000 a second');
  assert.equal(sse['server-cpu'].text, '2 %', '20 us a delivery');
  assert.equal(sse.connections.text, '100');
});

describe('a line of reasoning', () => {
  const [sse, websocket] = [
    { p50Us: 2500, p99Us: 5000 },
    { p50Us: 2400, p99Us: 5100 },
  ];
  test('holds what is as soon against what costs least, and says how late the others are', () => {
    const said = reasons(
      costing('sse', 0.1, sse),
      costing('websocket', 0.2, websocket),
      costing('polling every=2s', 0.15, { p50Us: 1e6, p99Us: 2e6, requests: 5 }),
    );
    assert.equal(
      said['sse'],
      'As fast as websocket, as far as one run can tell (half within 2.5 ms, 99 % within 5 ms), with the ' +
        'lowest server CPU (10 % of a core).',
    );
    assert.equal(
      said['websocket'],
      'The same delay as sse, as far as one run can tell (median 2.4 ms and 2.5 ms); 2 times the ' +
        'server CPU (20 % against 10 % of a core).',
    );
    assert.equal(
      said['polling every=2s'],
      'Median 1 s late, because an update waits for the next poll (sse: 2.5 ms); 50 % more server CPU ' +
        '(15 % against 10 % of a core); 50 requests a second.',
    );
  });

  test('calls a small difference in cost none, unless four trials each do not overlap', () => {
    const trials = (count: number) =>
      Array.from({ length: count }, (_, i) => [
        costing('sse', 0.1 + i / 1000, sse, i + 1),
        costing('websocket', 0.11 + i / 1000, websocket, i + 1),
      ]).flat();
    assert.match(
      reasons(...trials(1))['websocket']!,
      /; no measurable difference in server CPU \(11 % against/,
    );
    assert.match(reasons(...trials(3))['websocket']!, /; no measurable difference in server CPU/);
    assert.match(reasons(...trials(4))['websocket']!, /; 10 % more server CPU \(11\.\d % against 10\.\d %/);
  });

  test('says of a tail that it is longer though the medians are alike', () => {
    const said = reasons(costing('sse', 0.1, sse), costing('webhook', 0.1, { ...websocket, p99Us: 50_000 }));
    assert.match(said['webhook']!, /^The same delay as sse, .*; but 99 % within 50 ms, against 5 ms;/);
  });

  test('begins with what was lost, and says what there is no figure for', () => {
    const said = reasons(
      costing('sse', 0.1, sse),
      shaped('webhook', { p50Us: 2600, ledger: { missed: 3, expected: 400 } }),
      shaped('long-polling', { voids: { 'publisher-late': ['latency'] } }),
      failed('polling'),
    );
    assert.match(
      said['webhook']!,
      /^Lost 3 of 400 deliveries; of deliveries that arrived, median 2\.6 ms late \(sse: 2\.5 ms\)/,
    );
    assert.match(said['long-polling']!, /^Nothing can be said of its delay: long-polling \(publisher late\)/);
    assert.equal(said['polling'], 'Failed: it broke.');
    const alone = reasons(costing('sse', 0.1, sse), failed('polling'));
    assert.match(alone['sse']!, /^The only one with a figure: half within 2\.5 ms/);
  });
});

test('losses of all trials add up, and in a scenario with cuts it is said through how many', () => {
  const cut = { kind: 'disconnect', did: 'the server cut 50 %', atMs: 1, atUs: 1000 };
  const withCuts = ({ outcome, ...trial }: Trial): Trial => ({
    ...trial,
    outcome: outcome.status === 'completed' ? { ...outcome, faults: [cut] } : outcome,
  });
  const ledger = { missed: 2, expected: 100, resumed: 30 };
  const lost = (...trials: Trial[]) => loadsOf([resultOf(trials)])[0]!.rows[0]!.lost.text;
  assert.equal(lost(shaped('sse', { ledger }), shaped('sse', { ledger: { expected: 100 } }, 2)), '2 of 200');
  assert.equal(
    lost(withCuts(shaped('sse', { ledger })), withCuts(shaped('sse', { ledger }, 2))),
    '4 of 200 (2 cuts; 60 resumed)',
  );
});

test('what is void is shown as void with its reason, in every form, and its figures nowhere', async () => {
  const good = costing('sse', 0.1, { p50Us: 2500, p99Us: 5000 });
  const bad = costing('websocket', 0.777, {
    p50Us: 77_700,
    p99Us: 88_800,
    ledger: { missed: 555 },
    voids: { 'load-frozen': [...evidence] },
  });
  const result: Result = resultOf([good, bad]);
  const [load] = loadsOf([result]);
  const { figures, lost, reason } = rowOf(load!, 'websocket');
  for (const figure of Object.values(figures)) {
    assert.equal(figure.text, 'void');
    assert.equal(figure.value, undefined);
    assert.equal(figure.why, 'void: load-frozen');
  }
  assert.equal(lost.text, 'void');
  assert.equal(reason.evidence.length, 0);
  const forms = [
    renderTable([result], { columns: 200, color: false }),
    renderMarkdown([result]),
    renderSummary([result]),
    await renderHtml([result], { interactive: false }),
  ];
  for (const text of forms) {
    assert.match(text, /load[ -]frozen/i);
    // Only what says of itself how the trial went, such as the ledger and the processes, has its counts.
    const answer = text.includes('<section class="at-load">')
      ? /<section class="at-load">[\s\S]*?<\/section>/.exec(text)![0]
      : text;
    assert.doesNotMatch(answer, /77\.7|88\.8|\b555\b/);
  }
});

test('results that cannot be ranked have a load each, under what they are called', () => {
  const other = {
    ...fixtureResult({ seed: 2 }),
    scenario: { ...fixtureResult().scenario, subscribers: 2000 },
  };
  assert.deepEqual(
    loadsOf([fixtureResult(), other]).map(({ name, rows }) => [name, rows.length]),
    [
      ['100 subscribers', 6],
      ['2,000 subscribers', 6],
    ],
  );
});

test('the page draws every pattern on one axis, half before 99 %, and a bar for each cost', async () => {
  const page = await renderHtml([fixtureResult()], { interactive: false });
  const [section] = /<section class="at-load">[\s\S]*?<\/section>/.exec(page)!;
  assert.ok(page.indexOf(section) < page.indexOf('<h2>Results</h2>'));
  const rows = section.split('<tbody').slice(1);
  assert.equal(rows.length, 6);
  const place = (row: string, kind: string) =>
    Number(new RegExp(`<circle class="${kind}" cx="([\\d.]+)%"`).exec(row)![1]);
  for (const row of rows) {
    assert.ok(place(row, 'p50') < place(row, 'p99'));
    assert.ok(place(row, 'p50') >= 0 && place(row, 'p99') <= 100);
    assert.equal(row.split('class="bar"').length, 7);
  }
  const slowest = rows.find((row) => row.includes('#pattern-polling'))!;
  for (const row of rows) assert.ok(place(row, 'p99') <= place(slowest, 'p99'));
});
