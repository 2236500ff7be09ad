// Specifies the report's charts in Vega-Lite: latency by percentile, a figure over time, receivers of an
// event, and lines in general.

import { colorOf } from '../../core/pattern/palette.ts';
import type { Receiver, TailPoint, TimePoint } from '../summary/chart-data.ts';
import { durationTicks, textsAt, timeTicks, timeUnit } from './chart-axes.ts';
import {
  byVariant,
  chartFrame,
  labelLimit,
  narrowLines,
  narrowWidth,
  pointLayer,
  toggled,
  width,
  withPoints,
  type Encoding,
  type Key,
  type Pointed,
  type Spec,
  type Unit,
} from './chart-style.ts';
import { chartValues, type Told } from './chart-values.ts';
import { plainLabels } from './ticks.ts';

type Row = { variant: string; run?: number } & Pointed;

const narrowLabelLimit = 130;

/** Latency by percentile on a logarithmic tail axis. */
export function tailSpec(points: readonly TailPoint[], variants: readonly Key[]): Spec {
  const encoding = {
    x: {
      field: 'tail',
      type: 'quantitative' as const,
      scale: { type: 'log' as const, nice: false },
      title: 'share that took at most this long',
      axis: {
        values: [1, 2, 10, 100, 1000, 10_000, 100_000, 1_000_000],
        labelExpr:
          "datum.value == 1 ? 'fastest' : datum.value == 2 ? '50 %' : " +
          "format(100 - 100 / datum.value, '.6~f') + ' %'",
      },
    },
    y: durations('ms', points),
  };
  return lineSpec(withPoints(points, variants), variants, {
    height: 240,
    encoding,
    told: { x: ['tail', 'share'], y: ['ms', 'duration'] },
    tooltip: [
      { field: 'share', title: 'took at most' },
      { field: 'ms', title: 'ms', format: ',.4~r' },
    ],
  });
}

/**
 * One figure over time; the measured phase starts at 0, what is left of it is the warm-up.
 * @param unit what values are said in; durations are milliseconds, on a logarithmic axis
 * @param timeScale of {@link timeUnit}
 */
export function timeSpec(
  points: readonly TimePoint[],
  variants: readonly Key[],
  { title, unit, axis: [from, to], timeScale }: TimePanel,
): Spec {
  const time = timeUnit([from, to], timeScale);
  const ticks = timeTicks([from, to], time);
  const name = timeScale === 1 ? time.name : `${time.name} of the scaled clock`;
  const encoding = {
    x: {
      field: 'atS',
      type: 'quantitative' as const,
      title: from < 0 ? `${name} (shaded: warm-up)` : name,
      scale: { domain: [from, to], nice: false },
      axis: { values: ticks.map(({ value }) => value), labelExpr: textsAt(ticks) },
    },
    y:
      unit === 'duration'
        ? durations('value', points)
        : {
            field: 'value',
            type: 'quantitative' as const,
            title,
            axis: { labelExpr: plainLabels, tickCount: 4 },
            scale: { zero: true },
          },
  };
  const warmup = {
    data: { values: [{ from, to: Math.min(0, to) }] },
    mark: { type: 'rect' as const, color: 'currentColor', opacity: 0.08 },
    encoding: { x: { field: 'from', type: 'quantitative' as const }, x2: { field: 'to' } },
  };
  return lineSpec(withPoints(points, variants), variants, {
    height: 150,
    encoding,
    under: [warmup],
    told: { x: ['atS', { unit: time.short, times: time.perS }], y: ['value', unit] },
    tooltip: [
      { field: 'atS', title: 'at, s' },
      { field: 'value', title, format: ',.4~r' },
    ],
  });
}

export type TimePanel = {
  title: string;
  unit: 'duration' | { unit: string };
  /** Where the axis begins and ends, in seconds of the measured phase. */
  axis: readonly [from: number, to: number];
  timeScale: number;
};

