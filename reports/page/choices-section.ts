// Draws where the choice changes: for a matrix the best variant of each place, for a search how far each
// variant kept up, on one logarithmic axis.

import type { Result } from '../../core/result/result.ts';
import { boundsOf, type Bound, type BoundRow } from '../summary/bounds.ts';
import { besideText, choicesOf, type ChoiceCell, type Choices } from '../summary/choices.ts';
import { listed } from '../../core/base/suggest.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { colorOf } from '../../core/pattern/palette.ts';
import { gridLines, logAxis, tickRow, type LogAxis } from './log-axis.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';

/** Nothing for results without a matrix. */
export function choicesSection(variants: readonly VariantTrials[]): Markup {
  return html`${choicesOf(variants).map(choicesMarkup)}`;
}

function choicesMarkup({ name, parameter, places, rows, changes }: Choices): Markup {
  return html`<section class="choices">
    <h2>Where the choice changes${name === '' ? '' : ` (${name})`}</h2>
    ${
      changes.length === 0
        ? html`<p>
            In every metric the same pattern is best at both ends of the matrix, as far as a single run can
            tell.
          </p>`
        : html`<ul class="plain">
            ${changes.map((text) => html`<li>${text}</li>`)}
          </ul>`
    }
    ${tableMarkup(
      `The best in each metric (the lowest, or the highest where more is better), by ${parameter}; several ` +
        'if a single run cannot tell them apart; in brackets the next, and those without a figure; bold ' +
        'where the choice changes',
      [{ words: 'metric' }, ...places.map((place) => ({ words: place }))],
      rows.map(({ title, cells }) => ({ head: title, cells: cells.map(cellMarkup) })),
    )}
  </section>`;
}

function cellMarkup(cell: ChoiceCell | undefined): Markup | string {
  if (!cell) return '—';
  const { best, changed } = cell;
  const names = listed(best.labels);
  const beside = besideText(cell);
  return html`${changed ? html`<b>${names}</b>` : names}
  ${best.text}${beside !== '' && html`<small>(${beside})</small>`}`;
}

/** Nothing for results without a search. */
export function boundsSection(results: readonly Result[]): Markup {
  const bounds = boundsOf(results);
  // One result alone has these sentences as its answer, right above.
  const said = results.length > 1 || bounds.length > 1;
  return html`${bounds.map((bound, i) => boundMarkup(bound, said, `bounds-${i}`))}`;
}

function boundMarkup({ sentence, what, kept, tried, write, rows }: Bound, said: boolean, id: string): Markup {
  const axis = logAxis(tried, write);
  return html`<section class="at-load bounds">
    <h2>How far each kept up</h2>
    ${said && html`<p>${sentence}</p>`}
    <p class="dim">
      ${what}, logarithmic. The bar ends where ${kept} still held; a cross: it no longer did; a ring: the
      trial gave no figure, so the search ended there.
    </p>
    <table role="table" aria-label="How far each pattern kept up: ${what}">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">pattern</th>
          <th role="columnheader" scope="col" class="axis">kept up to${axis && tickRow(axis)}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${rows.map((row, i) => boundRow(row, axis && { ...axis, grid: gridLines(axis, id, i === 0) }, write))}
      </tbody>
    </table>
  </section>`;
}

function boundRow(
  row: BoundRow,
  axis: (LogAxis & { grid: Markup }) | undefined,
  write: (value: number) => string,
): Markup {
  const { label, look, held, broken, ended } = row;
  const words =
    [
      held === undefined ? '' : `kept up at ${write(held)}`,
      broken === undefined ? '' : `no longer at ${write(broken)}`,
      ended === undefined ? '' : `the search ended at ${write(ended)}`,
    ]
      .filter((text) => text !== '')
      .join(', ') || 'no answer';
  return html`<tr role="row" style="--own:${colorOf(look)}">
    <th role="rowheader" scope="row"><i class="dot"></i>${label}</th>
    <td role="cell" class="axis">
      ${
        axis &&
        html`<svg class="latency" width="100%" height="28" role="img">
          <title>${label}: how far it kept up</title>
          <desc>${words}</desc>
          ${axis.grid}${
            held !== undefined &&
            html`<line class="span" x1="0" x2="${axis.at(held)}%" y1="50%" y2="50%" /><circle
                class="p50"
                cx="${axis.at(held)}%"
                cy="50%"
                r="5.5"
              />`
          }${broken !== undefined && cross(axis.at(broken))}${
            ended !== undefined && html`<circle class="p99" cx="${axis.at(ended)}%" cy="50%" r="4" />`
          }
        </svg>`
      }
      <small>${words}</small>
    </td>
  </tr>`;
}

function cross(at: number): Markup {
  return html`<text class="cross" x="${at}%" y="50%" text-anchor="middle" dominant-baseline="central"
    >×</text
  >`;
}
