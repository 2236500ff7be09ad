// Puts verdicts into words: of a metric, of a variant, what was not judged and why, and which runs were
// dropped.

import type {
  Comparison,
  Judged,
  JudgedMetric,
  NotJudged,
  Verdict,
} from '../../core/comparison/comparison-result.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { listNames } from '../../core/base/suggest.ts';

export const verdictWords: Readonly<Record<Verdict, string>> = {
  slower: 'slower',
  'not-slower': 'not slower',
  inconclusive: 'undecided',
  'not-judged': 'not judged',
};

export function titleOf(name: string): string {
  return metrics[name]?.title ?? name;
}

/** `sse`, or `sse -> sse @new` where the labels differ; by the names for readers where there are some. */
export function pairLabel({ called, ...labels }: Pick<Judged, 'baseline' | 'candidate' | 'called'>): string {
  const { baseline, candidate } = called ?? labels;
  return baseline === candidate ? baseline : `${baseline} -> ${candidate}`;
}

/** Latencies are slower; counts, bytes and CPU are worse. */
export function metricWord({ kind, metric }: JudgedMetric, verdict: Verdict): string {
  if (kind === 'ratio' && metric.startsWith('latency.')) return verdictWords[verdict];
  return verdictWords[verdict].replace('slower', 'worse');
}

/** A variant is slower where a latency is, and else worse; likewise where it is not. */
export function variantWord({ verdict, metrics: judged }: Pick<Judged, 'verdict' | 'metrics'>): string {
  const words = judged
    .filter((metric) => metric.verdict === verdict)
    .map((metric) => metricWord(metric, verdict));
  return words.length === 0 || words.includes(verdictWords[verdict]) ? verdictWords[verdict] : words[0]!;
}

/** The word for all of a comparison. */
export function wholeWord({ verdict, variants }: Pick<Comparison, 'verdict' | 'variants'>): string {
  return variantWord({
    verdict,
    metrics: variants.filter((one) => one.verdict === verdict).flatMap((one) => one.metrics),
  });
}

/** What of a variant was not judged, each reason once: `missed, resumed: 3 of 10 pairs lack it ...` */
export function unjudgedTexts({ metrics: judged, verdict, why }: Judged): string[] {
  const those = judged.filter((metric) => metric.verdict === 'not-judged');
  const reasons = Map.groupBy(those, (metric) => ('why' in metric && metric.why) || '');
  const texts = [...reasons].flatMap(([reason, of]) =>
    reason === '' ? [] : [`${of.map(({ metric }) => titleOf(metric)).join(', ')}: ${reason}`],
  );
  return texts.length === 0 && verdict === 'not-judged' ? [why] : texts;
}

/** What of a whole comparison was not judged, for each variant each reason once. */
export function groupNotJudged(all: readonly NotJudged[]): { judged: Judged | undefined; text: string }[] {
  const groups = Map.groupBy(all, ({ judged, why }) => `${judged ? pairLabel(judged) : ''}\n${why}`);
  return [...groups.values()].map((same) => {
    const { judged, why } = same[0]!; // a group has one
    const titles = same.flatMap(({ metric }) => (metric ? [titleOf(metric.metric)] : []));
    if (titles.length > 0) return { judged, text: `${titles.join(', ')}: ${why}` };
    return { judged, text: (judged && unjudgedTexts(judged).join('; ')) || why };
  });
}

/** The same as a sentence goes on: `sse: missed: 3 of 10 pairs lack it ...; polling: ...` */
export function notJudgedText(all: readonly NotJudged[]): string {
  const texts = groupNotJudged(all).map(({ judged, text }) =>
    judged ? `${pairLabel(judged)}: ${text}` : text,
  );
  const shown = texts.slice(0, 3).join('; ');
  return texts.length > 3 ? `${shown}; and ${texts.length - 3} more` : shown;
}

/** Which pairs or runs were dropped, and why. */
export function droppedTexts({ dropped, paired }: Judged): string[] {
  return dropped.map(({ run, why, metrics: names }) => {
    const of = names === undefined ? '' : ` for ${listNames(names.map(titleOf), 4)}`;
    return `${paired ? 'pair' : 'run'} ${run} dropped${of}: ${why}`;
  });
}
