// Draws the page of a comparison: the answer, what it depends on, and for each variant the table, every
// pair's ratio, and both sides' latency curves. It is one file without network and scripts.

import { sentenceStart } from '../../core/pattern/sentence.ts';
import type { Comparison, Judged } from '../../core/comparison/comparison-result.ts';
import { figureOf } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { formatShare } from '../../core/base/units.ts';
import { overlayChart, ratioChart } from './charts.ts';
import {
  circumstances,
  comparisonHeadline,
  countedText,
  intervalTitle,
  toldOf,
  type MetricRow,
} from './words.ts';
import { droppedTexts, pairLabel, variantWord } from './verdict-words.ts';
import { html, raw, type Markup } from '../page/markup.ts';
import { chartHint, chartScript, chartValuesMarkup } from '../page/chart-script.ts';
import type { Key } from '../page/chart-style.ts';
import type { Chart } from '../page/draw-chart.ts';
import { legendStrip } from '../page/legend.ts';
import { barOf, whenText } from '../page/page-head.ts';
import { style } from '../page/style.ts';
import { headroomText } from '../summary/figure-text.ts';

/** The results that the comparison was made of; without those of a side there are no latency curves. */
export type Behind = { baseline: readonly Result[]; candidate: readonly Result[] };

const none: Behind = { baseline: [], candidate: [] };

/**
 * @returns a whole HTML document
 * @throws the reason of `over` when that is aborted before
 */
