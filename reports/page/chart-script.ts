// Brings the script of pages with charts: values at the pointer, buttons that copy. It is part of the page,
// and what it shows is in the page without it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Chart } from './draw-chart.ts';
import { html, raw, scriptJson, type Markup } from './markup.ts';

/** Without what only people read of it; no text in it goes over a line. */
export const chartScriptText = readFileSync(join(import.meta.dirname, 'client/charts.js'), 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('//'))
  .join('\n');

/** Stands behind the charts. */
export function chartScript(): Markup {
  return scriptElement(chartScriptText);
}

/** A script of ours, exactly: `pushbench open` allows it by the hash of its text. */
export function scriptElement(text: string): Markup {
  return raw(`<script>${text}</script>`);
}

/** What a chart's lines are, for the script; nothing of a chart without lines. */
export function chartValuesMarkup({ values }: Chart): Markup {
  return values
    ? html`<script type="application/json" class="chart-values">
        ${scriptJson(values)}
      </script>`
    : html``;
}

/** Shown where the script runs. */
export const chartHint = html`<p class="dim chart-hint" hidden>
  Point at a chart for its values, or go to it with the Tab key and use the arrow keys.
</p>`;
