// Draws the table of all variants side by side, and says what its columns mean and why figures are missing.

import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { withinRun } from '../summary/figure-text.ts';
import { resultTable, type Cell } from '../summary/summary-table.ts';
import { lineKey } from './legend.ts';
import { variantsOf } from '../summary/variants.ts';

export function comparisonTable(results: readonly Result[]): Markup {
  const all = resultTable(results);
  const variants = variantsOf(results); // one a row
  // A column that no variant has a figure for is left to the note below.
  const shown = all.columns.map((_, i) => all.rows.some(({ cells }) => cells[i]!.text !== '—'));
  const intervals = all.rows.some(({ cells }) => cells.some(({ within = '' }) => within !== ''));
  const columns = all.columns.filter((_, i) => shown[i]);
  const rows = all.rows.map((row) => ({ ...row, cells: row.cells.filter((_, i) => shown[i]) }));
  // Why a whole row is empty stands in the row.
  const missing = all.rows
    .filter(({ out }) => out === undefined)
    .flatMap(({ cells }) =>
      cells.flatMap(({ reason }, i) =>
        reason === undefined ? [] : [{ title: all.columns[i]!.title, reason }],
      ),
    );
  const reasons = [...Map.groupBy(missing, ({ reason }) => reason)].map(
    ([reason, same]) => `${[...new Set(same.map(({ title }) => title))].join(', ')}: ${reason}`,
  );
  const rateLine = costRateLine(results);
  const body = rows.map(({ label, pattern, out = '', of, cells }, i) => {
    return html`<tr class="${out === '' ? '' : 'out'}">
      <th scope="row">
        ${lineKey(variants[i]!.look)}<a href="#pattern-${pattern}">${label}</a
        >${out && html`<br /><span class="why">${out}</span>`}${
          of !== undefined && html`<small>${of}</small>`
        }
      </th>
      ${cells.map(cellMarkup)}
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
    ${intervals ? html`<p class="dim">${withinRun}</p>` : ''}
    ${rateLine === undefined ? '' : html`<p class="dim">${rateLine}</p>`}
    ${all.notes.map((note) => html`<p class="dim">${note}</p>`)}
    ${
      reasons.length === 0
        ? ''
        : html`<p class="dim">No figure, or only its lower end, for ${reasons.join('; ')}.</p>`
    }
    <details>
      <summary>What the columns mean</summary>
      <ul class="plain">
        ${columns.map(({ title, note }) => html`<li><b>${title}</b>: ${note}</li>`)}
      </ul>
    </details>`;
}

function cellMarkup({ text, range, within, of, void: isVoid }: Cell): Markup {
  if (isVoid) return html`<td class="void">${text}</td>`;
  return html`<td>
    ${text}${range === undefined || range === `${text} to ${text}` ? '' : html`<small>${range}</small>`}${
      within !== undefined && html`<small>${within}</small>`
    }${of !== undefined && html`<small>${of}</small>`}
  </td>`;
}