export async function renderComparisonPage(
  comparison: Comparison,
  behind: Behind = none,
  over?: AbortSignal,
): Promise<string> {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="pushbench ${comparison.candidate.pushbench}" />
        <title>${comparison.scenario}, compared: pushbench</title>
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        ${barOf(comparison.scenario, ['comparison', whenText(comparison.createdAt)])}
        <main>
          <p class="question">
            ${comparison.scenario}: ${comparison.candidate.name} against ${comparison.baseline.name}
          </p>
          ${await comparisonMarkup(comparison, behind, over)}
          <p class="dim">
            Compared ${comparison.createdAt.slice(0, 19).replace('T', ' ')} UTC. Baseline of
            ${sideText(comparison.baseline)}; candidate of
            ${sideText(comparison.candidate)}.${repeatMarkup(behind)}
          </p>
        </main>
        ${chartScript()}
      </body>
    </html> `;
  return page.markup;
}

async function comparisonMarkup(
  comparison: Comparison,
  behind: Behind = none,
  over?: AbortSignal,
): Promise<Markup> {
  const { advisory, other } = circumstances(comparison);
  const variants: Markup[] = [];
  // One after the other: drawing takes the time, and a page may have dozens.
  for (const judged of comparison.variants)
    variants.push(await variantMarkup(judged, comparison, behind, over));
  return html`<h1 class="headline">${comparisonHeadline(comparison)}</h1>
    ${strip(comparison, behind)}
    ${
      advisory.length + other.length === 0
        ? ''
        : html`<h2>Warnings</h2>
            <ul class="plain">
              ${advisory.map(
                (text) => html`<li><b class="bad">Advisory</b>: ${text}.</li>`,
              )}${other.map((text) => html`<li>${text}</li>`)}
            </ul>`
    }
    ${chartHint} ${variants}
    <h2>How it is decided</h2>
    <p>
      A run gives one figure, and each pair of runs a ratio. The estimate is the Hodges-Lehmann median of
      their logarithms. The interval and p come from the exact one-sided Wilcoxon signed-rank test: p is the
      probability of ratios at least this much worse if nothing has changed, corrected by Holm over all gating
      metrics; each end of the interval is a one-sided bound. <b>Slower</b> (for counts <b>worse</b>) needs
      both a p below ${comparison.rule.alpha} and ${comparison.rule.strict ? 'an interval' : 'an estimate'}
      above the minimum effect; <b>not slower</b> needs the upper end below it; a metric that shows neither is
      <b>undecided</b>. A metric without enough valid runs is <b>not judged</b>. Counts are compared directly.
      Runs that did not alternate are compared with the Mann-Whitney test, which is only advisory.
    </p>`;
}

/** Where both sides were made by one command, that and the order in which it ran them. */
function repeatMarkup({ baseline: [first], candidate: [second] }: Behind): Markup {
  if (!first?.order || first.arm === undefined || first.command !== second?.command) return html``;
  return html` Trials alternated in balanced blocks, with seed ${first.order.seed}; repeat it with
    <code>${first.command}</code>.`;
}

function sideText({ createdAt, pushbench, commit }: Comparison['baseline']): string {
  return (
    `${createdAt.slice(0, 19).replace('T', ' ')}, pushbench ` +
    `${pushbench}${commit === null ? '' : ` (${commit})`}`
  );
}

function strip({ variants, advisory }: Comparison, { baseline, candidate }: Behind): Markup {
  const headrooms = [...baseline, ...candidate].flatMap(({ trials }) =>
    trials.flatMap(({ outcome }) =>
      outcome.status === 'completed' ? (figureOf('headroom', outcome).value ?? []) : [],
    ),
  );
  return html`<dl class="strip">
    ${variants.map((judged) => {
      const wrong = judged.verdict === 'slower' || judged.verdict === 'not-judged';
      const mark = wrong ? '✗ ' : judged.verdict === 'not-slower' ? '✓ ' : '';
      return html`<div class="${wrong ? 'wrong' : ''}">
        <dt>${pairLabel(judged)}, ${countedText(judged)}</dt>
        <dd class="${wrong ? 'bad' : judged.verdict === 'not-slower' ? 'good' : ''}">
          ${mark}${variantWord(judged)}
        </dd>
      </div>`;
    })}
    <div>
      <dt>Timings</dt>
      <dd>${advisory.length === 0 ? 'interleaved runs' : 'advisory'}</dd>
    </div>
    ${headrooms.length === 0 ? '' : headroomMarkup(Math.min(...headrooms))}
  </dl>`;
}

/** Below 1 there was no room: the load generator was overloaded. */
function headroomMarkup(headroom: number): Markup {
  return headroom < 1
    ? html`<div class="wrong">
        <dt>Load generator headroom</dt>
        <dd class="bad">✗ ${headroomText(headroom)}: overloaded</dd>
      </div>`
    : html`<div>
        <dt>Load generator headroom</dt>
        <dd>${headroomText(headroom)}</dd>
      </div>`;
}

async function variantMarkup(
  judged: Judged,
  comparison: Comparison,
  behind: Behind,
  over?: AbortSignal,
): Promise<Markup> {
  const label = pairLabel(judged);
  const dropped = droppedTexts(judged).map((text) => html`<li>${text}</li>`);
  const [ratios, overlay] = [
    await ratioChart(judged, over),
    await overlayChart(judged, comparison, behind, over),
  ];
  return html`<section>
    <h2>${label}: ${variantWord(judged)}</h2>
    <p>
      ${
        // The table tells what was not judged, where there is one.
        judged.verdict === 'inconclusive' || judged.metrics.length === 0 ? html`${sentence(judged.why)} ` : ''
      }${countedText(judged)}
      counted.
    </p>
    ${
      dropped.length === 0
        ? ''
        : html`<details>
            <summary>${dropped.length} dropped</summary>
            <ul class="plain">
              ${dropped}
            </ul>
          </details>`
    }
    ${judged.metrics.length === 0 ? '' : metricTable(judged, intervalTitle(comparison))}
    <div class="charts">
      ${figure(
        ratios,
        `Changes of ${label}`,
        `${judged.paired ? 'Each dot is one pair of runs. ' : ''}The line is the interval, the large mark ` +
          'the estimate, the shaded band the change that does not matter. Slower or worse means: the ' +
          'estimate lies right of its band, and chance does not explain it.',
      )}
      ${figure(
        overlay?.chart,
        `Latency of ${label}`,
        'All runs of each side together; the verdict comes from the single runs. Lines end where fewer ' +
          'than 100 deliveries were slower.',
        overlay?.keys,
      )}
    </div>
  </section>`;
}

function sentence(text: string): string {
  return `${sentenceStart(text)}.`;
}

/** @param keys of a chart of lines: its legend */
function figure(chart: Chart | undefined, label: string, reading: string, keys: readonly Key[] = []): Markup {
  return chart
    ? html`<figure>
        ${legendStrip(keys)}
        <div class="chart scroll" role="group" aria-label="${label}" tabindex="0">${raw(chart.svg)}</div>
        ${chartValuesMarkup(chart)}
        <figcaption>${reading}</figcaption>
      </figure>`
    : html``;
}

function metricTable(judged: Judged, interval: string): Markup {
  const label = `Metrics of ${pairLabel(judged)}`;
  const { rows, rest } = toldOf(judged);
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
      <table>
        <caption>
          ${label}: medians of the runs with the lowest and the highest, and the
          change${judged.paired ? ' pair by pair' : ''}
        </caption>
        <thead>
          <tr>
            ${['metric', 'baseline', 'candidate', 'change', interval, 'p (Holm)', 'minimum effect'].map(
              (head) => html`<th scope="col">${head}</th>`,
            )}
            <th scope="col" class="words">verdict</th>
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (row) =>
              html`<tr>
                <th scope="row">${row.title}</th>
                <td>${row.baseline}${ranged(row.baselineRange)}</td>
                <td>${row.candidate}${ranged(row.candidateRange)}</td>
                <td>${row.change}</td>
                <td>${row.interval}</td>
                <td>${row.p}</td>
                <td>${mattersFrom(row)}</td>
                <td class="words">${verdictMarkup(row)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${rest.length === 0 ? '' : html`<p class="dim">${rest.join(' ')}</p>`}`;
}

function ranged(range: string): Markup {
  return range === '' ? html`` : html`<small>${range}</small>`;
}

function mattersFrom({ metric }: MetricRow): string {
  if (metric.kind === 'ratio') return `+${formatShare(metric.minimumEffect)}`;
  return metric.kind === 'exact' ? `+${metric.tolerance}` : metric.kind === 'loss' ? 'any' : '';
}

function verdictMarkup({ metric, verdict, marked }: MetricRow): Markup {
  const open =
    metric.kind === 'ratio' && metric.runsNeeded !== null
      ? html`<small>about ${counted(metric.runsNeeded, 'run')} per side</small>`
      : '';
  return html`<span
      class="${
        metric.verdict === 'slower' ? 'bad' : metric.verdict === 'not-slower' && !marked ? 'good' : ''
      }"
      >${verdict}</span
    >${open}`;
}
