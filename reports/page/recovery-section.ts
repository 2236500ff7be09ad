// Draws the table of clients that were away: who was cut off or left, who came back and how, how soon, and
// how many came at once. Nothing where nobody was away.

import { figureOf, metrics } from '../../core/metrics/registry.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { absenceCauses } from '../../core/result/recovery.ts';
import type { Completed } from '../../core/result/result.ts';
import { voidedBy } from '../../core/result/voids.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { listed } from '../../core/base/suggest.ts';
import { absencesEach, causeWords } from '../summary/away.ts';
import { noFigureText } from '../summary/figure-text.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { plainTable, type Row } from './table-markup.ts';

/** Longer tables nobody reads; the result has them all. */
const mostRows = 100;

const captionOf = (what: string) => `Clients that were ${what} in the measured phase and the drain`;

const times = ['reconnect.p50', 'recovery.p50', 'recovery.p95', 'recovery.p99', 'recovery.max'];
/** Columns that are left out where nobody has anything in them. */
const mayGo = new Set(['no cursor', 'p95', 'p99']);
const heads = [
  'clients',
  'absences',
  'recovered',
  'too late',
  'no cursor',
  'never back',
  'back, p50',
  'caught up, p50',
  'p95',
  'p99',
  'max',
  'downtime, all',
  'connects/s',
  'refused',
];

export function recoverySection(variants: readonly Pick<VariantTrials, 'label' | 'completed'>[]): Markup {
  const causes = absenceCauses.filter((cause) =>
    variants.some(({ completed }) => completed.some(({ recovery }) => recovery?.[cause])),
  );
  // Where nobody left, all rows are of those that were cut off.
  const only = causes.length === 1 ? causes[0] : undefined;
  const rows = variants.flatMap(({ label, completed }) =>
    completed.flatMap((trial, i) =>
      rowsOf(trial, completed.length > 1 ? `${label} (trial ${i + 1})` : label, only),
    ),
  );
  if (rows.length === 0) return html``;
  const policies = [
    ...new Set(
      variants.flatMap(({ completed }) =>
        completed.flatMap(({ recovery }) => (recovery?.cut ? recovery.policy : [])),
      ),
    ),
  ];
  return html`<h2>Who was cut off, and who came back</h2>
    <p>
      An absence lasts from the moment a client knows that it was cut off until it is back (connected again).
      It has caught up when it has received the last of the events that it had missed.
      ${policies.length > 0 && `Clients that were cut off came back by ${listed(policies)}.`} Percentiles are
      over the absences of this run, those of catching up over the absences that recovered. Clients that one
      fault cuts off share its moment, so another fault may give other figures. Connects are those of the
      busiest second.
    </p>
    ${tableOf(only === 'cut' ? 'cut off' : 'away', rows.slice(0, mostRows))}${
      rows.length > mostRows &&
      html`<p class="dim">${formatNumber(rows.length - mostRows)} more are in result.json.</p>`
    }`;
}

/** Without the columns in which nobody has anything. */
function tableOf(what: string, rows: readonly Row[]): Markup {
  const shown = heads.map(
    (head, i) => !mayGo.has(head) || rows.some(({ cells }) => !['0', '—'].includes(String(cells[i - 1]))),
  );
  return plainTable(
    captionOf(what),
    heads.filter((_, i) => shown[i]),
    rows.map(({ head, cells }) => ({ head, cells: cells.filter((_, i) => shown[i + 1]) })),
    'blocks',
  );
}

/** @param only the cause that all rows of the table have */
function rowsOf(trial: Completed, head: string, only?: keyof typeof causeWords): Row[] {
  const { recovery } = trial;
  if (!recovery) return [];
  const spoilt = voidedBy(['connections'], trial);
  const causes = absenceCauses.filter((cause) => recovery[cause]);
  return causes.map((cause, i): Row => {
    const group = recovery[cause]!; // it is one of these
    const who = only === cause ? head : `${head}, ${causeWords[cause]}`;
    const { absences, recovered, tooLate, fresh, neverBack, downtimeUs } = group;
    if (spoilt.length > 0)
      return { head: who, cells: heads.slice(1).map(() => html`<span class="void">void</span>`) };
    const { peakPerS, refused } = recovery.connects;
    return {
      head: who,
      cells: [
        formatNumber(absences) + eachText(absencesEach(recovery, cause)),
        ...[recovered, tooLate, fresh, neverBack].map(formatNumber),
        ...times.map((name) => (cause === 'cut' ? timeText(name, trial) : '—')),
        formatUs(downtimeUs),
        // Of all clients, so they stand once.
        ...(i === 0 ? [peakPerS, refused].map(formatNumber) : ['', '']),
      ],
    };
  });
}

function eachText(absencesOfOne = 1): string {
  return absencesOfOne === 1 ? '' : ` (${absencesOfOne.toFixed(1)} each)`;
}

function timeText(name: string, trial: Completed): string {
  const figure = figureOf(name, trial);
  const { unit } = metrics[name]!;
  return figure.value === undefined ? noFigureText(figure, unit) : formatMetric(figure.value, unit);
}