/** First, median and last receiver of the median event. */
export function receiverSpec(points: readonly Receiver[], variants: readonly Key[]): Spec {
  const tints = new Map(variants.map(({ label, look }) => [label, colorOf(look)]));
  const rows = points.map((point) => ({ ...point, tint: tints.get(point.variant)! }));
  // A word a line where labels are long.
  const words = Math.max(...variants.map(({ label }) => label.split(' ').length));
  const isLong = variants.some(({ label }) => label.length > 16);
  // A domain, not a sort: that would become an expression, with the labels in it as code.
  const field = {
    field: 'variant',
    type: 'nominal' as const,
    scale: { domain: variants.map(({ label }) => label) },
    title: null,
  };
  const which = ['first', 'median', 'last'];
  const ticks = durationTicks(points.map(({ ms }) => ms));
  const tint = { field: 'tint', type: 'nominal' as const, scale: null };
  const spec = (wide: number, limit: number) => {
    const y = {
      ...field,
      axis: { labelLimit: limit, ...(isLong && { labelExpr: "split(datum.label, ' ')" }) },
    };
    return {
      ...chartFrame(rows, { step: isLong ? Math.max(30, 15 * words + 4) : 30 }, wide),
      layer: [
        {
          mark: { type: 'rule' as const, opacity: 0.7, strokeWidth: 2 },
          encoding: {
            y,
            x: { aggregate: 'min' as const, field: 'ms' },
            x2: { aggregate: 'max' as const, field: 'ms' },
            stroke: tint,
          },
        },
        {
          mark: { type: 'point' as const, filled: true, size: 110, opacity: 1, tooltip: true },
          encoding: {
            y,
            x: {
              field: 'ms',
              type: 'quantitative' as const,
              scale: { type: 'log' as const, nice: false, padding: 12 },
              title: 'after the planned time (logarithmic)',
              axis: { values: ticks.map(({ value }) => value), labelExpr: textsAt(ticks) },
            },
            shape: {
              field: 'which',
              type: 'nominal' as const,
              scale: { domain: which, range: ['triangle-left', 'circle', 'triangle-right'] },
              legend: { title: 'receiver', symbolFillColor: 'currentColor', symbolSize: 90 },
            },
            fill: tint,
            tooltip: [
              { field: 'variant', title: 'variant' },
              { field: 'which', title: 'receiver' },
              { field: 'ms', title: 'ms', format: ',.4~r' },
            ],
          },
        },
      ],
    };
  };
  const still = spec(width, labelLimit);
  return {
    still,
    ...(variants.length <= narrowLines && { narrow: spec(narrowWidth, narrowLabelLimit) }),
    live: { ...still, ...toggled },
  };
}

export type Lines = {
  height: number;
  encoding: Encoding;
  /** Layers beneath the lines. */
  under?: Unit[];
  /** What the fields of both axes are said in. */
  told: Told;
  tooltip: { field: string; title: string; format?: string }[];
  /** Draw every row's point, as large as this. */
  pointSize?: number;
};

/**
 * Lines by variant, one for each run of rows; in the browser the point next to the pointer tells its figures,
 * and the x axis can be moved and zoomed.
 * @param rows those with a shape have a point drawn
 */
export function lineSpec(
  rows: readonly Row[],
  variants: readonly Key[],
  { height, encoding, under = [], told, tooltip, pointSize = 45 }: Lines,
): Spec {
  const { color, strokeDash } = byVariant(variants);
  const line = (clip: boolean) => ({
    mark: { type: 'line' as const, clip },
    encoding: { ...encoding, color, strokeDash, detail: { field: 'run', type: 'nominal' as const } },
  });
  const points = (clip: boolean) =>
    rows.some(({ shape }) => shape !== undefined) ? [pointLayer(encoding, pointSize, clip)] : [];
  const zoom = {
    name: 'zoom',
    select: { type: 'interval' as const, encodings: ['x' as const], zoom: 'wheel![event.altKey]' },
    bind: 'scales' as const,
  };
  const near = {
    params: [
      {
        name: 'near',
        select: { type: 'point' as const, on: 'pointerover', clear: 'pointerout', nearest: true },
      },
    ],
    mark: { type: 'point' as const, stroke: null, size: 70, clip: true },
    encoding: {
      ...encoding,
      fill: { value: 'currentColor' },
      opacity: { condition: { param: 'near', empty: false, value: 1 }, value: 0 },
      tooltip: [{ field: 'variant', title: 'variant' }, ...tooltip],
    },
  };
  const all = chartFrame(rows, height);
  const layers = [...under, line(false), ...points(false)];
  return {
    still: { ...all, layer: layers },
    ...(variants.length <= narrowLines && {
      narrow: { ...chartFrame(rows, height, narrowWidth), layer: layers },
    }),
    live: { ...all, ...toggled, layer: [...under, { ...line(true), params: [zoom] }, ...points(true), near] },
    values: chartValues(rows, variants, told),
  };
}

function durations(field: 'ms' | 'value', points: readonly { ms?: number; value?: number }[]) {
  return { ...durationAxis(points.map((point) => point[field]!)), field }; // it is what they have
}

/** A logarithmic axis of durations in milliseconds, below `value`. */
export function durationAxis(valuesMs: readonly number[]) {
  const ticks = durationTicks(valuesMs);
  return {
    field: 'value',
    type: 'quantitative' as const,
    scale: { type: 'log' as const, nice: false, padding: 5 },
    title: null,
    axis: { values: ticks.map(({ value }) => value), labelExpr: textsAt(ticks) },
  };
}
