// Says what step searches found, in words: the highest value that kept the check, for each variant.

import { eachSecond, magnitudeOf, shortPath } from '../../core/scenario/matrix.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { parseExpectation } from '../../core/metrics/check.ts';
import type { Result } from '../../core/result/result.ts';
import { formatBytes, formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { listed } from '../../core/base/suggest.ts';
import { variantNames, type VariantNames } from './names.ts';
import { rateText, subscribersText } from './variants.ts';

type Search = NonNullable<Result['searches']>[number];

/** A sentence or two for each check and parameter; nothing for results without searches. */
export function searchSentences(results: readonly Result[]): string[] {
  const called = variantNames(results);
  const all = results.flatMap(({ searches }) => searches ?? []);
  return [...Map.groupBy(all, ({ what, keep }) => `${what}\n${keep}`).values()].map((same) => {
    const { what, keep, resolution } = same[0]!; // a group has a member
    const { scenario } = results.find(({ searches }) => searches?.includes(same[0]!))!; // it is one's
    const whole = wholeSentence(same, scenario, called);
    if (whole !== undefined) return `${whole}. The bound was ${keptText(keep)}`;
    const found = same.some(({ limit }) => limit.kind === 'found');
    return (
      `Highest ${nameOf(what, scenario)} with ${keptText(keep)}: ` +
      listed(same.map((one) => `${called.of(one.variant)} ${limitText(one)}`)) +
      (found ? ` (in steps of ${formatShare(Number(resolution.toFixed(2)))})` : '')
    );
  });
}

/** Where every variant kept up with the highest value that was tried: `Both kept up at 400/s ...`. */
function wholeSentence(
  same: readonly Search[],
  scenario: Result['scenario'],
  called: VariantNames,
): string | undefined {
  const [{ limit, like, what }] = same as [Search, ...Search[]]; // a group has a member
  const isHighestTried = ({ limit: own, steps }: Search) =>
    own.kind === 'at-least' &&
    own.value === (limit.kind === 'at-least' ? limit.value : undefined) &&
    steps.every(({ verdict }) => verdict !== 'ended');
  if (limit.kind !== 'at-least' || !same.every(isHighestTried)) return undefined;
  const who =
    same.length === 1
      ? called.of(same[0]!.variant)
      : same.length === 2
        ? 'Both'
        : `All ${formatNumber(same.length)} variants`;
  const value = written(like, limit.value);
  if (what === 'subscribers')
    return `${who} kept up with ${value} subscribers, the most tried (${rateText(scenario)})`;
  return `${who} kept up at ${value}, the highest ${what.endsWith('.publish') ? 'rate' : 'value'} tried`;
}

/** The same beside other forms of report: what was measured after the trials, a line each. */
export function afterTrialsLines(results: readonly Result[]): string[] {
  return results.flatMap(({ closedLoop = [], chromium }) => [
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
}

export function limitText({ limit, steps, like }: Search): string {
  const ended = steps.find(({ verdict }) => verdict === 'ended');
  switch (limit.kind) {
    case 'found':
      return (
        `${written(like, limit.value)}` +
        (ended ? ` (the search ended at ${written(like, ended.value)}: ${ended.why})` : '')
      );
    case 'below':
      return `less than ${written(like, limit.value)}`;
    case 'none':
      return `no answer${ended ? ` (${ended.why})` : ''}`;
    case 'at-least':
      return (
        `at least ${written(like, limit.value)}` +
        (ended
          ? ` (the search ended at ${written(like, ended.value)}: ${ended.why})`
          : ' (the highest tried)')
      );
  }
}

/** What people call it, with what stays the same; any other path by its last word. */
function nameOf(what: string, scenario: Result['scenario']): string {
  if (what === 'subscribers') return `number of subscribers of ${rateText(scenario)}`;
  return (
    `${what.endsWith('.publish') ? 'event rate' : shortPath(what, [what])} ` +
    `to ${subscribersText(scenario)}`
  );
}

/** A bound on a percentile as people say it; any other check as it stands. */
function keptText(keep: string): string {
  const [, percent, bound] = /^latency\.p([\d.]+) < (.+)$/.exec(keep) ?? [];
  return percent === undefined
    ? keep
    : `${percent} % of deliveries within ${bound!.replace(/^([\d.]+)([a-z]+)$/, '$1 $2')}`;
}

export function stepText(
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
    [eachSecond]: (perS) => `${formatNumber(perS)}/s each`,
    bytes: formatBytes,
    ms: (ms) => formatUs(ms * 1000),
    share: formatShare,
  };
  return (writers[magnitudeOf(like)?.unit ?? ''] ?? formatNumber)(value);
}
