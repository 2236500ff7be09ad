// The page of a capacity plan: every figure with its error and what it rests on, escaped, without network.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { PlanRow } from '../../../core/capacity/capacity-plan.ts';
import { limits, mostOnOneServer } from '../../../core/capacity/question.ts';
import { renderPlanPage } from '../../../reports/capacity/page.ts';
import { planParts } from '../../../reports/summary/capacity.ts';
import { breaksPart } from '../../../reports/summary/capacity-tables.ts';
import { fixturePlan } from './plan.ts';

/** Without tags, a space for each. */
const textOf = (page: string) =>
  page
    .replace(/<(style|script|svg)[\s>].*?<\/\1>/gs, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')
    .replace(/[\s\u00A0]+/g, ' ');

test('servers, bill, month, limits and evidence, each figure with what it rests on', async () => {
  const plan = fixturePlan(['polling', 'long-polling', 'http-stream', 'sse', 'websocket']);
  const page = await renderPlanPage(plan);
  const text = textOf(page);
  for (const part of planParts(plan))
    for (const { cells } of part.table.rows)
      for (const { text: figure, from } of cells)
        assert.ok(
          text.includes(`${figure} `) &&
            (from === undefined || text.includes(from === 'profile' ? 'from the profile' : from)),
          `${part.title}: ${figure}`,
        );
  for (const pattern of [
    /\d+ \(\d+\) [\d,]+ hours a month (simulated|from the profile)/,
    /17,280,000,000 arithmetic/,
    /GB ±[\d.?]+ ?%? simulated/,
    /[\d,]+ million × 0\.2 arithmetic/,
    /Lowest bill of a month, in USD: /,
    /simulated, not measured/,
    /Dashed: the bound of 1 s/,
    /webhook is left out: /,
    /broker between them/,
    /Defaults used: --interval 5s/,
  ])
    assert.match(text, pattern);
  assert.equal(await renderPlanPage(plan), page, 'the same plan is the same page');
  assert.ok(page.length < 300_000, `${page.length} bytes`);
  assert.doesNotMatch(page, /(?:src|href)="(?!#)/, 'it asks for nothing');
});

test('the limit that breaks first is told, or that no server reaches one, or that none was tried', () => {
  const plan = fixturePlan(['sse']);
  const firstOf = (breaks: PlanRow['breaks']) => {
    const part = breaksPart({ ...plan, rows: plan.rows.map((row) => ({ ...row, breaks })) });
    const [latency, , , , first] = part.table.rows[0]!.cells;
    return [latency!.text, first!.text];
  };
  const breaks = (subscribers: number, isKnown: boolean): PlanRow['breaks'] =>
    limits.map((limit) => ({ limit, subscribers, isKnown }));
  assert.deepEqual(firstOf(breaks(4452, true)), ['4,452', 'p99 latency']);
  assert.deepEqual(firstOf(breaks(mostOnOneServer, false)), ['> 250,000', 'nothing']);
  assert.deepEqual(firstOf(breaks(512, false)), ['> 512', 'not tried']);
});

test('without prices there is no bill, and the page says how to get one', async () => {
  const text = textOf(await renderPlanPage(fixturePlan(['sse'], { isPriced: false })));
  assert.doesNotMatch(text, /bill/i);
  assert.match(text, /What it costs: name a price file with --prices/);
});

test('where no number of servers is enough there is no bar, and the page is whole', async () => {
  const plan = fixturePlan(['polling']);
  const none = { ...plan, rows: plan.rows.filter(({ servers }) => servers === null) };
  assert.equal(none.rows.length, 1);
  const page = await renderPlanPage(none);
  assert.match(textOf(page), /No pattern keeps this bound, with any number of servers/);
  assert.doesNotMatch(page, /id="servers-chart"/);
  assert.doesNotMatch(textOf(page), /NaN|undefined|Infinity/);
});

test('names are text and never markup', async () => {
  const page = await renderPlanPage(fixturePlan(['sse'], { name: '<img src=x onerror=alert(1)>' }));
  assert.ok(!page.includes('<img'));
  assert.ok(page.includes('&lt;img src=x'));
});
