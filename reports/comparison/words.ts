// Puts a comparison into words and figures, once for terminal, page, Markdown and the formats for CI.

import {
  notJudgedIn,
  worseIn,
  type Comparison,
  type Judged,
  type JudgedMetric,
} from '../../core/comparison/comparison-result.ts';
import type { Unit } from '../../core/metrics/metric.ts';
import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { rangeText } from '../summary/figure-text.ts';
import { ofOneVariant } from '../summary/names.ts';
import { metricWord, notJudgedText, pairLabel, titleOf, unjudgedTexts } from './verdict-words.ts';

export type MetricRow = {
  title: string;
  /** Medians over the runs; means of losses. */
  baseline: string;
  candidate: string;
  /** The lowest to the highest run of each side; empty where they read alike. */
  baselineRange: string;
  candidateRange: string;
  change: string;
  /** Of the change; empty where a metric has none. */
  interval: string;
  p: string;
  verdict: string;
  metric: JudgedMetric;
  /** A reader should look here: worse, or changed where nothing should. */
  marked: boolean;
};

/** `1.146` -> `+14.6 %`. */
export function changeText(ratio: number): string {
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) >= 100 ? percent.toFixed(0) : percent.toFixed(1);
  return Number(digits) === 0 ? '0.0 %' : `${percent > 0 ? '+' : ''}${digits} %`;
}

