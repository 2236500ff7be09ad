// Specifies the charts of one server: by how many subscribers each of its limits is reached, and its p99 and
// CPU over subscribers.

import type { CapacityPlan, PlanRow } from '../../core/capacity/capacity-plan.ts';
import { fullShare, limits, type Limit } from '../../core/capacity/question.ts';
import { colorOf } from '../../core/pattern/palette.ts';
import { durationAxis, lineSpec } from '../page/chart-specs.ts';
import {
  chartFrame,
  narrowWidth,
  width,
  withPoints,
  type Key,
  type Spec,
  type Unit,
} from '../page/chart-style.ts';
import { logTicks, plainLabels } from '../page/ticks.ts';
import { limitTitles } from '../summary/capacity-tables.ts';

const shapes: Readonly<Record<Limit, string>> = {
  latency: 'circle',
  cpu: 'square',
  descriptors: 'triangle-up',
  memory: 'diamond',
};
const rowHeight = 34;
const labelLimit = 130;

/** A row for each pattern; filled where the limit is known, hollow where it lies further than was looked. */
export function breaksSpec(rows: readonly PlanRow[], keys: readonly Key[]): Spec {
  const points = rows.flatMap(({ label, breaks }, i) =>
    breaks.flatMap(({ limit, subscribers, isKnown }) => {
      const tint = colorOf(keys[i]!.look); // a key for each row
      return subscribers === 0
        ? []
        : [
            {
              variant: label,
              limit: limitTitles[limit],
              subscribers,
              tint,
              fill: isKnown ? tint : 'var(--back)',
            },
          ];
    }),
  );
  const ticks = logTicks(points.map(({ subscribers }) => subscribers));
  const tint = { type: 'nominal' as const, scale: null };
  const drawn = (wide: number) => ({
    ...chartFrame(points, { step: rowHeight }, wide),
    mark: { type: 'point' as const, size: 110, strokeWidth: 2, opacity: 1 },
    encoding: {
      // A domain, not a sort: that would become an expression, with the labels in it as code.
      y: {
        field: 'variant',
        type: 'nominal' as const,
        scale: { domain: rows.map(({ label }) => label) },
        title: null,
        axis: { labelLimit, labelExpr: "split(datum.label, ' ')", grid: true },
      },
      x: {
        field: 'subscribers',
        type: 'quantitative' as const,
        title: 'subscribers of one server (logarithmic)',
        axis: { values: ticks, labelExpr: plainLabels },
        scale: { type: 'log' as const, nice: false, padding: 14 },
      },
      shape: {
        field: 'limit',
        type: 'nominal' as const,
        scale: {
          domain: limits.map((limit) => limitTitles[limit]),
          range: limits.map((limit) => shapes[limit]),
        },
        legend: {
          symbolFillColor: 'currentColor',
          symbolStrokeColor: 'currentColor',
          symbolSize: 90,
          columns: 2,
        },
      },
      stroke: { field: 'tint', ...tint },
      fill: { field: 'fill', ...tint },
    },
  });
  const still = drawn(width);
  return { still, narrow: drawn(narrowWidth), live: still };
}

type Curve = { title: string; of(point: PlanRow['curve'][number]): number | null };

/** p99 and CPU of one server; undefined where there is too little of a line. */
export function curveSpec(
  { rows, question }: Pick<CapacityPlan, 'rows' | 'question'>,
  keys: readonly Key[],
  which: 'latency' | 'cpu',
): Spec | undefined {
  const values = (of: Curve['of']) =>
    rows.flatMap(({ label, curve }) =>
      curve.flatMap((point) => {
        const value = of(point);
        return value === null || value === 0
          ? []
          : [{ variant: label, subscribers: point.subscribers, value }];
      }),
    );
  const isLatency = which === 'latency';
  const points = isLatency
    ? values(({ latencyP99Us }) => latencyP99Us && latencyP99Us / 1000)
    : values(({ cpuShare }) => 100 * cpuShare);
  if (points.length < 2) return undefined;
  const most = isLatency ? question.latencyP99Us / 1000 : 100 * fullShare;
  const x = {
    field: 'subscribers',
    type: 'quantitative' as const,
    title: 'subscribers of one server (logarithmic)',
    scale: { type: 'log' as const, nice: false, padding: 8 },
    axis: { values: logTicks(points.map(({ subscribers }) => subscribers)), labelExpr: plainLabels },
  };
  const y = isLatency
    ? durationAxis([...points.map(({ value }) => value), most])
    : {
        field: 'value',
        type: 'quantitative' as const,
        title: '% of a core',
        axis: { labelExpr: plainLabels, tickCount: 5 },
        scale: { zero: true },
      };
  const bound: Unit = {
    data: { values: [{ value: most }] },
    mark: { type: 'rule', color: 'currentColor', strokeDash: [3, 3] },
    encoding: { y },
  };
  return lineSpec(withPoints(points, keys), keys, {
    height: 240,
    encoding: { x, y },
    under: [bound],
    told: {
      x: ['subscribers', { unit: '', before: 'subscribers: ' }],
      y: ['value', isLatency ? 'duration' : { unit: '%' }],
    },
    tooltip: [
      { field: 'subscribers', title: 'subscribers', format: ',.6~r' },
      { field: 'value', title: isLatency ? 'p99, ms' : '% of a core', format: ',.4~r' },
    ],
  });
}
