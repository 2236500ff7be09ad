// Draws a comparison's charts: each pair's ratio with the estimate and its interval, and the latency curves
// of both sides one over the other.

import type { Comparison, Judged } from '../../core/comparison/comparison-result.ts';
import { looksOf, patternOfLabel } from '../../core/pattern/palette.ts';
import { trialsFor } from '../../core/metrics/registry.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { tailPoints } from '../summary/chart-data.ts';
import { tailSpec } from '../page/chart-specs.ts';
import { chartFrame, labelLimit, narrowWidth, width, type Key, type Spec } from '../page/chart-style.ts';
import { drawChart, type Chart } from '../page/draw-chart.ts';
import { pairLabel, titleOf } from './verdict-words.ts';

type RatioMetric = Extract<Judged['metrics'][number], { kind: 'ratio' }>;
type Ratio = {
  metric: string;
  change: number;
  /** Its place in the row, so that dots of like ratios stand apart. */ pair: number;
};

/**
 * Changes of the pairs, in percent, metric by metric; the band is what does not matter.
 * @returns `undefined` without any ratio
 */
export async function ratioChart(judged: Judged, over?: AbortSignal): Promise<Chart | undefined> {
  const ratios = judged.metrics.filter((metric): metric is RatioMetric => metric.kind === 'ratio');
  if (ratios.length === 0) return undefined;
  const label = pairLabel(judged);
  const description =
    `For ${label}, the change of each metric${judged.paired ? ', pair by pair' : ''}, with its estimate, ` +
    'interval and minimum effect; the figures are in the table above.';
  return drawChart(ratioSpec(ratios), `Changes of ${label}`, description, false, over);
}

/** A title in lines that leave room for the chart. */
const brokenLabel = "split(replace(datum.label, ' per ', '|per '), /, |[|]/)";

const percent = (ratio: number) => Number(((ratio - 1) * 100).toFixed(3));

function ratioSpec(ratios: readonly RatioMetric[]): Spec {
  const dots = ratios.flatMap(({ metric, ratios: own }): Ratio[] =>
    own.map((ratio, pair) => ({ metric: titleOf(metric), change: percent(ratio), pair })),
  );
  const bands = ratios.map(({ metric, minimumEffect }) => ({
    metric: titleOf(metric),
    from: percent(1 / (1 + minimumEffect)),
    to: percent(1 + minimumEffect),
  }));
  const intervals = ratios.flatMap(({ metric, low, high }) =>
    low === null || high === null ? [] : [{ metric: titleOf(metric), from: percent(low), to: percent(high) }],
  );
  const estimates = ratios.map(({ metric, ratio, verdict }) => ({
    metric: titleOf(metric),
    change: percent(ratio),
    what: verdict === 'slower' ? 'estimate, worse' : 'estimate',
  }));
  const metric = {
    field: 'metric',
    type: 'nominal' as const,
    scale: { domain: ratios.map((one) => titleOf(one.metric)), padding: 0.3 },
    title: null,
  };
  const kinds = ['one pair', 'estimate', 'estimate, worse'].filter((kind) =>
    kind === 'one pair' ? dots.length > 0 : estimates.some(({ what }) => what === kind),
  );
  const styles: Record<string, [shape: string, color: string]> = {
    'one pair': ['circle', 'var(--dim)'],
    estimate: ['diamond', 'var(--text)'],
    'estimate, worse': ['triangle-right', 'var(--bad)'],
  };
  const scale = (which: 0 | 1) => ({ domain: kinds, range: kinds.map((kind) => styles[kind]![which]) });
  const point = (size: number, opacity: number) => ({ type: 'point' as const, filled: true, size, opacity });
  const drawn = (wide: number, limit: number, title: string, tickCount: number) => {
    const y = {
      ...metric,
      axis: { labelLimit: limit, labelExpr: brokenLabel },
    };
    const x = (field: string) => ({
      field,
      type: 'quantitative' as const,
      title,
      axis: { format: '+~r', tickCount },
      scale: { zero: true, padding: 12 },
    });
    const encoded = {
      y,
      x: x('change'),
      shape: { field: 'what', type: 'nominal' as const, scale: scale(0) },
      color: { field: 'what', type: 'nominal' as const, scale: scale(1) },
    };
    return {
      ...chartFrame([] as object[], { step: 46 }, wide),
      layer: [
        {
          data: { values: bands },
          mark: { type: 'bar' as const, color: 'currentColor', opacity: 0.1 },
          encoding: { y, x: x('from'), x2: { field: 'to' } },
        },
        {
          data: { values: [{ at: 0 }] },
          mark: { type: 'rule' as const, color: 'currentColor' },
          encoding: { x: x('at') },
        },
        {
          data: { values: intervals },
          mark: { type: 'rule' as const, color: 'currentColor', size: 2.5 },
          encoding: { y, x: x('from'), x2: { field: 'to' } },
        },
        {
          data: { values: dots.map((dot) => ({ ...dot, what: 'one pair' })) },
          mark: point(55, 0.55),
          encoding: {
            ...encoded,
            yOffset: { field: 'pair', type: 'quantitative' as const, scale: { zero: false, padding: 4 } },
          },
        },
        { data: { values: estimates }, mark: point(150, 1), encoding: encoded },
      ],
    };
  };
  const spec = drawn(width, labelLimit, 'change from baseline to candidate, percent (right is worse)', 7);
  return {
    still: spec,
    narrow: drawn(narrowWidth, labelLimit, 'change, percent (right is worse)', 4),
    live: spec,
  };
}

/**
 * Latency by percentile of both sides, all their runs together.
 * @returns `undefined` where too few deliveries came
 */
export async function overlayChart(
  judged: Judged,
  comparison: Comparison,
  behind: { baseline: readonly Result[]; candidate: readonly Result[] },
  over?: AbortSignal,
): Promise<{ chart: Chart; keys: Key[] } | undefined> {
  const sides = [
    {
      label: `baseline: ${comparison.baseline.name}`,
      completed: countedTrials(behind.baseline, judged.baseline),
    },
    {
      label: `candidate: ${comparison.candidate.name}`,
      completed: countedTrials(behind.candidate, judged.candidate),
    },
  ];
  const points = tailPoints(sides);
  if (sides.some(({ label }) => !points.some(({ variant }) => variant === label))) return undefined;
  // Two shades where both are of one pattern.
  const looks = looksOf(
    sides.map(({ label }, i) => ({
      own: label,
      pattern: patternOfLabel(i === 0 ? judged.baseline : judged.candidate),
    })),
  );
  const keys = sides.map(({ label }, i) => ({ label, look: looks[i]! }));
  const title = `Delivery latency by percentile, ${pairLabel(judged)}`;
  const chart = await drawChart(
    tailSpec(points, keys),
    title,
    `Delivery latency by percentile of the baseline and the candidate, ${pairLabel(judged)}; the figures ` +
      'of the gated percentiles are in the table above.',
    false,
    over,
  );
  return { chart, keys };
}

function countedTrials(results: readonly Result[], label: string): Completed[] {
  const completed = results.flatMap(({ trials }) =>
    trials.flatMap(({ variant, outcome }) =>
      variant.label === label && outcome.status === 'completed' ? [outcome] : [],
    ),
  );
  return trialsFor({ rests: ['latency'] }, completed);
}
