// Results of which some figures are void: what stands is said and drawn, what is void is nowhere.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import type { Evidence } from '../../../core/result/evidence.ts';
import { evidence } from '../../../core/result/evidence.ts';
import type { Completed, Result } from '../../../core/result/result.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { curvesOf } from '../../../reports/summary/curve-data.ts';
import { headlineOf } from '../../../reports/summary/headline.ts';
import { expectationsTitle, expectedOf } from '../../../reports/summary/notices.ts';
import { resultTable } from '../../../reports/summary/summary-table.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { renderMarkdown } from '../../../reports/text/markdown.ts';
import { renderTable } from '../../../reports/text/terminal.ts';
import { completed, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const late = 'the publisher was up to 36 ms late.';

type Made = { missed?: number; retried?: boolean; voids?: readonly Evidence[] };

/** A trial that the publisher was late in, where it voids something. */
function made(label: string, repetition: number, { missed = 0, retried = true, voids }: Made) {
  const one = completed();
  const outcome: Completed = completed({
    ledger: { ...one.ledger, expected: 400, delivered: 400 - missed, missed, duplicated: 0 },
    counters: {
      ...one.counters,
      client: { ...one.counters.client, answersLost: retried ? 1 : 0 },
    },
    ...(voids && { valid: false, voids: { 'publisher-late': [...voids] } }),
  });
  const trial = trialOf(label, outcome);
  return {
    ...trial,
    repetition,
    warnings: voids ? [{ code: 'publisher-late', level: 'invalid' as const, message: late }] : [],
  };
}

const resultOf = (...trials: Result['trials']): Result => ({
  ...fixtureResult(),
  trials,
  expectations: [],
});

/** Of two webhook variants, the one that lost deliveries was published to late. */
const outage = resultOf(made('webhook', 1, { missed: 25, voids: ['latency'] }), made('webhook fifo', 1, {}));

test('a loss is told though the latencies of its trial are void', () => {
  const line = headlineOf([outage]);
  assert.match(line, /webhook missed 25 of 400 deliveries\./);
  assert.doesNotMatch(line, /Nothing was lost/);
});

test('that nothing was missed is said of those whose losses stand', () => {
  assert.match(headlineOf([resultOf(made('webhook', 1, {}), made('sse', 1, {}))]), /Nothing was lost\./);
  assert.match(
    headlineOf([resultOf(made('webhook', 1, {}), made('sse', 1, { voids: ['losses'] }))]),
    /Nothing was lost with webhook\./,
  );
});

test('the table shows what is void as void and the rest as it is, in every form', async () => {
  const { rows, columns } = resultTable([outage]);
  const cell = (key: string) => rows[0]!.cells[columns.findIndex((one) => one.key === key)]!;
  assert.deepEqual(cell('latency.max'), {
    text: 'void',
    value: undefined,
    reason: 'void: publisher-late',
    void: true,
  });
  assert.equal(cell('missed').text, '25');
  assert.equal(rows[0]!.out, undefined, 'the row counts');
  const terminal = renderTable([outage], { columns: 300, color: false });
  assert.match(terminal, /\nwebhook +.*void.* 25 /);
  assert.doesNotMatch(terminal, /does not count/);
  assert.match(
    terminal,
    /\nPublisher late \(voids latencies\): webhook: the publisher was up to 36 ms late\./,
  );
  assert.match(
    renderMarkdown([outage]),
    /\n\| webhook \| .*\| 25 \|.*\n[\s\S]*\*\*Publisher late \(voids latencies\)\*\*: webhook/,
  );
  const page = await renderHtml([outage], { interactive: false });
  assert.match(page, /<td class="void"[^>]*>void<\/td>.*<td class="lost bad"[^>]*>25</);
  assert.match(page, /void: latencies in 1/);
  const everything = resultOf(made('webhook', 1, { voids: evidence }), made('sse', 1, {}));
  assert.match(renderTable([everything], { columns: 300, color: false }), /\nwebhook .*\(does not count\)\n/);
});

test('a figure of a part of the trials says of how many it is', () => {
  const some = resultOf(
    made('webhook', 1, { missed: 25, voids: ['latency'] }),
    made('webhook', 2, {}),
    made('webhook', 3, {}),
  );
  const { rows, columns } = resultTable([some]);
  const of = (key: string) => rows[0]!.cells[columns.findIndex((one) => one.key === key)]!.of;
  assert.deepEqual([of('latency.max'), of('missed')], ['2 of 3 trials', undefined]);
  assert.match(
    renderTable([some], { columns: 300, color: false }),
    /\nwebhook: .*max.* are of 2 of 3 trials; void or failed in the others\.\n/,
  );
  assert.match(headlineOf([some]), /webhook missed 25 of 1,200 deliveries\./, 'losses of all three stand');
});

test('a curve of counts keeps the trials whose latencies are void', () => {
  const cells = ['1/s', '10/s'].map((rate) => ({
    ...made(`webhook, publish=${rate}`, 1, { voids: ['latency'] }),
    cell: {
      variant: 'webhook',
      parameters: { publish: rate },
      subscribers: 10,
      events: 40,
      deliveries: 400,
    },
  }));
  const result = resultOf(...cells);
  const drawn = { ...result, scenario: { ...result.scenario, curves: ['missed', 'latency.max'] } };
  assert.deepEqual(
    curvesOf(variantsOf([drawn])).map(({ name, points, leftOut }) => [name, points.length, leftOut]),
    [['missed', 2, 0]],
    'and there is none of latencies',
  );
});

test('expectations are held, failed, undecided or not judged, each counted, with the reason once', () => {
  const one = (verdict: 'held' | 'failed' | 'undecided' | 'not-judged', why?: string) => ({
    variant: 'webhook',
    repetition: 1,
    check: 'latency.p99 < 1s',
    metric: 'latency.p99',
    bound: 1e6,
    measured: verdict === 'not-judged' ? null : 5,
    held: verdict === 'held',
    verdict,
    ...(why !== undefined && { why }),
  });
  const title = (...all: ReturnType<typeof one>[]) =>
    expectationsTitle(expectedOf([{ ...outage, expectations: all }]));
  assert.equal(
    title(
      one('held'),
      one('failed'),
      one('undecided', 'the interval holds the bound'),
      one('not-judged', 'void: publisher-late'),
      one('not-judged', 'void: publisher-late'),
    ),
    '1 of 5 expectations failed, 2 not judged (void: publisher-late), 1 undecided (the interval ' +
      'holds the bound)',
  );
  assert.equal(title(one('undecided', 'so')), '1 of 1 expectation undecided (so)');
  assert.equal(title(one('held'), one('held')), 'All 2 expectations held');
});

test('no report reads a metric without the rules of figures: samples, and what is void', () => {
  const root = join(import.meta.dirname, '../../..');
  const files = ['reports', 'cli'].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(root, room, file)),
  );
  assert.ok(files.length > 50);
  assert.deepEqual(
    files.filter((file) => /\.read\(/.test(readFileSync(file, 'utf8'))),
    [],
    'figureOf and figureOver are to be used',
  );
});
