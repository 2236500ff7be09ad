// Draws the report: one self-contained page, no network, complete without JavaScript. First the answer, then
// whether to believe it, then the figures: one part after the other, in the order of the list below.

import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { about, missingSection, notice, patternsMarkup } from './about-section.ts';
import { answerSection } from './answer-section.ts';
import { atLoadSection } from './at-load-section.ts';
import { cardTemplate } from './card.ts';
import { chartScript } from './chart-script.ts';
import { chartsSection } from './charts-section.ts';
import { boundsSection, choicesSection } from './choices-section.ts';
import { curveFigures, curveKeys, isCurve } from './curves.ts';
import { faultLegend, faultsSection } from './faults-section.ts';
import type { Figure } from './figure.ts';
import { charted, figures } from './figures.ts';
import { withUnits } from '../summary/figure-text.ts';
import { headlinesOf } from '../summary/headline.ts';
import { interactiveScript } from './interactive.ts';
import { html, type Markup } from './markup.ts';
import { chromiumSection, closedLoopSection, searchSection } from './searches-section.ts';
import { style } from './style.ts';
import { attemptSection } from './attempts-section.ts';
import { comparisonTable } from './comparison-table.ts';
import { expectationTable } from './expectation-table.ts';
import { recoverySection } from './recovery-section.ts';
import { resultsTable } from './results-table.ts';
import { simulationSection } from './simulation-section.ts';
import { awayParagraph, checkTable, costTable, ledgerTable, resourceTable } from './trial-tables.ts';
import { memoryTable } from './memory-table.ts';
import { serversTable } from './servers-table.ts';
import { targetsMarkup } from './targets-section.ts';
import { isSimulated } from '../summary/simulated.ts';
import { resultNames, variantsOf, type VariantTrials } from '../summary/variants.ts';
import { contents, folded, pageTop } from './page-head.ts';
import { validityStrip } from './validity-strip.ts';
import { warningsSection } from './warnings-section.ts';

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
/** A section with its place: the id that links lead to, and what the contents call it. */
type Part = { id: string; title: string; of: Section };

/** What is below the answer and the validity strip, in this order. */
const parts: readonly Part[] = [
  {
    id: 'at-load',
    title: 'At this load',
    of: ({ results, variants }) =>
      html`${atLoadSection(results)}${choicesSection(variants)}${boundsSection(results)}`,
  },
  {
    id: 'asked',
    title: 'Answer in figures',
    of: ({ results, variants }) => answerSection(results, variants),
  },
  {
    id: 'results',
    title: 'Results',
    of: ({ results }) =>
      html`<h2>Results</h2>
        ${comparisonTable(results)}`,
  },
  {
    id: 'simulation',
    title: 'Simulation',
    of: ({ results, variants }) => simulationSection(results, variants),
  },
  { id: 'runs', title: 'Runs', of: ({ results, names }) => resultsTable(results, names) },
  { id: 'missing', title: 'Missing trials', of: ({ results, names }) => missingSection(results, names) },
  { id: 'warnings', title: 'Warnings', of: ({ variants }) => warningsSection(variants) },
  { id: 'search', title: 'Searches', of: ({ results }) => searchSection(results) },
  { id: 'closed-loop', title: 'Closed loop', of: ({ results }) => closedLoopSection(results) },
  {
    id: 'curves',
    title: 'Curves',
    of: ({ figures: drawn, variants }) => chartsSection('Curves', drawn.filter(isCurve), curveKeys(variants)),
  },
  { id: 'chromium', title: 'Chromium', of: ({ results }) => chromiumSection(results) },
  { id: 'expectations', title: 'Expectations', of: ({ results }) => expectationTable(results) },
  { id: 'notice', title: 'What to notice', of: ({ results }) => notice(results) },
  {
    id: 'charts',
    title: 'Charts',
    of: ({ interactive: picker, charted: shown, figures: drawn }) =>
      chartsSection(
        'Charts',
        drawn.filter((figure) => !isCurve(figure)),
        shown.filter(({ out }) => !out),
        { picker, note: faultLegend(shown) },
      ),
  },
  { id: 'faults', title: 'Faults', of: ({ variants }) => faultsSection(variants) },
  { id: 'recovery', title: 'Recovery', of: ({ variants }) => recoverySection(variants) },
  { id: 'attempts', title: 'Attempts', of: ({ variants }) => attemptSection(variants) },
  {
    id: 'ledger',
    title: 'Ledger',
    of: ({ variants }) =>
      folded(
        'The ledger',
        html`<p>
            Every delivery that the published events ask for is accounted for: an event counts as missed only
            after the drain period.
          </p>
          ${awayParagraph(variants)}${ledgerTable(variants)}`,
      ),
  },
  {
    id: 'costs',
    title: 'Requests and bytes',
    of: ({ variants }) => folded('Requests, bytes and connections', costTable(variants)),
  },
  {
    id: 'processes',
    title: 'Processes',
    of: ({ variants }) =>
      folded(
        'Processes',
        html`<p>
            Kernel socket memory is the memory of all TCP buffers of the host, for both ends of each loopback
            connection; the sockets themselves are in the kernel's part of the memory of idle connections.
            Server event loop: 99 % of its turns took at most this, in the slowest slot of time and on the
            slowest server.
          </p>
          ${resourceTable(variants)}${serversTable(variants)}${memoryTable(variants)}`,
      ),
  },
  {
    id: 'cross-check',
    title: 'Cross-check',
    of: ({ variants }) =>
      variants.some(({ completed }) => completed.some(({ checks }) => checks.length > 0))
        ? folded('Cross-check', checkTable(variants))
        : html``,
  },
  { id: 'targets', title: 'Targets', of: ({ results }) => targetsMarkup(results) },
  { id: 'patterns', title: 'Patterns', of: ({ results }) => patternsMarkup(results) },
  {
    id: 'about',
    title: 'About this run',
    of: ({ results, names }) =>
      html`${results.map((result, i) =>
        about(result, results.length > 1 ? `${result.scenario.name}: ${names[i]}` : 'This run'),
      )}`,
  },
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
  const title =
    (results.length === 1 ? first.scenario.name : `${results.length} results`) +
    (results.every(isSimulated) ? ', simulated' : '');
  const { answer, remarks } = headlinesOf(results);
  const questions = [...new Set(results.map(({ scenario }) => scenario.question))];
  const made = await Promise.all(
    parts.map(async ({ id, title: entry, of }) => ({ id, title: entry, body: await of(page) })),
  );
  const shown = made.filter(({ body }) => body.markup !== '');
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
        ${pageTop(results)}
        <div class="columns">
          ${contents([{ id: 'answer', title: 'Answer' }, ...shown])}
          <main class="${suspect ? 'suspect' : ''}">
            <p class="question" id="answer">
              ${
                questions.length === 1
                  ? questions[0]
                  : `${counted(results.length, 'result')} of ` +
                    `${new Set(results.map(({ scenario }) => scenario.name)).size} scenarios side by side`
              }
            </p>
            <h1 class="headline">${withUnits(answer)}</h1>
            ${remarks.length > 0 && html`<p class="remarks">${remarks.join(' ')}</p>`} ${strip}
            ${shown.map(({ id, body }) => html`<section id="${id}">${body}</section>`)}
          </main>
        </div>
        ${drawn.length > 0 && html`${cardTemplate(results)}${chartScript()}`}
        ${interactive ? await interactiveScript(drawn) : ''}
      </body>
    </html> `;
  return `${whole.markup.trimEnd()}\n`;
}
