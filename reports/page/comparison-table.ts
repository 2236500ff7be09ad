// Draws the table of all variants side by side, and says what its columns mean and why figures are missing.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { resultTable } from '../summary/summary-table.ts';
import { colorCount } from './chart-style.ts';
import { variantsOf } from '../summary/variants.ts';

export function comparisonTable(results: readonly Result[]): Markup {
  const all = resultTable(results);
  const variants = variantsOf(results); // one a row
  // A column that no variant has a figure for is left to the note below.
  const shown = all.columns.map((_, i) => all.rows.some(({ cells }) => cells[i]!.reason === undefined));
  const columns = all.columns.filter((_, i) => shown[i]);
  const rows = all.rows.map((row) => ({ ...row, cells: row.cells.filter((_, i) => shown[i]) }));
  // Why a whole row is empty stands in the row.
  const reasons = new Set(
    all.rows
      .filter(({ failed }) => failed === undefined)
      .flatMap(({ cells }) =>
        cells.flatMap(({ reason }, i) =>
          reason === undefined ? [] : [`${all.columns[i]!.title}: ${reason}`],
        ),
      ),
  );
  const rateLine = costRateLine(results);
  const body = rows.map(({ label, pattern, valid, failed, cells }, i) => {
    const why = valid ? '' : failed === undefined ? 'does not count' : 'failed';
    return html`<tr class="${valid ? '' : 'out'}">
      <th scope="row">
        <span class="swatch" style="background:var(--c${variants[i]!.index % colorCount})"></span
        ><a href="#pattern-${pattern}">${label}</a>${why && html`<br /><span class="why">${why}</span>`}
      </th>
      ${cells.map(
        ({ text, range }) =>
          html`<td>
            ${text}${
              range === undefined || range === `${text} to ${text}` ? '' : html`<small>${range}</small>`
            }
          </td>`,
      )}
    </tr>`;
  });
  return html`<div class="scroll main" role="region" aria-label="Comparison" tabindex="0">
      <table>
        <caption>
          <span>Patterns by what they cost and how soon they deliver</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            ${columns.map(({ title }) => html`<th scope="col">${title.replace('/ ', '/\u00A0')}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>
    ${rateLine === undefined ? '' : html`<p class="dim">${rateLine}</p>`}
    ${reasons.size === 0 ? '' : html`<p class="dim">No figure for ${[...reasons].join('; ')}.</p>`}
    <details>
      <summary>What the columns mean</summary>
      <ul class="plain">
        ${columns.map(({ title, note }) => html`<li><b>${title}</b>: ${note}</li>`)}
      </ul>
    </details>`;
}
