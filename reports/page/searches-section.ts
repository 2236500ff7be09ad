// Draws what was measured beside the trials: step searches, closed loops, pages in a real Chromium.

import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import type { Result } from '../../core/result/result.ts';
import { variantNames } from '../summary/names.ts';
import { endLines, limitText, stepText } from '../summary/searches.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';

export function searchSection(results: readonly Result[]): Markup {
  const [all, called] = [results.flatMap(({ searches }) => searches ?? []), variantNames(results)];
  if (all.length === 0) return html``;
  const rows = all.map((one) => ({
    head: called.of(one.variant),
    cells: [one.what, one.keep, limitText(one), one.steps.map((step) => stepText(one, step)).join('; ')],
  }));
  return html`<h2>The highest load that keeps the bound</h2>
    <p>
      Each value is a short trial. A search goes up until the check fails, then closes in. A trial whose
      figure is void says nothing about the server, so it ends the search (after a second try) with the last
      value that passed.
    </p>
    ${tableMarkup(
      'What the searches found, and each of their steps',
      ['variant', { words: 'raised' }, { words: 'kept' }, { words: 'highest' }, { words: 'steps' }],
      rows,
    )}${endLines(results).map((line) => html`<p>${line}</p>`)}`;
}

/** What one server process answered in closed loop. */
export function closedLoopSection(results: readonly Result[]): Markup {
  const all = results.flatMap(({ closedLoop }) => closedLoop ?? []);
  if (all.length === 0) return html``;
  const rows = all.map(({ endpoint, connections, requestsPerS, serverCpuShare, clientCpuShare, errors }) => ({
    head: endpoint,
    cells: [
      `${formatNumber(Math.round(requestsPerS))}/s`,
      formatNumber(connections),
      formatShare(serverCpuShare),
      formatShare(clientCpuShare),
      formatNumber(errors),
    ],
  }));
  return html`<h2>Requests per second in closed loop</h2>
    <p>
      Clients ask again as soon as they are answered, so a closed loop shows how much one server process
      answers, not how late. Where the client's share of a core is near 100 %, the client and not the server
      set the pace.
    </p>
    ${tableMarkup(
      'One server process in closed loop (autocannon)',
      [
        'endpoint',
        'requests per second',
        'connections',
        'server CPU, of a core',
        'client CPU, of a core',
        'errors',
      ],
      rows,
    )}`;
}

/** What pages of a real browser got, beside what the load side's browsers did. */
export function chromiumSection(results: readonly Result[]): Markup {
  const called = variantNames(results);
  return html`${results
    .flatMap(({ chromium }) => (chromium === undefined ? [] : [chromium]))
    .map((chromium) => {
      if (chromium.status === 'skipped')
        return html`<h2>In a real Chromium</h2>
          <p>Skipped: ${chromium.reason}.</p>`;
      const rows = chromium.opened.map(({ variant, pages, streams, answered }) => ({
        head: called.of(variant),
        cells: [pages, streams, answered].map(formatNumber),
      }));
      return html`<h2>In a real Chromium ${chromium.version}</h2>
        <p>
          Each page opened a stream of its own; then each asked the same host for something else, and waited
          ${formatUs(chromium.patienceMs * 1000)} for the answer.
        </p>
        ${tableMarkup(
          'Pages of one browser, the streams that they got, and how many of them were answered',
          ['variant', 'pages', 'streams opened', 'pages answered'],
          rows,
        )}`;
    })}`;
}
