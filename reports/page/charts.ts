// Charts: Vega-Lite specifications, drawn to SVG when the report is written. Colours are CSS variables of the
// page, so that one drawing serves light and dark; a dash or a shape tells lines apart without colour.

import type { Spec as VegaSpec } from 'vega';
import type { TopLevelSpec } from 'vega-lite';
import type { Receiver, TailPoint, TimePoint } from '../summary/chart-data.ts';
import { escapeText } from './markup.ts';

export type Chart = {
  /** The drawing; where it has one for narrow screens, both, of which the page's style shows one. */
  svg: string;
  /** The compiled Vega specification, for pages that draw again in the browser. */
  live?: VegaSpec;
};
/**
 * A variant by the name it has in the charts; its place decides its colour, its place
 * and its result the dash.
 */
export type Key = { label: string; index: number; round: number };
/** The same chart as it stands, as it stands on a narrow screen, and as it moves. */
export type Spec = { still: TopLevelSpec; narrow?: TopLevelSpec; live: TopLevelSpec };
export type Unit = Extract<Extract<TopLevelSpec, { layer: unknown }>['layer'][number], { mark: unknown }>;
export type Encoding = Pick<NonNullable<Unit['encoding']>, 'x' | 'y'>;
type Tooltip = { field: string; title: string; format?: string };

const dashes = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [12, 3],
  [3, 5],
  [10, 3, 2, 3, 2, 3],
  [1, 3],
];
export const colorCount = 8;
/**
 * More lines than this nobody tells apart on a phone: such a chart has no drawing for narrow
 * screens and is scrolled.
 */
const narrowLines = 8;

export const width = 860;
/** A phone's, so that letters are as large there as anywhere. */
export const narrowWidth = 358;
export const labelLimit = 480;
const narrowLabelLimit = 130;
const decades = [1e-3, 1e-2, 0.1, 1, 10, 100, 1e3, 1e4, 1e5, 1e6];
const text = { color: 'currentColor', fontSize: 12 };
const config = {
  background: 'transparent',
  font: 'system-ui, sans-serif',
  view: { stroke: 'transparent' },
  axis: {
    labelColor: text.color,
    titleColor: text.color,
    domainColor: text.color,
    tickColor: text.color,
    gridColor: text.color,
    gridOpacity: 0.15,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 'normal' as const,
  },
  // Room for the widest labels, so that charts below one another share their left edge.
  // A title longer than its chart is high would push the chart down; headings say all of it.
  axisLeft: { minExtent: 48, titleLimit: 290 },
  legend: {
    labelColor: text.color,
    titleColor: text.color,
    labelFontSize: 12,
    labelLimit,
    symbolSize: 300,
    symbolStrokeWidth: 2.5,
    orient: 'bottom' as const,
    title: null,
  },
  line: { strokeWidth: 2 },
} as const;