function pText(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

/** Losses are means over the runs, and one of a dozen runs may have had them. */
function figureText(metric: Exclude<JudgedMetric, { kind: 'absent' }>, value: number): string {
  return `${formatMetric(value, metric.unit)}${metric.kind === 'loss' && value !== 0 ? ' per run' : ''}`;
}

function signed(value: number, unit: Unit): string {
  return `${value > 0 ? '+' : ''}${formatMetric(value, unit)}`;
}

export function rowsOf({ metrics: judged }: Judged): MetricRow[] {
  return judged.map((metric): MetricRow => {
    const title = titleOf(metric.metric);
    const marked = metric.verdict === 'slower' || (metric.kind === 'exact' && metric.changed);
    if (metric.kind === 'absent')
      return {
        title,
        baseline: '—',
        candidate: '—',
        baselineRange: '',
        candidateRange: '',
        change: metric.verdict === null ? metric.why : 'no figure',
        interval: '',
        p: '',
        verdict: metric.verdict === null ? 'left out' : metricWord(metric, metric.verdict),
        metric,
        marked,
      };
    const { baseline, candidate, ranges, unit } = metric;
    const ends = {
      title,
      baseline: figureText(metric, baseline),
      candidate: figureText(metric, candidate),
      metric,
      marked,
      baselineRange: rangeText(ranges.baseline, unit),
      candidateRange: rangeText(ranges.candidate, unit),
    };
    if (metric.kind === 'ratio') {
      const interval =
        metric.low === null || metric.high === null
          ? 'too few runs'
          : `${changeText(metric.low)} to ${changeText(metric.high)}`;
      return {
        ...ends,
        change: changeText(metric.ratio),
        interval,
        p: metric.pAdjusted === null ? '' : pText(metric.pAdjusted),
        verdict: metric.verdict === null ? 'shown only' : metricWord(metric, metric.verdict),
      };
    }
    const difference = metric.candidate - metric.baseline;
    const change =
      (metric.kind === 'exact' && !metric.changed) || difference === 0
        ? 'the same'
        : signed(difference, metric.unit);
    return { ...ends, change, interval: '', p: '', verdict: metricWord(metric, metric.verdict) };
  });
}

/**
 * Rows to show one by one, and sentences on the rest: metrics without a figure, and
 * losses that neither side has.
 */
export function toldOf(judged: Judged): { rows: MetricRow[]; rest: string[] } {
  const all = rowsOf(judged);
  const isZero = ({ metric }: MetricRow) =>
    metric.kind === 'loss' && metric.baseline === 0 && metric.candidate === 0;
  const isAbsent = ({ metric }: MetricRow) => metric.kind === 'absent' && metric.verdict === null;
  const zero = all.filter(isZero).map(({ title }) => title);
  const rest = [
    ...(zero.length === 0 ? [] : [`None on either side: ${listed(zero)}.`]),
    ...all.filter(isAbsent).map(({ title, change }) => `No figure for ${title}: ${change}.`),
    ...unjudgedTexts(judged).map((text) => `Not judged: ${text}.`),
    ...cameTexts(judged),
    ...awayTexts(judged),
  ];
  return { rows: all.filter((row) => !isZero(row) && !isAbsent(row)), rest };
}

/** Where both sides lost deliveries and their latencies are compared all the same. */
function cameTexts({ metrics: judged }: Judged): string[] {
  return judged.some((metric) => 'ofWhatCame' in metric && metric.ofWhatCame)
    ? ['Both sides lost deliveries: their latencies are of the deliveries that arrived.']
    : [];
}

/** Where deliveries were missed: how long clients were away. */
function awayTexts({ away = {} }: Judged): string[] {
  return (['baseline', 'candidate'] as const).flatMap((side) =>
    away[side] === undefined ? [] : [`Where the ${side} missed deliveries, ${away[side]}.`],
  );
}

/** The answer in one sentence. */
export function comparisonHeadline(comparison: Comparison): string {
  const { verdict, baseline, candidate } = comparison;
  const against = `${candidate.name} against ${baseline.name}`;
  if (comparison.cut !== undefined) return `Not judged, ${against}: the run was cut short. ${comparison.cut}`;
  const unjudged = notJudgedIn(comparison);
  const worse = worseIn(comparison);
  if (worse.length > 0) {
    const list = worse
      .slice(0, 3)
      .map(({ judged, metric }) => `${pairLabel(judged)}: ${worseText(metric)}`)
      .join('; ');
    const more = worse.length > 3 ? ` and ${worse.length - 3} more` : '';
    const proven = worse.some(({ binding }) => binding)
      ? ''
      : ' This is advisory: the warnings say why timings prove nothing here.';
    const lost = worse
      .slice(0, 3)
      .flatMap(({ judged: { away }, metric }) => (metric.metric === 'missed' ? (away?.candidate ?? []) : []));
    const away = lost.length === 0 ? '' : ` Where the candidate missed deliveries, ${lost.join('; ')}.`;
    const besides = unjudged.length === 0 ? '' : ` Not judged: ${notJudgedText(unjudged)}.`;
    return `Worse, ${against}: ${list}${more}.${away}${proven}${besides}`;
  }
  if (unjudged.length > 0) return `Not judged, ${against}: ${notJudgedText(unjudged)}.`;
  if (verdict === 'not-slower')
    return `Not slower, ${against}: no gating metric got worse by more than its minimum effect.`;
  return (
    `Undecided, ${against}: no metric is shown to be worse, but for some it cannot be ruled out.` +
    neededText(comparison)
  );
}

/** One metric that is worse: `server CPU per delivery +31.9 % (+20.1 % to +44.7 %)`. */
export function worseText(metric: JudgedMetric): string {
  const title = titleOf(metric.metric);
  if (metric.kind === 'absent') return title;
  if (metric.kind === 'ratio') {
    return (
      `${title} ${changeText(metric.ratio)}` +
      (metric.low === null || metric.high === null
        ? ''
        : ` (${changeText(metric.low)} to ${changeText(metric.high)})`)
    );
  }
  return (
    `${title} ${figureText(metric, metric.candidate)} where it was ` +
    `${figureText(metric, metric.baseline)}`
  );
}

/** What would decide it: the largest number that any open metric asks for, where any does. */
function neededText({ variants }: Comparison): string {
  const open = variants
    .flatMap(({ metrics: judged }) => judged)
    .filter((metric) => metric.kind === 'ratio' && metric.verdict === 'inconclusive');
  const needed = open.flatMap((metric) =>
    metric.kind === 'ratio' && metric.runsNeeded !== null ? [metric.runsNeeded] : [],
  );
  if (needed.length === 0) return '';
  return (
    ` About ${counted(Math.max(...needed), 'run')} per side would probably decide ` +
    `${needed.length === open.length ? 'it' : 'most of it'}.`
  );
}

/**
 * `90 % interval`, each end of which is a one-sided bound of 95 %; or what each of several looks has.
 * Earlier versions bounded both ends together.
 */
export function intervalTitle({ rule, version }: Pick<Comparison, 'rule' | 'version'>): string {
  return `${formatNumber(100 * (1 - (version === 2 ? 1 : 2) * rule.alpha))} % interval`;
}

/** How the runs were counted: `12 of 12 pairs`. */
export function countedText({ paired, counted: done, given }: Judged): string {
  return `${done} of ${counted(given, paired ? 'pair' : 'run')}`;
}

/** What the reader has to know of the conditions, a sentence each. */
export function circumstances(comparison: Comparison): {
  advisory: string[];
  other: string[];
} {
  const { advisory, differences, unmatched, rule, baseline, candidate, variant } = comparison;
  const left = (name: string, labels: readonly string[]) =>
    labels.length === 0 ? [] : [`Only in ${name}: ${labels.join(', ')}.`];
  return {
    advisory: advisory.map(({ message }) => message),
    other: [
      ...(variant === undefined ? [] : [ofOneVariant(variant)]),
      ...differences.map(
        ({ what, baseline: from, candidate: to }) =>
          `${what}: ${from} in ${baseline.name}, ${to} in ${candidate.name}.`,
      ),
      ...left(baseline.name, unmatched.baseline),
      ...left(candidate.name, unmatched.candidate),
      ...(rule.strict ? ['Strict: "slower" only if the whole interval lies above the minimum effect.'] : []),
      ...(rule.looks > 1
        ? [`Look ${rule.look} of ${rule.looks} declared beforehand, each at a level of ${rule.alpha}.`]
        : []),
    ],
  };
}
