// Draws the expectations: those that did not hold in the open, the others to be unfolded.

import type { Result } from '../../core/result/result.ts';
import { formatNumber } from '../../core/base/units.ts';
import { html, type Markup } from './markup.ts';
import { expectationsTitle, expectedOf, openIn, verdictWords, type Expected } from '../summary/notices.ts';
import { tableMarkup, type Head, type Row } from './table-markup.ts';

export function expectationTable(results: readonly Result[]): Markup {
  const all = expectedOf(results);
  if (all.length === 0) return html``;
  const row = ({ who, check, measured, verdict }: Expected): Row => ({
    head: who,
    cells: [
      html`<code>${check}</code>`,
      measured,
      html`<span class="${verdict === 'held' ? 'good' : verdict === 'failed' ? 'bad' : ''}"
        >${verdictWords[verdict]}</span
      >`,
    ],
  });
  const table = (caption: string, those: readonly Expected[]) =>
    tableMarkup(caption, heads, those.map(row), 'blocks');
  const unfolded = (what: string, caption: string, those: readonly Expected[]) =>
    those.length > 0 &&
    html`<details>
      <summary>${formatNumber(those.length)} ${what}</summary>
      ${table(caption, those)}
    </details>`;
  const heads: readonly Head[] = [
    'variant',
    { words: 'expected' },
    { words: [...new Set(all.map(({ made }) => made))].join(' or ') },
    { words: 'verdict' },
  ];
  const open = openIn(all);
  const held = all.filter(({ verdict }) => verdict === 'held');
  const missing = all.filter(({ isMissing }) => isMissing);
  return html`<h2>${expectationsTitle(all)}</h2>
    ${open.length === 0 ? '' : table('Expectations that failed, are undecided or were not judged', open)}
    ${unfolded('of trials that are missing', 'Expectations of trials that are missing', missing)}
    ${unfolded('held', 'Expectations that held', held)}`;
}
