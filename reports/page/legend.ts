// Draws the one legend of all charts of a section, and the key of a line: its colour, its dash, the shape of
// its points.

import { colorOf, dashOf, pointShapes, type Look, type PointShape } from '../../core/pattern/palette.ts';
import type { Key } from './chart-style.ts';
import { html, type Markup } from './markup.ts';

/** Outlines around the middle, about 8 wide. */
const outlines: Readonly<Record<PointShape, string>> = {
  circle: 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0',
  square: 'M-3.3-3.3h6.6v6.6h-6.6z',
  'triangle-up': 'M0-4.3L4.2 3.3h-8.4z',
  diamond: 'M0-4.8L3.6 0L0 4.8L-3.6 0z',
  cross: 'M-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z',
  'triangle-down': 'M0 4.3L4.2-3.3h-8.4z',
  'triangle-left': 'M-4.3 0L3.3-4.2v8.4z',
  'triangle-right': 'M4.3 0L-3.3-4.2v8.4z',
};

/** The shape as an outline; none for the first one, which lines have no points of. */
export function outlineOf({ shape }: Look): string | undefined {
  return shape === pointShapes[0] ? undefined : outlines[shape];
}

export function lineKey(look: Look): Markup {
  const outline = outlineOf(look);
  return html`<svg class="key" viewBox="0 -5 34 10" style="color:${colorOf(look)}" aria-hidden="true">
    <path d="M0 0h34" stroke-dasharray="${dashOf(look.pattern).join(' ')}" />
    ${outline !== undefined && html`<path d="${outline}" transform="translate(17)" />`}
  </svg>`;
}

/** @param pickable with boxes to tick, which a script shows */
export function legendStrip(keys: readonly Key[], pickable = false): Markup {
  if (keys.length === 0) return html``;
  return html`<div
    class="legend${keys.length > mostSticky ? ' long' : ''}"
    role="group"
    aria-label="Legend of the charts"
    tabindex="0"
  >
    <ul>
      ${keys.map(({ label, look }) =>
        pickable
          ? html`<li>
              <label
                ><input type="checkbox" checked value="${label}" hidden /> ${lineKey(look)}${label}</label
              >
            </li>`
          : html`<li>${lineKey(look)}${label}</li>`,
      )}
    </ul>
  </div>`;
}

/** A legend of more lines than this takes too much of the screen to stay in sight. */
const mostSticky = 12;
