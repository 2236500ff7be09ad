// Draws a table: a caption, a row of heads, a head for each row; wide ones can be scrolled.

import { html, type Markup } from './markup.ts';

/** A column of figures is set to the right, one of words to the left. */
export type Head = string | { words: string };
export type Row = { head: Markup | string; cells: (string | Markup)[] };

/**
 * @param more classes beside that of what can be scrolled: `main` keeps the heads of rows in view, `blocks`
 *   makes a block of each row on a narrow screen, whose cells have their titles with them
 */
export function tableMarkup(
  caption: string,
  heads: readonly Head[],
  rows: readonly Row[],
  more = '',
): Markup {
  const titles = heads.map((head) => (typeof head === 'string' ? head : head.words));
  return html`<div
    class="scroll${more && ` ${more}`}"
    ${more.includes('blocks') && html`style="${titleProperties(titles)}"`}
    role="region"
    aria-label="${caption}"
    tabindex="0"
  >
    <table>
      <caption>
        <span>${caption}</span>
      </caption>
      <thead>
        <tr>
          ${heads.map((head) =>
            typeof head === 'string'
              ? html`<th scope="col">${head}</th>`
              : html`<th scope="col" class="words">${head.words}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ head, cells }) =>
            html`<tr>
              <th scope="row">${head}</th>
              ${cells.map((cell, i) => cellMarkup(cell, heads[i + 1] ?? ''))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function cellMarkup(cell: string | Markup, head: Head): Markup {
  return typeof head === 'object' ? html`<td class="words">${cell}</td>` : html`<td>${cell}</td>`;
}

/** A figure with its expected error (`3.1 ms ±12 %`) below it, so that columns stay narrow. */
export function offBelow(text: string): Markup | string {
  const at = text.indexOf(' ±');
  return at < 0 ? text : html`${text.slice(0, at)} <small>${text.slice(at + 1)}</small>`;
}

/** The most columns whose titles a table of blocks shows in its cells. */
const mostTitles = 24;

/**
 * The titles of a table of blocks, as properties of CSS that its cells show on a narrow screen. They stand
 * once in a table, as attributes of the cells would make pages a good deal larger.
 * @param titles of all columns; the first is for the heads of the rows
 */
export function titleProperties(titles: readonly string[]): string {
  return titles
    .slice(1, mostTitles)
    .map((title, i) => `--c${i + 2}:${cssString(title)};`)
    .join('');
}

/** What shows the titles that `titleProperties` writes. */
export const titleRules = Array.from(
  { length: mostTitles - 1 },
  (_, i) => `.blocks td:nth-child(${i + 2})::before { content: var(--c${i + 2}); }`,
).join(' ');

/** CSS Syntax 3, section 4.3.7: what would end the string is written as a code point in hex. */
function cssString(text: string): string {
  return `'${text.replace(/[\\'"<>\p{Cc}]/gu, (one) => `\\${one.codePointAt(0)!.toString(16)} `)}'`;
}

/**
 * A table without the columns that say the same in every row: its caption says it once.
 * @param more as of tableMarkup
 */
export function plainTable(caption: string, heads: readonly Head[], rows: readonly Row[], more = ''): Markup {
  const [first, ...others] = rows;
  const same = heads.map((_, i) => {
    const cell = first?.cells[i - 1];
    return (
      others.length > 0 && typeof cell === 'string' && others.every(({ cells }) => cells[i - 1] === cell)
    );
  });
  // Rows of nothing but a head would be no table.
  if (!same.includes(true) || same.slice(1).every(Boolean)) return tableMarkup(caption, heads, rows, more);
  const told = heads.flatMap((head, i) => {
    const cell = first!.cells[i - 1]; // a column that is the same has a row
    return same[i] && cell !== ''
      ? [`${typeof head === 'string' ? head : head.words} (${String(cell)})`]
      : [];
  });
  const left = heads.filter((_, i) => !same[i]);
  return tableMarkup(
    `${caption}. Equal in all rows: ${told.join('; ')}`,
    left,
    rows.map(({ head, cells }) => ({ head, cells: cells.filter((_, i) => !same[i + 1]) })),
    more,
  );
}

/** A table to be unfolded: the figures behind a chart. */
export function figureTable(
  caption: string,
  heads: readonly Head[],
  rows: readonly Row[],
  summary = 'The figures',
): Markup {
  return html`<details>
    <summary>${summary}</summary>
    ${tableMarkup(caption, heads, rows)}
  </details>`;
}
