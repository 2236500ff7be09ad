// Draws the expectations: those that did not hold in the open, the others to be unfolded.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';
import { expectationsTitle, expectedOf, type Expected } from '../summary/notices.ts';
import { table, type Row } from './table-markup.ts';

export function expectationTable(results: readonly Result[]): Markup {
  const all = expectedOf(results);
  if (all.length === 0) return html``;
  const row = ({ who, check, measured, held, untested }: Expected): Row => ({
    head: who,
    cells: [
      html`<code>${check}</code>`,
      measured,
      html`<span class="${held ? 'good' : 'bad'}"
        >${held ? 'held' : untested ? 'not tested' : 'failed'}</span
      >`,
    ],
  });
  const heads = ['variant', 'expected', 'measured', 'verdict'];
  const failed = all.filter(({ held }) => !held);
  const held = all.filter((one) => one.held);
  return html`<h2>${expectationsTitle(all)}</h2>
    ${failed.length === 0 ? '' : table('What was expected and did not hold', heads, failed.map(row))}
    ${
      held.length === 0
        ? ''
        : html`<details>
            <summary>${held.length} that held</summary>
            ${table('What was expected and held', heads, held.map(row))}
          </details>`
    }`;
}
