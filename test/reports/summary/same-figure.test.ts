// Tests that a metric of a result reads the same in every form of report: sentence, answer, terminal, page,
// charts, Markdown, CSV and curves; with subscribers that publish, and with trials that differ.

import assert from 'node:assert/strict';
import { read } from 'vega';
import { describe, test } from 'vitest';
import { metrics } from '../../../core/metrics/registry.ts';
import { formatMetric } from '../../../core/metrics/metric.ts';
import type { Completed, Result, Trial } from '../../../core/result/result.ts';
import { renderCsv } from '../../../reports/export/csv.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { answerClauses } from '../../../reports/summary/answer.ts';
import { curvesOf } from '../../../reports/summary/curve-data.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { fixtureResult } from '../fixture.ts';

/** Without what a narrow screen needs: the column's title in each cell. */
const plainCells = (row: string) => row.replace(/<td [^>]*>/g, '<td>');

/** Messages that subscribers sent for each delivery, trial by trial; polling's polls are 0.11 more. */
const messages = [5, 5.4, 5.1];
/** 0.11 and the median of the above. */
const requests = '5.21';
/** A trial that does not count, with other figures. */
const bad = { messages: 9, latencyOf: 'webhook' };

/** All patterns, three trials each, whose subscribers publish with requests of their own. */
const publishing = changed(fixtureResult({ repeat: 3 }), ({ measuredDeliveries, counters }, i) => ({
  counters: {
    ...counters,
    clientMeasured: {
      ...counters.clientMeasured,
      messageRequests: Math.round(messages[i]! * measuredDeliveries),
    },
  },
}));

/** The same with a fourth trial of each variant that does not count. */
const withBadTrial: Result = {
  ...publishing,
  trials: [
    ...publishing.trials,
    ...changed(fixtureResult({ seed: 2 }), ({ latency, measuredDeliveries, counters }) => ({
      valid: false,
      latency: { ...latency, endToEnd: completedOf(publishing, bad.latencyOf)[0]!.latency.endToEnd },
      counters: {
        ...counters,
        clientMeasured: { ...counters.clientMeasured, messageRequests: bad.messages * measuredDeliveries },
      },
    })).trials.map((trial) => ({ ...trial, repetition: 4 })),
  ],
};

function changed(result: Result, change: (trial: Completed, i: number) => Partial<Completed>): Result {
  const trials = result.trials.map((trial): Trial => {
    const { outcome, repetition } = trial;
    return outcome.status === 'completed'
      ? { ...trial, outcome: { ...outcome, ...change(outcome, repetition - 1) } }
      : trial;
  });
  return { ...result, trials };
}

function completedOf(result: Result, label: string): Completed[] {
  return result.trials
    .filter(({ variant }) => variant.label === label)
    .flatMap(({ outcome }) => (outcome.status === 'completed' ? [outcome] : []));
}

/** The variants as cells of a matrix, at two places that have the same figures. */
function asMatrix(result: Result, metric: string): Result {
  const trials = ['10/s', '100/s'].flatMap((publish) =>
    result.trials.map(({ variant, ...trial }) => ({
      ...trial,
      variant: { ...variant, label: `${variant.label}, publish=${publish}` },
      cell: {
        variant: variant.label,
        parameters: { publish },
        subscribers: 100,
        events: 200,
        deliveries: 20_000,
      },
    })),
  );
  return { ...result, trials, scenario: { ...result.scenario, curves: [metric] } };
}

/** Of CSV's rows, those that count, the one in the middle: there are three. */
function ofCsv(result: Result, label: string, metric: string): string {
  const rows = read(renderCsv([result]), { type: 'csv' }) as unknown as Record<string, string>[];
  const values = rows
    .filter((row) => row['variant'] === label && row['metric'] === metric && row['outcome'] === 'valid')
    .map(({ value }) => Number(value))
    .sort((a, b) => a - b);
  assert.equal(values.length, 3);
  return formatMetric(values[1]!, metrics[metric]!.unit);
}

function ofTable(result: Result, label: string, metric: string): string {
  const { columns, rows } = resultTable([result]);
  return rows.find((row) => row.label === label)!.cells[columns.findIndex(({ key }) => key === metric)]!.text;
}

