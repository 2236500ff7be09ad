// Draws the report: one self-contained page, no network, complete without JavaScript. First the answer, then
// whether to believe it, then the figures: one section after the other, in the order of the list below.

import { patterns } from '../../core/pattern/registry.ts';
import { missingFrom } from '../../core/result/missing.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { answerSection } from './answer-section.ts';
import { cardTemplate } from './card.ts';
import { chartScript } from './chart-script.ts';
import { chartsSection } from './charts-section.ts';
import { curveFigures, curveKeys, isCurve } from './curves.ts';
import { docName } from './doc-name.ts';
import { faultsSection } from './faults-section.ts';
import type { Figure } from './figure.ts';
import { charted, figures } from './figures.ts';
import { headlinesOf } from '../summary/headline.ts';
import { interactiveScript } from './interactive.ts';
import { html, type Markup } from './markup.ts';
import { warningsByVariant } from '../summary/notices.ts';
import { chromiumSection, closedLoopSection, searchSection } from './searches-section.ts';
import { style } from './style.ts';
import { attemptSection } from './attempts-section.ts';
import { comparisonTable } from './comparison-table.ts';
import { expectationTable } from './expectation-table.ts';
import { resultsTable } from './results-table.ts';
import { checkTable, costTable, ledgerTable, resourceTable } from './trial-tables.ts';
import { targetsMarkup } from './targets-section.ts';
import { labelIn, resultNames, variantsOf, type VariantTrials } from '../summary/variants.ts';
import { validityStrip } from './validity-strip.ts';

/** What a section is made from. */
export type Page = {
  results: readonly Result[];
  /** What to call each of the results. */
  names: readonly string[];
  variants: readonly VariantTrials[];
  figures: readonly Figure[];
  /** The variants that the figures show, by the names they have there. */
  charted: readonly VariantTrials[];
  interactive: boolean;
};
/** A part of the page under headings of its own; nothing where it has nothing to say. */
export type Section = (page: Page) => Markup | Promise<Markup>;

/** What stands below the answer and the validity strip. */
const sections: readonly Section[] = [
  ({ results, names }) => resultsTable(results, names),
  ({ results, names }) => missingSection(results, names),
  ({ variants }) => warnings(variants),
  ({ results }) => searchSection(results),
  ({ results }) => closedLoopSection(results),
  ({ figures: drawn, variants }) => chartsSection('Curves', drawn.filter(isCurve), curveKeys(variants)),
  ({ results }) => chromiumSection(results),
  ({ results, variants }) => answerSection(results, variants),
  ({ results }) =>
    html`<h2>Side by side</h2>
      ${comparisonTable(results)}`,
  ({ results }) => expectationTable(results),
  ({ figures: drawn, charted: shown, interactive: picker }) =>
    chartsSection(
      'Charts',
      drawn.filter((figure) => !isCurve(figure)),
      shown.filter(({ out }) => !out),
      { picker },
    ),
  ({ variants }) => faultsSection(variants),
  ({ variants }) =>
    html`<h2>The ledger</h2>
      <p>
        Every delivery that the published events ask for, accounted for one by one: an event counts as missed
        only when the drain limit has passed.
      </p>
      ${ledgerTable(variants)}`,
  ({ variants }) => attemptSection(variants),
  ({ variants }) =>
    html`<h2>Requests, bytes and connections</h2>
      ${costTable(variants)}`,
  ({ variants }) =>
    html`<h2>Processes</h2>
      <p>
        Kernel socket memory is that of all TCP buffers of the host, both ends of each loopback connection;
        the socket structures (about 2.5 KB each) are in no figure.
      </p>
      ${resourceTable(variants)}`,
  ({ variants }) =>
    variants.some(({ completed }) => completed.some(({ checks }) => checks.length > 0))
      ? html`<h2>Two sides, one count</h2>
          ${checkTable(variants)}`
      : html``,
  ({ results }) => targetsMarkup(results),
  ({ results }) => notice(results),
  ({ results }) => patternsMarkup(results),
  ({ results, names }) =>
    html`${results.map((result, i) =>
      about(result, results.length > 1 ? `${result.scenario.name}: ${names[i]}` : 'This run'),
    )}`,
];

/**
 * @param interactive draw the charts again in the browser, where they can be hovered, zoomed and toggled; a
 *   page of less than 1 MB instead of less than 300 KB
 * @throws the reason of `over` when that is aborted before
 */
