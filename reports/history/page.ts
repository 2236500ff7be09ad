// Draws the page of a history: a chart for each metric, runs from left to right, with the changes of level
// marked and listed. It is one file without network and scripts.

import type { History, HistoryPoint, HistorySeries } from '../../core/comparison/history.ts';
import { counted } from '../../core/base/counted.ts';
import type { Unit } from '../../core/metrics/metric.ts';
import { colorOf, looksOf, patternOfLabel } from '../../core/pattern/palette.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import { chartHint, chartScript, chartValuesMarkup } from '../page/chart-script.ts';
import {
  byVariant,
  chartFrame,
  narrowWidth,
  width,
  withPoints,
  pointLayer,
  type Key,
  type Spec,
} from '../page/chart-style.ts';
import { chartValues } from '../page/chart-values.ts';
import { legendStrip } from '../page/legend.ts';
import { drawChart, type Chart } from '../page/draw-chart.ts';
import { titleOf } from '../comparison/verdict-words.ts';
import { changeText } from '../comparison/words.ts';
import { historyHeadline, historyNotes, spreadText, valueText, whenText } from './words.ts';
import { html, raw, type Markup } from '../page/markup.ts';
import { barOf } from '../page/page-head.ts';
import { style } from '../page/style.ts';

const unitNames: Readonly<Record<Unit, string>> = {
  us: 'microseconds',
  bytes: 'bytes',
  share: 'share',
  count: 'count',
  'per-s': 'a second',
};

/** Runs that a chart shows; older ones are in the table alone. */
const mostShown = 300;

