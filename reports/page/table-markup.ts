// Draws a table: a caption, a row of heads, a head for each row; wide ones can be scrolled.

import { html, type Markup } from './markup.ts';

export type Row = { head: Markup | string; cells: (string | Markup)[] };

export function table(caption: string, heads: readonly string[], rows: readonly Row[]): Markup {
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ head, cells }) =>
            html`<tr>
              <th scope="row">${head}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A table to be unfolded: the figures behind a chart. */
export function figureTable(
  caption: string,
  heads: readonly string[],
  rows: readonly Row[],
  summary = 'The figures',
): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${table(caption, heads, rows)}
  </details>`;
}
