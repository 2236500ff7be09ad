// Lays values out on a logarithmic axis in percent of its width, so that one drawing fits every screen.

import { html, type Markup } from './markup.ts';
import { logTicks } from './ticks.ts';

export type LogAxis = {
  /** Where a value lies, in percent of the width. */
  at(value: number): number;
  ticks: { at: number; text: string }[];
};

/** Room on both sides, in percent, for marks and the letters of the outer ticks. */
const margin = 5;
/** Axes are at least this wide, as a ratio: values that are close would fill the whole of one. */
const leastRatio = 4;
/** Ticks nearer than this, in percent, would write over one another on a phone. */
const tickGap = 15;

/** @param write how a tick reads; @returns undefined where nothing positive is to be shown */
export function logAxis(values: readonly number[], write: (value: number) => string): LogAxis | undefined {
  const shown = values.filter((value) => value > 0 && Number.isFinite(value));
  if (shown.length === 0) return undefined;
  const [least, most] = [Math.min(...shown), Math.max(...shown)];
  const widen = Math.sqrt(Math.max(1, leastRatio / (most / least)));
  const [from, to] = [Math.log(least / widen), Math.log(most * widen)];
  const at = (value: number) => {
    const share = (Math.log(Math.max(value, least / widen)) - from) / (to - from);
    return Number((margin + (100 - 2 * margin) * share).toFixed(2));
  };
  const ticks = logTicks([least / widen, most * widen]).map((value) => ({
    at: at(value),
    text: write(value),
  }));
  const apart: typeof ticks = [];
  for (const tick of ticks) if (tick.at - (apart.at(-1)?.at ?? -tickGap) >= tickGap) apart.push(tick);
  return { at, ticks: apart };
}

/** The lines of the ticks, behind each row: drawn in the first one, and used again in the others. */
export function gridLines({ ticks }: LogAxis, id: string, first: boolean): Markup {
  if (!first) return html`<use href="#${id}" />`;
  return html`<g id="${id}">
    ${ticks.map(({ at }) => html`<line class="grid" x1="${at}%" x2="${at}%" y1="0" y2="100%" />`)}
  </g>`;
}

/** What the ticks say, as a row of its own; rows have their figures in words, so nothing is read out. */
export function tickRow({ ticks }: LogAxis): Markup {
  return html`<span class="ticks" aria-hidden="true"
    >${ticks.map(({ at, text }) => html`<span style="left:${at}%">${text}</span>`)}</span
  >`;
}
