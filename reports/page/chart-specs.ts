// Specifies the report's charts in Vega-Lite: latency by percentile, a figure over time, receivers of an
// event, and lines in general.

import type { Receiver, TailPoint, TimePoint } from '../summary/chart-data.ts';
import {
  byVariant,
  chartFrame,
  labelLimit,
  legendColumns,
  narrowLines,
  narrowWidth,
  toggled,
  width,
  type Encoding,
  type Key,
  type Spec,
  type Unit,
} from './chart-style.ts';
import { logTicks, plainLabels } from './ticks.ts';

type Tooltip = { field: string; title: string; format?: string };

const narrowLabelLimit = 130;

/** Latency by percentile on a logarithmic tail axis. */
export function tailSpec(points: TailPoint[], variants: readonly Key[]): Spec {
  const encoding = {
    x: {
      field: 'tail',
      type: 'quantitative' as const,
      scale: { type: 'log' as const, nice: false },
      title: 'share of deliveries that took at most this long',
      axis: {
        values: [1, 2, 10, 100, 1000, 10_000, 100_000, 1_000_000],
        labelExpr:
          "datum.value == 1 ? 'fastest' : datum.value == 2 ? '50 %' : " +
          "format(100 - 100 / datum.value, '.6~f') + ' %'",
      },
    },
    y: latency(
      'ms',
      points.map(({ ms }) => ms),
    ),
  };
  const narrow = { ...encoding, x: { ...encoding.x, title: 'share that took at most this long' } };
  return lineSpec(
    points,
    300,
    encoding,
    variants,
    [],
    [
      { field: 'share', title: 'took at most' },
      { field: 'ms', title: 'ms', format: ',.4~r' },
    ],
    narrow,
  );
}

/** One figure over time; the measured phase starts at 0, what is left of it is the warm-up. */
export function timeSpec(
  points: TimePoint[],
  variants: readonly Key[],
  title: string,
  log: boolean,
  [from, to]: readonly [number, number],
): Spec {
  const encoding = {
    x: {
      field: 'atS',
      type: 'quantitative' as const,
      title: 'seconds since the measured phase began (shaded: warm-up)',
      scale: { domain: [from, to], nice: false },
      axis: { tickMinStep: 1, tickCount: 12, format: 'd' },
    },
    y: log
      ? latency(
          'value',
          points.map(({ value }) => value),
          title,
        )
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
  const narrow = {
    ...encoding,
    x: {
      ...encoding.x,
      title: 'seconds measured (shaded: warm-up)',
      axis: { ...encoding.x.axis, tickCount: 6 },
    },
  };
  return lineSpec(
    points,
    150,
    encoding,
    variants,
    [warmup],
    [
      { field: 'atS', title: 'at, s' },
      { field: 'value', title, format: ',.4~r' },
    ],
    narrow,
  );
}

/** First, median and last receiver of the median event. */
export function receiverSpec(points: Receiver[], variants: readonly Key[]): Spec {
  // A domain, not a sort: that would become an expression, with the labels in it as code.
  const field = {
    field: 'variant',
    type: 'nominal' as const,
    scale: { domain: variants.map(({ label }) => label) },
    title: null,
  };
  const which = ['first', 'median', 'last'];
  const spec = (wide: number, y: typeof field & { axis: { labelLimit: number } }) => ({
    ...chartFrame(points, { step: 30 }, wide),
    layer: [
      {
        mark: { type: 'rule' as const, color: 'currentColor', opacity: 0.5 },
        encoding: {
          y,
          x: { aggregate: 'min' as const, field: 'ms' },
          x2: { aggregate: 'max' as const, field: 'ms' },
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
            title:
              wide === width
                ? 'milliseconds from the planned publish time (logarithmic)'
                : 'milliseconds (logarithmic)',
            axis: { values: logTicks(points.map(({ ms }) => ms)), labelExpr: plainLabels },
          },
          shape: {
            field: 'which',
            type: 'nominal' as const,
            scale: { domain: which, range: ['triangle-left', 'circle', 'triangle-right'] },
          },
          color: {
            field: 'which',
            type: 'nominal' as const,
            scale: { domain: which, range: ['var(--c2)', 'var(--c0)', 'var(--c1)'] },
          },
          tooltip: [
            { field: 'variant', title: 'variant' },
            { field: 'which', title: 'receiver' },
            { field: 'ms', title: 'ms', format: ',.4~r' },
          ],
        },
      },
    ],
  });
  const still = spec(width, { ...field, axis: { labelLimit } });
  const narrow = spec(narrowWidth, { ...field, axis: { labelLimit: narrowLabelLimit } });
  return { still, ...(variants.length <= narrowLines && { narrow }), live: { ...still, ...toggled } };
}

/**
 * Lines by variant; in the browser the point next to the pointer tells its figures, and the x axis
 * can be moved and zoomed.
 * @param narrow the axes as a narrow screen has room for them
 */
export function lineSpec(
  points: object[],
  height: number,
  encoding: Encoding,
  variants: readonly Key[],
  under: Unit[],
  tooltip: Tooltip[],
  narrow = encoding,
): Spec {
  const { color, strokeDash } = byVariant(variants);
  const line = (clip: boolean, axes = encoding) => ({
    mark: { type: 'line' as const, clip },
    encoding: { ...axes, color, strokeDash },
  });
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
  const all = chartFrame(points, height, width, legendColumns(variants, width));
  const slim = chartFrame(points, height, narrowWidth, legendColumns(variants, narrowWidth));
  return {
    still: { ...all, layer: [...under, line(false)] },
    ...(variants.length <= narrowLines && { narrow: { ...slim, layer: [...under, line(false, narrow)] } }),
    live: { ...all, ...toggled, layer: [...under, { ...line(true), params: [zoom] }, near] },
  };
}

function latency(field: string, values: readonly number[], title = 'milliseconds (logarithmic)') {
  return {
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const, nice: false, padding: 5 },
    title,
    axis: { values: logTicks(values), labelExpr: plainLabels },
  };
}
