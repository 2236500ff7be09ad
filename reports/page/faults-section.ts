// Draws the table of faults: what the scenario made go wrong, when that was planned, and when it happened.

import type { Completed } from '../../core/result/result.ts';
import { formatNumber } from '../../core/base/units.ts';
import { letGoWords } from '../summary/away.ts';
import { faultSpans } from '../summary/fault-spans.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { plainTable } from './table-markup.ts';

/** Longer tables nobody reads; the result has them all. */
const mostRows = 200;
/** In the legend of the charts. */
const mostNamed = 4;

/** Every fault of every trial that went through; nothing where no scenario had any. */
export function faultsSection(variants: readonly Pick<VariantTrials, 'label' | 'completed'>[]): Markup {
  const timed = variants.some(({ completed }) =>
    completed.some(({ faults = [] }) => faults.some(({ tookUs }) => tookUs !== undefined)),
  );
  const drained = variants.some(({ completed }) =>
    completed.some(({ faults = [] }) => faults.some(({ letGo }) => letGo !== undefined)),
  );
  const rows = variants.flatMap(({ label, completed }) =>
    completed.flatMap((trial, i) =>
      rowsOf(trial, completed.length > 1 ? `${label} (trial ${i + 1})` : label, { timed, drained }),
    ),
  );
  if (rows.length === 0) return html``;
  return html`<h2>Faults</h2>
    <p>What the scenario made go wrong: when it was planned, and when it really happened.</p>
    ${plainTable(
      'Faults, counted from the start of the measured phase',
      [
        'variant',
        { words: 'what happened' },
        'planned at',
        'happened at',
        ...(timed ? ['took'] : []),
        ...(drained ? [{ words: 'clients let go' }] : []),
      ],
      rows.slice(0, mostRows),
      'blocks',
    )}${
      rows.length > mostRows &&
      html`<p class="dim">${formatNumber(rows.length - mostRows)} more are in result.json.</p>`
    }`;
}

/** Names the faults that the charts over time have shaded; the table has all of them. */
export function faultLegend(charted: readonly Pick<VariantTrials, 'completed'>[]): Markup {
  const spans = faultSpans(charted.flatMap(({ completed }) => completed.slice(0, 1)));
  if (spans.length === 0) return html``;
  const told = spans.slice(0, mostNamed).map(({ what, fromS }) => `${what} (at ${fromS.toFixed(1)} s)`);
  const more = spans.length - told.length;
  return html`<p class="dim">
    Faults, shaded in the charts over time:
    ${told.join('; ')}${more > 0 && html`; <a href="#faults">${formatNumber(more)} more</a>`}.
  </p>`;
}

/**
 * @param shown columns that not all reports have: whether some take their time (a server starts again, a
 * broker comes back), and whether servers were drained
 */
function rowsOf({ faults = [] }: Completed, head: string, shown: { timed: boolean; drained: boolean }) {
  return faults.map(({ did, atMs, atUs, tookUs, unfinished, why, letGo }) => ({
    head,
    cells: [
      did,
      seconds(atMs * 1000),
      atUs === null ? `did not happen${why === undefined ? '' : `: ${why}`}` : seconds(atUs),
      ...(shown.timed
        ? [tookUs === undefined ? '' : `${unfinished ? 'more than ' : ''}${seconds(tookUs)}`]
        : []),
      ...(shown.drained ? [letGo ? letGoWords([letGo]) : ''] : []),
    ],
  }));
}

/** To the millisecond: the two columns are to be told apart. */
function seconds(us: number): string {
  return `${(us / 1e6).toFixed(3)} s`;
}