/** Latency by percentile on a logarithmic tail axis. */
export function tailSpec(points: TailPoint[], variants: readonly Key[]): Spec {
  const encoding = {
    x: {
      field: 'tail',
      type: 'quantitative' as const,
      scale: { type: 'log' as const, nice: false },
      title: 'share of deliveries that took at most this long',
      axis: {
        values: [1, 2, 10, 100, 1000, 10_000, 100_000],
        labelExpr:
          "datum.value == 1 ? 'fastest' : datum.value == 2 ? '50 %' : " +
          "format(100 - 100 / datum.value, '.6~f') + ' %'",
      },
    },
    y: latency('ms', undefined, ticksFor(points.map(({ ms }) => ms))),
  };
  const narrow = { ...encoding, x: { ...encoding.x, title: 'share that took at most this long' } };
  return lines(
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
      ? latency('value', title)
      : {
          field: 'value',
          type: 'quantitative' as const,
          title,
          axis: { format: '~s', tickCount: 4 },
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
  return lines(
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
    ...frame(points, { step: 30 }, wide),
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
            axis: { values: decades, format: '~g' },
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
 * @param description what the chart shows, for those who do not see it
 * @param live compile the specification for the browser too
 * @throws the reason of `over` when that is aborted before
 */
export async function draw(
  spec: Spec,
  title: string,
  description: string,
  live: boolean,
  over?: AbortSignal,
): Promise<Chart> {
  const svg = described(await drawn(spec.still, over), title, description);
  const { narrow } = spec;
  const both = narrow
    ? `${classed(svg, 'wide')}${classed(described(await drawn(narrow, over), title, description), 'narrow')}`
    : svg;
  if (!live) return { svg: both };
  const { compile } = await import('vega-lite');
  return { svg: both, live: compile(spec.live, { logger: quietLogger }).spec };
}

async function drawn(spec: TopLevelSpec, over?: AbortSignal): Promise<string> {
  // A turn for whatever else waits, such as a signal: drawing keeps the process busy for tenths of a second.
  await new Promise((resolve) => setImmediate(resolve));
  over?.throwIfAborted();
  // Loaded when a report is written: together they take longer to load than most commands run.
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const view = new View(parse(compile(spec, { logger: quietLogger }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

function classed(svg: string, name: string): string {
  return svg.replace('<svg', `<svg class="${name}"`);
}

/**
 * Lines by variant; in the browser the point next to the pointer tells its figures, and the x axis
 * can be moved and zoomed.
 * @param narrow the axes as a narrow screen has room for them
 */
export function lines(
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
  const all = frame(points, height, width, legendColumns(variants, width));
  const slim = frame(points, height, narrowWidth, legendColumns(variants, narrowWidth));
  return {
    still: { ...all, layer: [...under, line(false)] },
    ...(variants.length <= narrowLines && { narrow: { ...slim, layer: [...under, line(false, narrow)] } }),
    live: { ...all, ...toggled, layer: [...under, { ...line(true), params: [zoom] }, near] },
  };
}

// What the reader has unticked; constant text, so no label is ever part of an expression.
const toggled = {
  params: [{ name: 'hidden', value: [] }],
  transform: [{ filter: 'indexof(hidden, datum.variant) < 0' }],
};

/** What every chart has: rows, size, style. */
export function frame<Row>(values: Row[], height: number | { step: number }, wide = width, columns = 3) {
  return {
    data: { values: values as object[] },
    width: wide,
    height,
    config: { ...config, legend: { ...config.legend, columns } },
    autosize: { type: 'fit-x', contains: 'padding' } as const,
  };
}

/** Within two decades their ends alone would say little, within one 2 and 5 would too. */
function ticksFor(ms: readonly number[]): number[] {
  const spread = Math.max(...ms) / Math.min(...ms);
  const digits = spread < 10 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : spread < 100 ? [1, 2, 5] : [1];
  return decades.flatMap((decade) => digits.map((digit) => digit * decade));
}

function latency(field: string, title = 'milliseconds (logarithmic)', values = decades) {
  return {
    field,
    type: 'quantitative' as const,
    scale: { type: 'log' as const, nice: false, padding: 5 },
    title,
    axis: { values, format: '~g' },
  };
}

export function byVariant(variants: readonly Key[]) {
  const domain = variants.map(({ label }) => label);
  const field = { field: 'variant', type: 'nominal' as const };
  return {
    color: {
      ...field,
      scale: { domain, range: variants.map(({ index }) => `var(--c${index % colorCount})`) },
    },
    // A step further with each round of colours, so that no two variants look the same.
    strokeDash: {
      ...field,
      scale: {
        domain,
        range: variants.map(
          ({ index, round }) => dashes[(index + Math.floor(index / colorCount) + round) % dashes.length]!,
        ),
      },
    },
  };
}

function legendColumns(variants: readonly Key[], wide: number): number {
  // Without a canvas nothing measures text; sans-serif letters are about 0.6 em wide.
  const entry = 0.6 * 12 * Math.max(...variants.map(({ label }) => Math.min(label.length, 50))) + 50;
  return Math.max(1, Math.min(4, Math.floor((wide - 60) / entry)));
}

/**
 * Vega leaves the root without a role, a name and a description, and says much that the page's style says.
 */
function described(svg: string, title: string, description: string): string {
  const at = svg.indexOf('>') + 1;
  const root = svg.slice(0, at - 1).replace(/ (?:xmlns(?::\w+)?|version|class)="[^"]*"/g, '');
  // Its marks' own roles and labels, thousands of them, would be read out one by one.
  const body = svg
    .slice(at)
    .replace(/<text[^>]* opacity="0"[^>]*>[^<]*<\/text>/g, '') // labels that would have overlapped
    .replace(/ (?:aria-[\w-]+|role|font-family|font-weight|pointer-events)="[^"]*"| opacity="1"/g, '')
    .replace(
      / (?:font-size="12px"|stroke-width="1"|(?:x2|y2)="0"|(?:fill|stroke)="currentColor"(?: stroke-opacity="0.15")?)(?=[^<]*>)/g,
      (attribute, offset: number, whole: string) => (isAxis(whole, offset) ? '' : attribute),
    )
    .replace(/<path class="(?:foreground|background)"[^>]*\/>/g, '')
    .replace(/ (?:d|transform)="[^"]*"/g, shortened);
  return (
    `${root} ` +
    `role="img"><title>${escapeText(title)}</title><desc>${escapeText(description)}</desc>${body}`
  );
}

/** Whether an attribute is one of a text's or an axis' line's, whose looks the page's style gives. */
function isAxis(svg: string, offset: number): boolean {
  const tag = svg.slice(svg.lastIndexOf('<', offset), offset);
  if (tag.startsWith('<text')) return true;
  return (
    tag.startsWith('<line') &&
    /role-axis-(?:grid|tick|domain)">(?:<line[^<]*)*$/.test(
      svg.slice(Math.max(0, svg.lastIndexOf('<g ', offset)), offset),
    )
  );
}

/** A tenth of a pixel is finer than any screen shows; more digits would be half of the page. */
function shortened(attribute: string): string {
  const line = / d="M([-\d.,L]+)"/.exec(attribute)?.[1];
  if (line === undefined)
    return attribute.replace(/\d+\.\d{2,}/g, (number) => String(Number(Number(number).toFixed(1))));
  // A line: each point as the way from the one before. Rounded before it is subtracted,
  // so that nothing adds up.
  const points = line
    .split('L')
    .map((point) => point.split(',').map((number) => Math.round(Number(number) * 10)));
  const way = points.map(([x = 0, y = 0], i) => {
    const [fromX = 0, fromY = 0] = points[i - 1] ?? [];
    return `${tenths(x - fromX)}${y < fromY ? '' : ' '}${tenths(y - fromY)}`;
  });
  return ` d="M${way[0]}${way.length > 1 ? `l${way.slice(1).join(' ').replaceAll(' -', '-')}` : ''}"`;
}

/** `-4` -> `-.4` */
function tenths(count: number): string {
  return String(count / 10).replace(/^(-?)0\./, '$1.');
}

const silent = () => quietLogger;
// Compile only calls these.
const quietLogger = { level: silent, error: silent, warn: silent, info: silent, debug: silent } as never;
