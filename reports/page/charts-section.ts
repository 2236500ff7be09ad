// Draws the section of charts: one legend for all of them, then each under the sentence that it shows, two a
// row where there is room.

import { chartHint, chartValuesMarkup } from './chart-script.ts';
import type { Key } from './chart-style.ts';
import type { Figure } from './figure.ts';
import { legendStrip } from './legend.ts';
import { html, type Markup } from './markup.ts';

/**
 * @param keys the lines in them, by the names they have there
 * @param picker with boxes to tick in the legend, for charts that are drawn again in the browser
 * @param note what else the legend has to say
 */
export function chartsSection(
  title: string,
  figures: readonly Figure[],
  keys: readonly Key[],
  { picker = false, note = html`` }: { picker?: boolean; note?: Markup } = {},
): Markup {
  if (figures.length === 0) return html``;
  return html`<section class="chart-section">
    <h2>${title}</h2>
    ${picker ? html`<div id="picker">${legendStrip(keys, true)}${pickerHint}</div>` : legendStrip(keys)}
    ${note}${chartHint}
    <div class="charts">${figures.map(figureMarkup)}</div>
  </section>`;
}

const pickerHint = html`<p class="dim" hidden>
  Point at a line for its figures. Drag a chart sideways to move it, hold Alt and turn the wheel to zoom,
  double-click to go back. Untick a variant to take it out of the charts.
</p>`;

/** A chart under its heading, with how to read it and its figures. */
export function figureMarkup({ id, heading, reading, chart, data }: Figure): Markup {
  return html`<section>
    <h3>${heading}</h3>
    ${
      chart &&
      html`<figure id="${id}">
        <div class="chart scroll" role="group" aria-label="${heading}" tabindex="0">
          ${{ markup: chart.svg }}
        </div>
        ${chartValuesMarkup(chart)}
        <figcaption>${reading}</figcaption>
      </figure>`
    }${data}
  </section>`;
}
