// What step searches found, in words and as a table: the highest value that kept the check, for each variant.

import { magnitudeOf, shortPath } from '../../core/scenario/matrix.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { parseExpectation } from '../../core/scenario/expectations.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { html, type Markup } from '../page/markup.ts';
import { listed } from './notices.ts';
import { formatMetric } from './summary-table.ts';
import { plainTable } from '../page/page-tables.ts';
import { rateText, subscribersText } from './variants.ts';

type Search = NonNullable<Result['searches']>[number];

/** One sentence for each check and parameter; nothing for results without searches. */
export function searchSentences(results: readonly Result[]): string[] {
  const all = results.flatMap(({ searches }) => searches ?? []);
  return [...Map.groupBy(all, ({ what, keep }) => `${what}\n${keep}`).values()].map((same) => {
    const { what, keep, resolution } = same[0]!; // a group has a member
    const { scenario } = results.find(({ searches }) => searches?.includes(same[0]!))!; // it is one's
    return `Highest ${nameOf(what, scenario)} with ${keptText(keep)}: ${listed(same.map((one) => `${one.variant} ${limitText(one)}`))} (in steps of ${formatShare(Number(resolution.toFixed(2)))})`;
  });
}

export function searchSection(results: readonly Result[]): Markup {
  const all = results.flatMap(({ searches }) => searches ?? []);
  if (all.length === 0) return html``;
  const rows = all.map((one) => ({
    head: one.variant,
    cells: [one.what, one.keep, limitText(one), one.steps.map((step) => stepText(one, step)).join('; ')],
  }));
  return html`<h2>The highest load that keeps the bound</h2>
    <p>
      Each value is a short trial. A search goes up until the check breaks, then closes in; a trial that does
      not count says nothing about the server, so it ends the search (after a second try) with what had held
      until then.
    </p>
    ${plainTable('What the searches found, and each of their steps', ['variant', 'raised', 'kept', 'highest', 'steps'], rows)}`;
}

/** The same beside other forms of report: what was measured after the trials, a line each. */
export function afterTrialsLines(results: readonly Result[]): string[] {
  return results.flatMap(({ closedLoop = [], chromium }) => [
    ...closedLoop.map(
      ({ endpoint, connections, requestsPerS }) =>
        `In closed loop one server process answered ${formatNumber(Math.round(requestsPerS))} requests a second (${endpoint}; ${formatNumber(connections)} connections).`,
    ),
    ...(chromium?.status === 'skipped' ? [`In a real Chromium: skipped, ${chromium.reason}.`] : []),
    ...(chromium?.status === 'measured'
      ? [
          `In a real Chromium ${chromium.version}, pages that were answered beside their streams: ${chromium.opened.map(({ variant, pages, answered }) => `${variant} ${formatNumber(answered)} of ${formatNumber(pages)}`).join(', ')}.`,
        ]
      : []),
  ]);
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
  return html`<h2>Requests a second when clients ask as fast as they are answered</h2>
    <p>
      A closed loop shows how much one server process answers, not how late: clients that wait for their
      answers ask less when the server is slow. Where the client's share of a core is near 100 %, the client
      and not the server set the pace.
    </p>
    ${plainTable('One server process in closed loop (autocannon)', ['endpoint', 'requests a second', 'connections', 'server CPU, of a core', 'client CPU, of a core', 'errors'], rows)}`;
}

/** What pages of a real browser got, beside what the load side's browsers did. */
export function chromiumSection(results: readonly Result[]): Markup {
  return html`${results
    .flatMap(({ chromium }) => (chromium === undefined ? [] : [chromium]))
    .map((chromium) => {
      if (chromium.status === 'skipped')
        return html`<h2>In a real Chromium</h2>
          <p>Skipped: ${chromium.reason}.</p>`;
      const rows = chromium.opened.map(({ variant, pages, streams, answered }) => ({
        head: variant,
        cells: [pages, streams, answered].map(formatNumber),
      }));
      return html`<h2>In a real Chromium ${chromium.version}</h2>
        <p>
          Each page opened a stream of its own; then each asked the same host for something else, and waited
          ${formatUs(chromium.patienceMs * 1000)} for the answer.
        </p>
        ${plainTable('Pages of one browser, the streams that they got, and how many of them were answered', ['variant', 'pages', 'streams that stood', 'pages answered'], rows)}`;
    })}`;
}

function limitText({ limit, steps, like }: Search): string {
  const ended = steps.find(({ verdict }) => verdict === 'ended');
  switch (limit.kind) {
    case 'found':
      return `${written(like, limit.value)}${ended ? ` (at ${written(like, ended.value)} the load side ended it: ${ended.why})` : ''}`;
    case 'below':
      return `less than ${written(like, limit.value)}`;
    case 'none':
      return `no answer${ended ? ` (${ended.why})` : ''}`;
    case 'at-least':
      return `at least ${written(like, limit.value)}${ended ? ` (at ${written(like, ended.value)} the load side ended it: ${ended.why})` : ', the highest tried'}`;
  }
}

/** What people call it, with what stays the same; any other path by its last word. */
function nameOf(what: string, scenario: Result['scenario']): string {
  if (what === 'subscribers') return `number of subscribers of ${rateText(scenario)}`;
  return `${what.endsWith('.publish') ? 'event rate' : shortPath(what, [what])} to ${subscribersText(scenario)}`;
}

/** A bound on a percentile as people say it; any other check as it stands. */
function keptText(keep: string): string {
  const [, percent, bound] = /^latency\.p([\d.]+) < (.+)$/.exec(keep) ?? [];
  return percent === undefined
    ? keep
    : `${percent} % of deliveries within ${bound!.replace(/^([\d.]+)([a-z]+)$/, '$1 $2')}`;
}

function stepText(
  { like, keep }: Search,
  { value, verdict, measured, why }: Search['steps'][number],
): string {
  const check = parseExpectation(keep);
  const figure =
    measured === null || 'problem' in check ? '' : `, ${formatMetric(measured, metrics[check.metric]!.unit)}`;
  return `${written(like, value)} ${verdict}${figure}${why === '' ? '' : ` (${why})`}`;
}

function written(like: string, value: number): string {
  const writers: Record<string, (value: number) => string> = {
    'a second': (perS) => `${formatNumber(perS)}/s`,
    bytes: formatBytes,
    ms: (ms) => formatUs(ms * 1000),
    share: formatShare,
  };
  return (writers[magnitudeOf(like)?.unit ?? ''] ?? formatNumber)(value);
}
