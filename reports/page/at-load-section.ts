// Draws the answer to "which pattern?" at each load: a row for each variant with its latency on one
// logarithmic axis, what it costs beside it, and a line of reasoning below. Plain SVG and HTML, no script.

import { formatUs } from '../../core/base/units.ts';
import { colorOf } from '../../core/pattern/palette.ts';
import type { Result } from '../../core/result/result.ts';
import {
  costColumns,
  loadsOf,
  missingLines,
  type AtLoad,
  type LoadColumn,
  type LoadFigure,
  type LoadRow,
} from '../summary/at-load.ts';
import { withinRun } from '../summary/figure-text.ts';
import { gridLines, logAxis, tickRow, type LogAxis } from './log-axis.ts';
import { html, type Markup } from './markup.ts';
import { offBelow } from './table-markup.ts';

/** With the lines of its ticks as a row has them. */
type RowAxis = LogAxis & { grid: Markup };

/** More loads than this are left to the tables below. */
const mostLoads = 4;

/** Nothing for a matrix or a search, whose answers are choices-section.ts. */
export function atLoadSection(results: readonly Result[]): Markup {
  const loads = loadsOf(results);
  if (loads.length === 0) return html``;
  const rest = loads.length - mostLoads;
  return html`${loads.slice(0, mostLoads).map((load, i) => loadMarkup(load, `grid-${i}`))}${
    rest > 0 &&
    html`<p class="dim">
      The figures of the other ${rest} load${rest === 1 ? '' : 's'} are in the tables below.
    </p>`
  }`;
}

function loadMarkup({ name, setting, notes, rows }: AtLoad, id: string): Markup {
  const axis = logAxis(
    rows.flatMap(({ figures }) =>
      [figures['latency.p50'], figures['latency.p99']].flatMap(({ value, low, high, atLeast }) =>
        [value, low, high, atLeast].filter((one) => one !== undefined),
      ),
    ),
    formatUs,
  );
  const several = rows.some(({ figures }) => figures['latency.p50'].range !== undefined);
  const isComputed = rows.some(({ figures }) => figures['latency.p50'].expectedError !== undefined);
  const thinLines = isComputed
    ? 'how far off the figures may be'
    : 'their 95 % intervals, or the range of several trials';
  const missing = missingLines({ rows });
  const heading = `At this load${name === '' ? '' : ` (${name})`}`;
  return html`<section class="at-load">
    <h2>${heading}: ${setting}</h2>
    <p class="dim">
      Filled dot: half of the deliveries took at most this long; open dot: 99 %; thin lines: ${thinLines}.
      Requests and traffic are those of subscribers, without publishing; CPU, descriptors and memory are the
      server's. ${notes.join(' ')}
    </p>
    <table role="table" aria-label="${heading}: latency and costs of each pattern">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">pattern</th>
          <th role="columnheader" scope="col" class="axis">
            delivery latency, logarithmic${axis && tickRow(axis)}
          </th>
          <th role="columnheader" scope="col">p50<br />p99</th>
          ${costColumns.map(({ title }) => html`<th role="columnheader" scope="col">${title}</th>`)}
          <th role="columnheader" scope="col">lost</th>
        </tr>
      </thead>
      ${rows.map((row, i) => rowMarkup(row, rows, axis && { ...axis, grid: gridLines(axis, id, i === 0) }))}
    </table>
    ${missing.length > 0 && html`<p class="dim">${missing.join(' ')}</p>`}
    ${several && html`<p class="dim">${withinRun}</p>`}
  </section>`;
}

function rowMarkup(row: LoadRow, rows: readonly LoadRow[], axis: RowAxis | undefined): Markup {
  const { label, pattern, look, came, figures, lost, reason } = row;
  const [p50, p99] = [figures['latency.p50'], figures['latency.p99']];
  return html`<tbody role="rowgroup" style="--own:${colorOf(look)}">
    <tr role="row" class="figures">
      <th role="rowheader" scope="row" rowspan="2">
        <i class="dot"></i><a href="#pattern-${pattern}">${label}</a>
      </th>
      <td role="cell" class="axis">${axis ? latencyMarkup(row, axis) : ''}</td>
      <td role="cell" class="late">
        ${percentile('p50', p50)}${percentile('p99', p99)}${
          came && html`<small>of deliveries that arrived</small>`
        }
      </td>
      ${costColumns.map(({ key }) => costMarkup(figures[key], largest(rows, key)))}
      <td role="cell" class="${lost.void ? 'void' : (lost.missed ?? 0) > 0 ? 'bad' : ''}">${lost.text}</td>
    </tr>
    <tr role="row" class="why">
      <td role="cell" colspan="${costColumns.length + 3}">${reason.text}</td>
    </tr>
  </tbody>`;
}

function largest(rows: readonly LoadRow[], key: LoadColumn): number {
  return Math.max(0, ...rows.map(({ figures }) => figures[key].value ?? 0));
}

function percentile(name: string, figure: LoadFigure): Markup {
  const text = figure.void ? html`<span class="void">void</span>` : figure.text;
  return html`<span
    ><small class="what">${name}</small> <b>${typeof text === 'string' ? offBelow(text) : text}</b>${
      figure.range !== undefined && html`<small>${figure.range}</small>`
    }</span
  >`;
}

/** A figure over a bar that is as long as its share of the largest in the column. */
function costMarkup(figure: LoadFigure, most: number): Markup {
  const { text, value, range } = figure;
  if (figure.void) return html`<td role="cell" class="void">void</td>`;
  const share = value === undefined || most === 0 ? 0 : (100 * value) / most;
  return html`<td role="cell">
    <b>${offBelow(text)}</b>${
      value !== undefined && html`<i class="bar"><i style="width:${share.toFixed(1)}%"></i></i>`
    }${range !== undefined && html`<small>${range}</small>`}
  </td>`;
}

/** From the median to the 99th percentile, each with its interval. */
function latencyMarkup({ label, figures }: LoadRow, axis: RowAxis): Markup {
  const [p50, p99] = [figures['latency.p50'], figures['latency.p99']];
  const words = [latencyWords('half', p50), latencyWords('99 %', p99)].filter((text) => text !== '');
  const dot = (figure: LoadFigure, kind: string, r: number) =>
    figure.value !== undefined &&
    html`<circle class="${kind}" cx="${axis.at(figure.value)}%" cy="14" r="${r}" />`;
  const end = p99.value ?? p99.atLeast;
  const open = p99.value === undefined ? ' open' : '';
  return html`<svg class="latency" width="100%" height="28" role="img">
    <title>${label}: delivery latency</title>
    <desc>${words.length === 0 ? `no figure: ${p50.why ?? ''}` : words.join(', ')}</desc>
    ${axis.grid}${
      p50.value !== undefined &&
      end !== undefined &&
      html`<line class="span${open}" x1="${axis.at(p50.value)}%" x2="${axis.at(end)}%" y1="14" y2="14" />`
    }${interval(p50, axis)}${interval(p99, axis)}${dot(p99, 'p99', 4)}${dot(p50, 'p50', 5.5)}
  </svg>`;
}

function interval({ low, high }: LoadFigure, axis: LogAxis): Markup | false {
  if (low === undefined || high === undefined || low === high) return false;
  const [from, to] = [axis.at(low), axis.at(high)];
  return html`<line class="within" x1="${from}%" x2="${to}%" y1="14" y2="14" />`;
}

function latencyWords(what: string, { value, text, range, atLeast }: LoadFigure): string {
  if (value !== undefined) return `${what} within ${text}${range === undefined ? '' : ` (${range})`}`;
  return atLeast === undefined ? '' : `${what} within ${text}`;
}