function rowWith(text: string, label: string): string {
  const lines = text.split(/\n|(?=<tr)/).map((line) => ({ line, words: line.replace(/<[^>]*>/g, ' ') }));
  return lines.find(({ words }) => new RegExp(`^[^a-z]*${label}\\b`).test(words))!.line;
}

const shown = ['latency.p50', 'latency.p99', 'requests-per-delivery', 'server-cpu-per-delivery'];

describe.each([
  ['three trials', publishing],
  ['three trials and one that does not count', withBadTrial],
])('%s', (_, result) => {
  test('requests per delivery are all requests of the subscribers, the median over the trials', () => {
    assert.equal(ofTable(result, 'polling', 'requests-per-delivery'), requests);
  });
  test('and each figure reads the same in every form', async () => {
    const asked = { ...result, scenario: { ...result.scenario, answer: shown } };
    const page = await renderHtml([asked], { interactive: false });
    const from = (text: string, start: string) => text.slice(text.indexOf(start));
    for (const label of ['polling', 'websocket']) {
      const [markdown, terminal, side, answer] = [
        rowWith(from(renderMarkdown([result]), '| p50 | p90'), label),
        rowWith(from(renderTable([result], { columns: 300, color: false }), 'p90'), label),
        rowWith(from(page, 'Patterns by what they cost'), label),
        rowWith(from(page, 'What the question asks for'), label),
      ];
      for (const metric of shown) {
        const figure = ofTable(result, label, metric);
        assert.match(figure, /^[\d.]+/);
        assert.equal(ofCsv(result, label, metric), figure, 'CSV');
        const [curve] = curvesOf(variantsOf([asMatrix(result, metric)]));
        const points = curve!.points.filter(({ variant }) => variant === label);
        assert.deepEqual(
          points.map(({ value }) => formatMetric(value, curve!.metric.unit)),
          [figure, figure],
          'curve',
        );
        assert.ok(markdown.includes(`| ${figure} `), `Markdown: ${markdown}`);
        assert.ok(terminal.includes(`  ${figure}`), `terminal: ${terminal}`);
        assert.ok(plainCells(side).includes(`<td>${figure}<`), `page: ${side}`);
        assert.ok(plainCells(answer).includes(`<td>${figure}</td>`), `answer: ${answer}`);
      }
    }
    // One variant alone: its figure is the whole clause.
    const polling = variantsOf([asked]).filter(({ label }) => label === 'polling');
    const first = shown.slice(0, 2).map((metric) => ofTable(result, 'polling', metric));
    const clauses = answerClauses([asked], polling);
    assert.deepEqual(
      clauses.map((clause) => /: (.*) \(polling\)$/.exec(clause)![1]),
      first,
    );
  });
});

test('the sentence has the figures of the table', () => {
  const sentence = headlineOf([publishing]);
  const [soonest, half] = [/, (\S+) /.exec(sentence)![1]!, /slowest \(median (\S+ \S+),/.exec(sentence)![1]];
  assert.equal(half, ofTable(publishing, 'polling', 'latency.p50'));
  assert.ok(sentence.includes(`${requests} requests per delivery`));
  assert.match(soonest, /^(?:websocket|http-stream|sse),?$/);
  for (const metric of ['latency.p50', 'latency.p99'])
    assert.ok(
      ['websocket', 'sse'].some((label) => sentence.includes(ofTable(publishing, label, metric))),
      metric,
    );
});

test('the chart of percentiles has the figures of the table, with several trials too', async () => {
  const page = await renderHtml([publishing], { interactive: false });
  const figures = page.slice(page.indexOf('<span>Delivery latency by percentile</span>'));
  for (const label of ['polling', 'webhook']) {
    const cells = [...rowWith(figures, label).matchAll(/<td>([^<]*)<\/td>/g)].map(([, text]) => text);
    const of = (metric: string) => ofTable(publishing, label, metric);
    assert.deepEqual(
      [cells[0], cells[2], cells[4], cells[6]],
      [of('latency.p50'), of('latency.p90'), of('latency.p99'), of('latency.max')],
    );
  }
});