/** @returns a whole HTML document */
export async function renderHistoryPage(history: History, pushbench: string): Promise<string> {
  const sections: Markup[] = [];
  const changed = (series: readonly HistorySeries[]) =>
    series.reduce((sum, { changes }) => sum + changes.length, 0);
  const byMetric = [...Map.groupBy(history.series, (one) => one.metric)].sort(
    ([, a], [, b]) => changed(b) - changed(a),
  );
  const names = [...new Set(history.series.map(({ variant }) => variant))];
  const looks = looksOf(names.map((own) => ({ own, pattern: patternOfLabel(own) })));
  const keys = names.map((label, i) => ({ label, look: looks[i]! }));
  for (const [metric, series] of byMetric) sections.push(await metricMarkup(metric, series, history, keys));
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="pushbench ${pushbench}" />
        <title>${history.scenario}, history: pushbench</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        ${barOf(history.scenario, ['trends', counted(history.sets.length, 'saved run')])}
        <main>
          <p class="question">${history.scenario} over its saved runs</p>
          <h1 class="headline">${historyHeadline(history)}</h1>
          <ul class="plain">
            ${historyNotes(history).map((text) => html`<li>${text}</li>`)}
          </ul>
          <h2>Figures</h2>
          ${legendStrip(keys)} ${chartHint}
          <div class="charts">${sections}</div>
          <h2>How change points are found</h2>
          <p>
            A change point is the place where the ranks before and after differ most. It is shown if a random
            order of the same runs would differ as much with a probability of at most one in a thousand, and
            the medians differ by more than the metric's minimum effect. This assumes that runs are
            independent: a machine that drifts for days raises false alarms. At least 14 runs are needed, and
            about 8 after a change to find it reliably, so trends gate nothing. To decide about a single
            change, run both sides alternately and compare them.
          </p>
        </main>
        ${chartScript()}
      </body>
    </html> `;
  return page.markup;
}

async function metricMarkup(
  metric: string,
  all: readonly HistorySeries[],
  history: History,
  keys: readonly Key[],
): Promise<Markup> {
  const changes = all.flatMap((series) => series.changes.map((change) => ({ series, change })));
  const title = titleOf(metric);
  const heading =
    `${sentenceStart(title)}: ` +
    (changes.length === 0 ? 'no change point' : counted(changes.length, 'change point'));
  const chart = await historyChart(title, all, history, keys);
  const table =
    changes.length === 0
      ? html``
      : html`<div class="scroll" role="region" aria-label="${`Change points of ${title}`}" tabindex="0">
          <table>
            <caption>
              Change points
            </caption>
            <thead>
              <tr>
                <th scope="col">variant</th>
                <th scope="col" class="words">from</th>
                <th scope="col" class="words">when (UTC)</th>
                ${['last before', 'first after', 'change of the medians', 'p'].map(
                  (head) => html`<th scope="col">${head}</th>`,
                )}
              </tr>
            </thead>
            <tbody>
              ${changes.map(
                ({ series, change }) =>
                  html`<tr>
                    <th scope="row">${series.variant}</th>
                    <td class="words">${change.point.name}</td>
                    <td class="words">${whenText(change)}</td>
                    <td>${valueText(series, change.before.value)}</td>
                    <td>${valueText(series, change.point.value)}</td>
                    <td class="${change.ratio > 1 ? 'bad' : 'good'}">${changeText(change.ratio)}</td>
                    <td>${change.p <= 0.0005 ? '0.0005' : '0.001'}</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>`;
  return html`<section>
    <h3>${heading}</h3>
    <figure>
      <div class="chart scroll" role="group" aria-label="${title}" tabindex="0">${raw(chart.svg)}</div>
      ${chartValuesMarkup(chart)}
      <figcaption>
        Each point is the median of a saved run's trials, with a line from the lowest to the highest; the
        oldest on the left. A triangle marks a change
        point.${
          history.sets.length > mostShown &&
          ` The newest ${mostShown} of ${history.sets.length} runs are drawn; the table has the others.`
        }
      </figcaption>
    </figure>
    ${table}
    <details>
      <summary>All points</summary>
      ${pointTable(title, all, history)}
    </details>
  </section>`;
}

function pointTable(title: string, all: readonly HistorySeries[], { sets }: History): Markup {
  const label = `${title}, every saved run`;
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table>
      <caption>
        ${label}
      </caption>
      <thead>
        <tr>
          <th scope="col">run</th>
          <th scope="col">when (UTC)</th>
          ${all.map(({ variant }) => html`<th scope="col">${variant}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${sets.map(
          ({ name, createdAt }, place) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td>${createdAt.slice(0, 16).replace('T', ' ')}</td>
              ${all.map((series) => {
                const point = series.points.find((one) => one.place === place);
                const range = point ? spreadText(series, point) : '';
                return html`<td>
                  ${point ? valueText(series, point.value) : '—'}${
                    range === '' ? '' : html`<small>${range}</small>`
                  }
                </td>`;
              })}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/**
 * Each variant against its oldest point in the chart, so that a change of one shows beside others of another
 * size; in the metric's own unit where a variant has 0.
 */
async function historyChart(
  title: string,
  all: readonly HistorySeries[],
  { sets, moves }: History,
  keys: readonly Key[],
): Promise<Chart> {
  const from = Math.max(0, sets.length - mostShown);
  const relative = all.every(({ points }) => points.every(({ value }) => value > 0));
  const own = keys.filter(({ label }) => all.some(({ variant }) => variant === label));
  const lines = all.map(({ variant, points, changes }) => {
    const shown = ({ place }: HistoryPoint) => place >= from;
    const oldest = points.find(shown)?.value ?? 1; // without one nothing is drawn
    const scaled = (value: number) => Number((relative ? 100 * (value / oldest - 1) : value).toPrecision(4));
    // The page's keys have every variant.
    const tint = colorOf(own.find(({ label }) => label === variant)!.look);
    const drawn = ({ place, value, low, high }: HistoryPoint) => ({
      variant,
      tint,
      place: place + 1,
      value: scaled(value),
      low: scaled(low),
      high: scaled(high),
    });
    return {
      rows: points.filter(shown).map(drawn),
      changes: changes
        .map(({ point }) => point)
        .filter(shown)
        .map(drawn),
    };
  });
  const rows = withPoints(
    lines.flatMap((line) => line.rows),
    own,
  );
  const changes = lines.flatMap((line) => line.changes);
  // A metric is here because it has a series.
  const name = relative ? 'percent from its oldest point' : unitNames[all[0]!.unit];
  const x = {
    field: 'place',
    type: 'quantitative' as const,
    title: 'saved runs, oldest first',
    scale: { domain: [from + 1, Math.max(from + 2, sets.length)], nice: false },
    axis: { tickMinStep: 1, format: 'd' },
  };
  const y = {
    field: 'value',
    type: 'quantitative' as const,
    title: name,
    scale: { zero: relative, padding: 8 },
    axis: { tickCount: 5, format: relative ? '+~r' : ',.4~r' },
  };
  const { color, strokeDash } = byVariant(own);
  // A colour of its own in each row: a scale for the marks would replace the scale of the lines.
  const tint = { field: 'tint', type: 'nominal' as const, scale: null };
  const spec = (wide: number) => ({
    ...chartFrame(rows as object[], 200, wide),
    layer: [
      {
        // Between the run before and the one after, so at the oldest one shown there is none.
        data: {
          values: moves.filter(({ place }) => place > from).map(({ place }) => ({ place: place + 0.5 })),
        },
        mark: { type: 'rule' as const, color: 'currentColor', strokeDash: [2, 4] },
        encoding: { x },
      },
      { mark: { type: 'line' as const }, encoding: { x, y, color, strokeDash } },
      {
        transform: [{ filter: 'datum.low !== datum.high' }],
        mark: { type: 'rule' as const, opacity: 0.35 },
        encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, stroke: tint },
      },
      { mark: { type: 'point' as const, filled: true, size: 18 }, encoding: { x, y, fill: tint } },
      pointLayer({ x, y }, 60),
      {
        data: { values: changes },
        mark: { type: 'point' as const, filled: true, shape: 'triangle-up', size: 170, opacity: 1 },
        encoding: { x, y, fill: tint },
      },
    ],
  });
  const described: Spec = {
    still: spec(width),
    narrow: spec(narrowWidth),
    live: spec(width),
    values: chartValues(rows, own, {
      x: ['place', { unit: '', before: 'run ' }],
      y: ['value', { unit: relative ? '%' : '' }],
    }),
  };
  return drawChart(
    described,
    title,
    `${title} of ${all.map(({ variant }) => variant).join(', ')} over ${sets.length} saved runs; every ` +
      'point is in the table below.',
    false,
  );
}
