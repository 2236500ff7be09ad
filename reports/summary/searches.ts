// Says what step searches found, in words: the highest value that kept the check, for each variant.

import { eachSecond, magnitudeOf } from '../../core/scenario/matrix.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { parseExpectation } from '../../core/metrics/check.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { listed } from '../../core/base/suggest.ts';
import { variantNames, type VariantNames } from './names.ts';
import { rateText, subscribersText } from './variants.ts';
import { reasonsText } from './warnings.ts';

type Search = NonNullable<Result['searches']>[number];

/** One sentence, without its full stop, for each check and parameter; none for results without searches. */
export function searchSentences(results: readonly Result[]): string[] {
  const called = variantNames(results);
  return searchGroups(results).map(({ searches, scenario }) => {
    const { what, keep } = searches[0]!; // a group has a member
    const said = [...Map.groupBy(searches, (one) => keptUpText(one)).entries()]
      .map(([text, same]) => `${whoOf(same, searches.length, called)} ${text}`)
      .join('; ');
    const where = what === 'subscribers' ? `at ${rateText(scenario)}` : `to ${subscribersText(scenario)}`;
    return `${said} (${keptText(keep)}, ${where})`;
  });
}

/** The searches of one parameter and one check, each with the scenario that they are of. */
export function searchGroups(
  results: readonly Result[],
): { searches: Search[]; result: Result; scenario: Result['scenario'] }[] {
  const all = results.flatMap((result) => (result.searches ?? []).map((search) => ({ search, result })));
  const groups = Map.groupBy(
    all,
    ({ search: { what, keep }, result }) => `${results.indexOf(result)}\n${what}\n${keep}`,
  );
  return [...groups.values()].map((same) => {
    const { result } = same[0]!; // a group has a member
    return { searches: same.map(({ search }) => search), result, scenario: result.scenario };
  });
}

/** @param of how many searches there are */
function whoOf(same: readonly Search[], of: number, called: VariantNames): string {
  if (same.length < of || of === 1) return listed(same.map(({ variant }) => called.of(variant)));
  return of === 2 ? 'Both' : `All ${of}`;
}

/** `kept up at 400/s, the highest rate tried` */
function keptUpText({ limit, steps, like, what }: Search): string {
  const ended = endText({ steps, like });
  switch (limit.kind) {
    case 'found':
      return (
        `kept up at ${written(like, limit.value)} and no longer at ${written(like, limit.brokenAt)}` +
        (ended && ` (${ended})`)
      );
    case 'at-least':
      return (
        `kept up at ${written(like, limit.value)}, the highest ${nounOf(what)} ` +
        (ended ? `that gave a figure (${ended})` : 'tried')
      );
    case 'below':
      return `did not keep up at ${written(like, limit.value)}, the lowest ${nounOf(what)} tried`;
    case 'none':
      return `gave no answer${ended && ` (${ended})`}`;
  }
}

/** Longer reasons are a sentence of their own, in {@link endLines}. */
const longestReason = 90;
const isLong = (why: string) => reasonsText(why).length > longestReason;
const endOf = ({ steps }: Pick<Search, 'steps'>) => steps.find(({ verdict }) => verdict === 'ended');

/** `the search ended at 800/s: load limited`; empty where it did not end so. */
function endText({ steps, like }: Pick<Search, 'steps' | 'like'>): string {
  const ended = endOf({ steps });
  if (!ended) return '';
  const why = isLong(ended.why) ? '' : `: ${reasonsText(ended.why)}`;
  return `the search ended at ${written(like, ended.value)}${why}`;
}

/** Why searches ended, where the reason is too long for a sentence about something else. */
export function endLines(results: readonly Result[]): string[] {
  const lines = results
    .flatMap(({ searches = [] }) => searches)
    .flatMap((search) => {
      const ended = endOf(search);
      if (!ended || !isLong(ended.why)) return [];
      return [`Why the search ended at ${written(search.like, ended.value)}: ${reasonsText(ended.why)}.`];
    });
  return [...new Set(lines)];
}

function nounOf(what: string): string {
  if (what === 'subscribers') return 'number';
  return what.endsWith('.publish') ? 'rate' : 'value';
}

/** The same beside other forms of report: why searches ended, and what was measured after the trials. */
export function afterTrialsLines(results: readonly Result[]): string[] {
  const beside = results.flatMap(({ closedLoop = [], chromium }) => [
    ...closedLoop.map(
      ({ endpoint, connections, requestsPerS }) =>
        `In closed loop one server process answered ${formatNumber(Math.round(requestsPerS))} requests ` +
        `per second (${endpoint}; ${formatNumber(connections)} connections).`,
    ),
    ...(chromium?.status === 'skipped' ? [`In a real Chromium: skipped, ${chromium.reason}.`] : []),
    ...(chromium?.status === 'measured'
      ? [
          `In a real Chromium ${chromium.version}, pages that were answered beside their streams: ` +
            chromium.opened
              .map(
                ({ variant, pages, answered }) =>
                  `${variant} ${formatNumber(answered)} of ${formatNumber(pages)}`,
              )
              .join(', ') +
            '.',
        ]
      : []),
  ]);
  return [...endLines(results), ...beside];
}

export function limitText({ limit, steps, like }: Search): string {
  const ended = endText({ steps, like });
  switch (limit.kind) {
    case 'found':
      return `${written(like, limit.value)}${ended && ` (${ended})`}`;
    case 'below':
      return `less than ${written(like, limit.value)}`;
    case 'none':
      return `no answer${ended && ` (${ended})`}`;
    case 'at-least':
      return `at least ${written(like, limit.value)} (${ended || 'the highest tried'})`;
  }
}

/** A bound on a percentile as people say it; any other check as it stands. */
export function keptText(keep: string): string {
  const [, point, percent, bound] = /^latency\.(mean|p([\d.]+)) < (.+)$/.exec(keep) ?? [];
  if (bound === undefined) return keep;
  const within = `within ${bound.replace(/^([\d.]+)([a-z]+)$/, '$1 $2')}`;
  return point === 'mean' ? `deliveries ${within} on average` : `${percent} % of deliveries ${within}`;
}

export function stepText(
  { like, keep }: Search,
  { value, verdict, measured, why }: Search['steps'][number],
): string {
  const check = parseExpectation(keep);
  const figure =
    measured === null || 'problem' in check ? '' : `, ${formatMetric(measured, metrics[check.metric]!.unit)}`;
  const reason = why === '' || isLong(why) ? '' : ` (${reasonsText(why)})`;
  return `${written(like, value)} ${verdict}${figure}${reason}`;
}

/** A value as the scenario writes it, for people. */
export function written(like: string, value: number): string {
  const writers: Record<string, (value: number) => string> = {
    'a second': (perS) => `${formatNumber(perS)}/s`,
    [eachSecond]: (perS) => `${formatNumber(perS)}/s each`,
    bytes: formatBytes,
    ms: (ms) => formatUs(ms * 1000),
    share: formatShare,
  };
  return (writers[magnitudeOf(like)?.unit ?? ''] ?? formatNumber)(value);
}
