// The page of a history: what is drawn is what the figures say, and whatever is not drawn is said.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { historyOf } from '../../../core/comparison/history.ts';
import { runSetOf, type RunSet } from '../../../core/comparison/run-set.ts';
import { renderHistoryPage } from '../../../reports/history/page.ts';
import { fixtureResult } from '../fixture.ts';

/** A run a day; the last one costs three times as much server CPU with SSE. */
function days(count: number): [RunSet, ...RunSet[]] {
  const template = runSetOf('x', [fixtureResult({ measureS: 2 })]);
  const sets = Array.from({ length: count }, (_, day) => {
    const set = structuredClone(template);
    set.name = `day-${day + 1}`;
    set.createdAt = new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
    const sse = set.variants.find(({ label }) => label === 'sse')!;
    if (day === count - 1) for (const { values } of sse.runs) values['server-cpu-per-delivery']! *= 3.03;
    return set;
  });
  return sets as [RunSet, ...RunSet[]];
}

/** The figure of one metric, as its texts and its caption. */
function figureOf(page: string, heading: string): { texts: string[]; caption: string; svg: string } {
  const figure = page.slice(page.indexOf('<figure>', page.indexOf(heading)));
  const svg = figure.slice(0, figure.indexOf('</svg>'));
  return {
    svg,
    texts: [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text = '']) => text),
    caption: /<figcaption>(.*?)<\/figcaption>/s.exec(figure)?.[1]?.trim() ?? '',
  };
}

test('a figure that tripled between two runs is drawn at +203 %, not half below and above', async () => {
  const { texts } = figureOf(await renderHistoryPage(historyOf(days(2)), '0.1.0'), 'Server CPU per delivery');
  assert.ok(texts.includes('percent from its oldest point'), texts.join(' '));
  const signed = texts.filter((text) => /^[+−]\d/.test(text));
  const ticks = signed.map((text) => Number(text.replace('−', '-')));
  assert.equal(Math.min(...ticks), 0, 'nothing fell');
  assert.equal(Math.max(...ticks), 200, 'what rose by 203 % is above the last tick');
});

test('runs older than the chart holds are said to be in the table alone, and leave no mark', async () => {
  const sets = days(302);
  sets[0].environment.cpu = 'Other CPU'; // another machine from the second run on, which is not drawn
  const { caption, svg } = figureOf(
    await renderHistoryPage(historyOf(sets), '0.1.0'),
    'Server CPU per delivery',
  );
  assert.match(caption, /The newest 300 of 302 runs are drawn; the table has the others\.$/);
  assert.doesNotMatch(svg, /stroke-dasharray="2,4"/, 'the move is not in the chart');
  const few = days(3);
  few[0].environment.cpu = 'Other CPU';
  assert.match(
    figureOf(await renderHistoryPage(historyOf(few), '0.1.0'), 'Server CPU per delivery').svg,
    /stroke-dasharray="2,4"/,
    'where it lies in the chart, it is',
  );
});
