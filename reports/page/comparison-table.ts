// Draws the table of all variants side by side, losses last and always in view, and says what its columns
// mean and why figures are missing.

import { sentenceStart } from '../../core/pattern/sentence.ts';
import type { Result } from '../../core/result/result.ts';
import { html, type Markup } from './markup.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { withinRun } from '../summary/figure-text.ts';
import { listed } from '../../core/base/suggest.ts';
import { resultTable, type Cell, type Column, type Table } from '../summary/summary-table.ts';
import { lineKey } from './legend.ts';
import { offBelow, titleProperties } from './table-markup.ts';
import { variantsOf } from '../summary/variants.ts';

/** What is lost or came wrong is one column, which stays in view. */
const lossKeys = ['missed', 'duplicated', 'reordered'];
const lostTitle = 'lost';
/** The peak of descriptors is below the figure at rest, in the column of that. */
const [restKey, peakKey] = ['descriptors.added', 'descriptors.added-peak'];
const restTitle = 'descriptors';
const lostNote =
  'deliveries that had not arrived at the end of the drain period; below it those that arrived twice, or ' +
  'after a later event of their topic';

export function comparisonTable(results: readonly Result[]): Markup {
  const all = resultTable(results);
  const variants = variantsOf(results); // one a row
  // A column that no variant has a figure for is left to the note below.
  const has = (i: number) => all.rows.some(({ cells }) => cells[i]!.text !== '—');
  const peakAt = all.columns.findIndex(({ key }) => key === peakKey);
  const isShown = all.columns.map(({ key }, i) =>
    key === restKey ? has(i) || has(peakAt) : key !== peakKey && !lossKeys.includes(key) && has(i),
  );
  const losses = lossKeys.map((key) => all.columns.findIndex((column) => column.key === key));
  const intervals = all.rows.some(({ cells }) => cells.some(({ within = '' }) => within !== ''));
  const columns = all.columns
    .filter((_, i) => isShown[i])
    .map((column) => (column.key === restKey ? withPeak(column, all.columns[peakAt]!) : column));
  const rateLine = costRateLine(results);
  const body = all.rows.map(({ label, pattern, out = '', of, came, cells }, i) => {
    return html`<tr class="${out === '' ? '' : 'out'}">
      <th scope="row">
        ${lineKey(variants[i]!.look)}<a href="#pattern-${pattern}">${label}</a
        >${out && html`<br /><span class="why">${out}</span>`}${
          of !== undefined && html`<small>${of}</small>`
        }${came && html`<small>latencies of deliveries that arrived</small>`}
      </th>
      ${cells.map(
        (cell, j) =>
          isShown[j] && cellMarkup(cell, all.columns[j]!.key === restKey ? cells[peakAt] : undefined),
      )}${lostMarkup(losses.map((at) => cells[at]!))}
    </tr>`;
  });
  const titles = ['variant', ...columns.map(({ title }) => title), lostTitle];
  return html`<div
      class="scroll main blocks"
      style="${titleProperties(titles)}"
      role="region"
      aria-label="Comparison"
      tabindex="0"
    >
      <table>
        <caption>
          <span>Patterns by what they cost and how soon they deliver</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">variant</th>
            ${columns.map(({ title }) => html`<th scope="col">${title.replace('/ ', '/\u00A0')}</th>`)}
            <th scope="col" class="lost">${lostTitle}</th>
          </tr>
        </thead>
        <tbody>
          ${body}
        </tbody>
      </table>
    </div>
    ${rateLine === undefined ? '' : html`<p class="dim">${rateLine}</p>`}
    ${all.notes.map((note) => html`<p class="dim">${note}</p>`)}
    ${missingLines(all).map((line) => html`<p class="dim">${line}</p>`)}
    <details>
      <summary>What the columns mean</summary>
      <ul class="plain">
        ${columns.map(({ title, note }) => html`<li><b>${title}</b>: ${note}</li>`)}
        <li><b>${lostTitle}</b>: ${lostNote}</li>
      </ul>
      ${intervals ? html`<p class="dim">${withinRun}</p>` : ''}
    </details>`;
}

/**
 * Why figures are missing, a sentence for each reason; why some are void is among the warnings. Reasons that
 * differ only by the number that they begin with are one: `3 to 8 events beyond it; 10 are needed`.
 */
function missingLines({ columns, rows }: Table): string[] {
  const missing = rows
    .filter(({ out }) => out === undefined)
    .flatMap(({ cells }) =>
      cells.flatMap(({ reason, void: isVoid }, i) =>
        reason === undefined || isVoid ? [] : [{ title: columns[i]!.title, reason }],
      ),
    );
  const withoutNumber = (reason: string) => reason.replace(numberFirst, '').replace(/^ events? /, ' events ');
  return [...Map.groupBy(missing, ({ reason }) => withoutNumber(reason)).values()].map((same) => {
    const reason = rangeOf(same.map((one) => one.reason));
    const titles = listed([...new Set(same.map(({ title }) => title.replace(' / ', ' per ')))]);
    return reason.startsWith('needs ')
      ? `${sentenceStart(titles)} ${reason}.`
      : `No figure, or only its lower end, for ${titles}: ${reason}.`;
  });
}

const numberFirst = /^[\d,]+(?= )/;

/** One of these reasons, with the least and the largest number that they begin with. */
function rangeOf(reasons: readonly string[]): string {
  const numberOf = (reason: string) => Number((numberFirst.exec(reason)?.[0] ?? '').replaceAll(',', ''));
  const sorted = reasons.toSorted((a, b) => numberOf(a) - numberOf(b));
  const [least, most] = [sorted[0]!, sorted.at(-1)!]; // a group has a member
  return numberOf(least) === numberOf(most) ? most : `${numberFirst.exec(least)![0]} to ${most}`;
}

function withPeak(rest: Column, peak: Column): Column {
  return { ...rest, title: restTitle, note: `${rest.note}; below it ${peak.note}` };
}

function cellMarkup({ text, range, within, of, void: isVoid }: Cell, peak?: Cell): Markup {
  if (isVoid) return html`<td class="void">${text}</td>`;
  return html`<td>
    ${offBelow(text)}${range !== undefined && range !== '' && html`<small>${range}</small>`}${
      within !== undefined && html`<small>${within}</small>`
    }${of !== undefined && html`<small>${of}</small>`}${
      peak?.value !== undefined && html`<small>peak ${peak.text}</small>`
    }
  </td>`;
}

/** The missed deliveries, and below them what came twice or out of order, where any did. */
function lostMarkup([missed, ...others]: readonly Cell[]): Markup {
  const { text, value, range, of, void: isVoid } = missed!; // the first of the keys
  const words = lossKeys.slice(1);
  return html`<td class="lost ${isVoid ? 'void' : value === 0 ? 'good' : value === undefined ? '' : 'bad'}">
    ${text}${range !== undefined && range !== '' && html`<small>${range}</small>`}${
      of !== undefined && html`<small>${of}</small>`
    }${others.map(
      (cell, i) =>
        cell.value !== undefined && cell.value > 0 && html`<small>${cell.text} ${words[i]!}</small>`,
    )}
  </td>`;
}