export async function renderHtml(
  results: readonly Result[],
  { interactive, over }: { interactive: boolean; over?: AbortSignal },
): Promise<string> {
  const variants = variantsOf(results);
  const { strip, suspect } = validityStrip(results, variants);
  const inCharts = charted(variants);
  const drawn = [
    ...(await curveFigures(variants, interactive, over)),
    ...(await figures(inCharts, interactive, over)),
  ];
  const page: Page = {
    results,
    names: resultNames(results),
    variants,
    figures: drawn,
    charted: inCharts,
    interactive,
  };
  const [first] = results as [Result, ...Result[]];
  const title = results.length === 1 ? first.scenario.name : `${results.length} results`;
  const { answer, remarks } = headlinesOf(results);
  const questions = [...new Set(results.map(({ scenario }) => scenario.question))];
  const whole = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="pushbench ${first.pushbench}" />
        <title>${title}: pushbench</title>
        <style>
          ${{ markup: style }}
        </style>
      </head>
      <body>
        <main class="${suspect ? 'suspect' : ''}">
          <h1>
            ${
              questions.length === 1
                ? questions[0]
                : `${results.length} results of ` +
                  `${new Set(results.map(({ scenario }) => scenario.name)).size} scenarios side by side`
            }
          </h1>
          <p class="headline">${answer}</p>
          ${remarks.length > 0 && html`<p class="remarks">${remarks.join(' ')}</p>`} ${strip}
          ${await Promise.all(sections.map((section) => section(page)))}
        </main>
        ${drawn.length > 0 && html`${cardTemplate(results)}${chartScript()}`}
        ${interactive ? await interactiveScript(drawn) : ''}
      </body>
    </html> `;
  return `${whole.markup.trimEnd()}\n`;
}

function warnings(variants: readonly VariantTrials[]): Markup {
  const said = warningsByVariant(variants);
  const problems = variants.flatMap(({ label: who, completed }) =>
    completed.flatMap((trial) => trial.problems.map((problem) => ({ who, ...problem }))),
  );
  if (said.length + problems.length === 0) return html``;
  return html`<h2>Read with this in mind</h2>
    <ul class="plain">
      ${said.map(
        ({ level, head, who, message }) =>
          html`<li><b class="${level === 'note' ? '' : 'bad'}">${head}</b>: ${who}: ${message}</li>`,
      )}
    </ul>
    ${
      problems.length === 0
        ? ''
        : html`<details>
            <summary>${counted(problems.length, 'kind')} of problems</summary>
            <ul class="plain">
              ${problems.map(
                ({ who, code, message, count }) =>
                  html`<li>
                    ${who}: ${message} (<code>${code}</code>, ${formatNumber(count)}
                    ${count === 1 ? 'time' : 'times'})
                  </li>`,
              )}
            </ul>
          </details>`
    }`;
}

/** Every trial that is missing, where the sentence above counts them. */
function missingSection(results: readonly Result[], names: readonly string[]): Markup {
  const all = results.flatMap((result, i) =>
    missingFrom(result).trials.map(({ name }) => labelIn(names[i]!, name)),
  );
  return all.length === 0
    ? html``
    : html`<h2>Missing trials</h2>
        <ul class="plain">
          ${all.map((name) => html`<li><b class="bad">Missing</b>: ${name}</li>`)}
        </ul>`;
}

function notice(results: readonly Result[]): Markup {
  const lines = [...new Set(results.flatMap(({ scenario }) => scenario.notice))];
  return lines.length === 0
    ? html``
    : html`<h2>What to notice</h2>
        <ul class="plain">
          ${lines.map((line) => html`<li>${line}</li>`)}
        </ul>`;
}

function patternsMarkup(results: readonly Result[]): Markup {
  const all = Object.entries(
    Object.assign({}, ...results.map((result) => result.patterns)) as Result['patterns'],
  );
  return html`<h2>The patterns</h2>
    <p class="dim">
      Each has a page in the package; <code>pushbench open</code> shows them beside the results.
    </p>
    <ul class="plain">
      ${all.map(([name, { title, how, lacks }]) => {
        const gaps = Object.entries(lacks).map(([what, why]) => `${what} (${why})`);
        return html`<li id="pattern-${name}">
          <b>${title}</b> (<code>${name}</code>):
          ${how}.${gaps.length === 0 ? '' : ` Lacks: ${gaps.join('; ')}.`}${
            Object.hasOwn(patterns, name) &&
            html` On the wire, what it costs, when to use it: ${docName(name)}.`
          }
        </li>`;
      })}
    </ul>`;
}

function about(result: Result, heading: string): Markup {
  const { scenario, environment: e, command, seed, createdAt, pushbench } = result;
  const { connect, warmup, measure, drain } = scenario.phasesMs;
  return html`<h2>${heading}</h2>
    <p>
      ${counted(scenario.subscribers, 'subscriber')}, ${counted(scenario.topics, 'topic')},
      ${counted(scenario.events, 'measured event')} to bring about
      ${counted(scenario.deliveries, 'delivery', 'deliveries')} in each trial. Phases: connect
      ${connect / 1000} s, warm-up ${warmup / 1000} s, measured ${measure / 1000} s, drain at most
      ${drain / 1000} s.${warmedUp(result)} Seed
      ${seed}.${result.state.kind === 'finished' ? '' : ' The run did not go to its end.'}
    </p>
    <p>
      ${createdAt}, pushbench ${pushbench}${e.commit === null ? '' : ` (${e.commit})`}, Node ${e.node},
      ${e.os}, kernel ${e.kernel}, ${e.cpu}, ${counted(e.cores, 'core')}, ${formatBytes(e.memoryBytes)} of
      memory${
        e.descriptorLimit === null ? '' : `, at most ${formatNumber(e.descriptorLimit)} descriptors a process`
      }.
      All processes on this one
      machine${result.targets === undefined ? '' : ', but for those of the targets'}.
    </p>
    <p>Repeat it with:</p>
    <pre tabindex="0"><code>${command}</code></pre>
    <details>
      <summary>The scenario as run</summary>
      <pre tabindex="0"><code>${scenario.source}</code></pre>
    </details>
    <p class="dim">The full result, histograms included, is result.json beside this page.</p>`;
}

/** What was sent before the warm-up phase; nothing where there was nothing. */
function warmedUp({ trials }: Result): string {
  const deliveries = trials.flatMap(({ outcome }) =>
    outcome.status === 'completed' && outcome.warmUp ? [outcome.warmUp.deliveries] : [],
  );
  if (deliveries.length === 0) return '';
  const [least, most] = [Math.min(...deliveries), Math.max(...deliveries)].map(formatNumber);
  return (
    ` Before the warm-up, bursts of ${least === most ? most : `${least} to ${most}`} deliveries ` +
    'a trial made the servers warm; they are counted nowhere.'
  );
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`;
}
