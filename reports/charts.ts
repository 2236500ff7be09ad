// Charts: Vega-Lite specifications, drawn to SVG when the report is written. Colours are CSS variables of the
// page, so that one drawing serves light and dark; a dash or a shape tells lines apart without colour.

import type { TopLevelSpec } from 'vega-lite';
import type { Receiver, TailPoint, TimePoint } from './chart-data.ts';
import { escapeText } from './markup.ts';

export type Chart = {
  svg: string;
  /** The compiled Vega specification, for pages that draw again in the browser. */
  spec: object;
};

const dashes = [[1, 0], [6, 3], [2, 2], [8, 3, 2, 3], [4, 2], [1, 3], [10, 4], [3, 5]];
export const colorCount = 8;

const width = 860;
const decades = [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6];
const text = { color: 'currentColor', fontSize: 12 };
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: 'transparent' },
  axis: { labelColor: text.color, titleColor: text.color, domainColor: text.color, tickColor: text.color, gridColor: text.color, gridOpacity: 0.15, labelFontSize: 12, titleFontSize: 12, titleFontWeight: 'normal' as const },
  // Room for the widest labels, so that charts below one another share their left edge.
  axisLeft: { minExtent: 48 },
  legend: { labelColor: text.color, titleColor: text.color, labelFontSize: 12, labelLimit: 240, symbolSize: 300, symbolStrokeWidth: 2.5, orient: 'bottom' as const, columns: 3, title: null },
  line: { strokeWidth: 2 },
} as const;

/** Latency by percentile on a logarithmic tail axis. */
export function tailSpec(points: TailPoint[], variants: readonly string[]): TopLevelSpec {
  return {
    ...frame(points, 300),
    mark: 'line',
    encoding: {
      x: {
        field: 'tail', type: 'quantitative', scale: { type: 'log', nice: false }, title: 'share of deliveries that took at most this long',
        axis: {
          values: [1, 2, 10, 100, 1000, 10_000, 100_000],
          labelExpr: "datum.value == 1 ? 'fastest' : datum.value == 2 ? '50 %' : format(100 - 100 / datum.value, '.6~f') + ' %'",
        },
      },
      y: latency('ms'),
      ...byVariant(variants),
    },
  };
}

/** One figure over time; the measured phase starts at 0, what is left of it is the warm-up. */
export function timeSpec(points: TimePoint[], variants: readonly string[], title: string, log: boolean, [from, to]: readonly [number, number]): TopLevelSpec {
  return {
    ...frame(points, 150),
    layer: [
      {
        data: { values: [{ from, to: 0 }] },
        mark: { type: 'rect', color: 'currentColor', opacity: 0.08 },
        encoding: { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } },
      },
      {
        mark: 'line',
        encoding: {
          x: { field: 'atS', type: 'quantitative', title: 'seconds since the measured phase began (shaded: warm-up)', scale: { domain: [from, to], nice: false }, axis: { tickMinStep: 1, format: 'd' } },
          y: log ? latency('value', title) : { field: 'value', type: 'quantitative', title, axis: { format: '~s', tickCount: 4 }, scale: { zero: true } },
          ...byVariant(variants),
        },
      },
    ],
  };
}

/** First, median and last receiver of the median event. */
export function receiverSpec(points: Receiver[], variants: readonly string[]): TopLevelSpec {
  // A domain, not a sort: that would become an expression, with the labels in it as code.
  const y = { field: 'variant', type: 'nominal' as const, scale: { domain: [...variants] }, title: null, axis: { labelLimit: 240 } };
  return {
    ...frame(points, { step: 30 }),
    layer: [
      { mark: { type: 'rule', color: 'currentColor', opacity: 0.5 }, encoding: { y, x: { aggregate: 'min', field: 'ms' }, x2: { aggregate: 'max', field: 'ms' } } },
      {
        mark: { type: 'point', filled: true, size: 110, opacity: 1 },
        encoding: {
          y,
          x: { field: 'ms', type: 'quantitative', scale: { type: 'log', nice: false, padding: 12 }, title: 'milliseconds from the planned publish time (logarithmic)', axis: { values: decades, format: '~g' } },
          shape: { field: 'which', type: 'nominal', scale: { domain: ['first', 'median', 'last'], range: ['triangle-left', 'circle', 'triangle-right'] } },
          color: { field: 'which', type: 'nominal', scale: { domain: ['first', 'median', 'last'], range: ['var(--c2)', 'var(--c0)', 'var(--c1)'] } },
        },
      },
    ],
  };
}

/** @param description what the chart shows, for those who do not see it */
export async function draw(spec: TopLevelSpec, title: string, description: string): Promise<Chart> {
  // Loaded when a report is written: together they take longer to load than most commands run.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const compiled = compile({ ...spec, description }, { logger: quietLogger }).spec;
  const view = new View(parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return { svg: described(svg, title, description), spec: compiled };
}

function frame<Row>(values: Row[], height: number | { step: number }) {
  return { data: { values: values as object[] }, width, height, config, autosize: { type: 'fit-x', contains: 'padding' } as const };
}

function latency(field: string, title = 'milliseconds (logarithmic)') {
  return { field, type: 'quantitative' as const, scale: { type: 'log' as const, nice: false }, title, axis: { values: decades, format: '~g' } };
}

function byVariant(variants: readonly string[]) {
  const domain = [...variants];
  const field = { field: 'variant', type: 'nominal' as const };
  return {
    color: { ...field, scale: { domain, range: domain.map((_, i) => `var(--c${i % colorCount})`) } },
    strokeDash: { ...field, scale: { domain, range: domain.map((_, i) => dashes[i % dashes.length]!) } },
  };
}

/** Vega leaves the root without a role, a name and a description. */
function described(svg: string, title: string, description: string): string {
  const at = svg.indexOf('>') + 1;
  // Its marks' own roles and labels, thousands of them, would be read out one by one.
  const body = svg.slice(at).replace(/ (?:aria-[\w-]+|role)="[^"]*"/g, '').replace(/ d="[^"]*"/g, shortened);
  return `${svg.slice(0, at - 1)} role="img"><title>${escapeText(title)}</title><desc>${escapeText(description)}</desc>${body}`;
}

/** A tenth of a pixel is finer than any screen shows; more digits would be half of the page. */
function shortened(path: string): string {
  return path.replace(/\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
}

const silent = () => quietLogger;
const quietLogger = { level: silent, error: silent, warn: silent, info: silent, debug: silent } as never; // compile only calls these
