// Holds what charts share: sizes, letters, and how lines are told apart. Colours are CSS variables of the
// page, so that one drawing serves light and dark; a dash and the shape of points do it without colour.

import type { TopLevelSpec } from 'vega-lite';
import { colorOf, dashOf, pointShapes, type Look } from '../../core/pattern/palette.ts';
import type { ChartValues } from './chart-values.ts';

/** A line by the name it has in the charts, and how it looks. */
export type Key = { label: string; look: Look };
/**
 * The same chart as it stands, as it stands on a narrow screen, and as it moves; of one with lines, what the
 * page's script says of them.
 */
export type Spec = {
  still: TopLevelSpec;
  narrow?: TopLevelSpec;
  live: TopLevelSpec;
  values?: ChartValues;
};
export type Unit = Extract<Extract<TopLevelSpec, { layer: unknown }>['layer'][number], { mark: unknown }>;
export type Encoding = Pick<NonNullable<Unit['encoding']>, 'x' | 'y'>;

/**
 * More lines than this nobody tells apart on a phone: such a chart has no drawing for narrow
 * screens and is scrolled.
 */
export const narrowLines = 8;

/** Half of a wide page: charts stand two a row. */
export const width = 560;
/** A phone's, so that letters are as large there as anywhere. */
export const narrowWidth = 358;
export const labelLimit = 200;
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

// What the reader has unticked; constant text, so no label is ever part of an expression.
export const toggled = {
  params: [{ name: 'hidden', value: [] }],
  transform: [{ filter: 'indexof(hidden, datum.variant) < 0' }],
};

/** What every chart has: rows, size, style. */
export function chartFrame(values: readonly object[], height: number | { step: number }, wide = width) {
  return {
    data: { values: [...values] },
    width: wide,
    height,
    config,
    autosize: { type: 'fit-x', contains: 'padding' } as const,
  };
}

/** Colour and dash of each line. One legend for all charts stands above them (legend.ts). */
export function byVariant(variants: readonly Key[]) {
  const domain = variants.map(({ label }) => label);
  const field = { field: 'variant', type: 'nominal' as const, legend: null };
  return {
    color: { ...field, scale: { domain, range: variants.map(({ look }) => colorOf(look)) } },
    strokeDash: {
      ...field,
      scale: { domain, range: variants.map(({ look }) => [...dashOf(look.pattern)]) },
    },
  };
}

/** What a row has where its point is drawn: shape and colour. */
export type Pointed = { shape?: string; tint?: string };
type Row = { variant: string; run?: number };

/** Points with a shape on a line that its colour and dash do not tell from all others. */
const shapesOnLine = 5;
/** Of many lines, so that a page does not grow with them. */
const shapesOfMany = 3;

/**
 * Gives some rows of each line a point: lines of another shape than the first one some along the way, each at
 * places of its own, and every row that no line leads to or from.
 * @param rows line by line, from left to right
 */
export function withPoints<R extends Row>(rows: readonly R[], keys: readonly Key[]): (R & Pointed)[] {
  const looks = new Map(keys.map(({ label, look }, i) => [label, { look, place: i / keys.length }]));
  const lines = [...Map.groupBy(rows, ({ variant }) => variant).entries()];
  return lines.flatMap(([label, own]) => {
    const { look, place } = looks.get(label)!; // every line has a key
    const every = Math.max(
      1,
      Math.floor(own.length / (keys.length > narrowLines ? shapesOfMany : shapesOnLine)),
    );
    const first = Math.floor(every * place);
    return own.map((row, i): R & Pointed => {
      const alone = own[i - 1]?.run !== row.run && own[i + 1]?.run !== row.run;
      const isPlace = look.shape !== pointShapes[0] && i % every === first;
      return alone || isPlace ? { ...row, ...pointOf(look) } : row;
    });
  });
}

/** Of rows that all have a point. */
export function pointOf(look: Look): Required<Pointed> {
  return { shape: look.shape, tint: colorOf(look) };
}

/** Draws the rows that have a point, in a layer of its own. */
export function pointLayer(encoding: Encoding, size: number, clip = false): Unit {
  return {
    transform: [{ filter: 'isValid(datum.shape)' }],
    mark: { type: 'point', filled: true, size, opacity: 1, clip },
    encoding: {
      ...encoding,
      fill: { field: 'tint', type: 'nominal', scale: null },
      shape: { field: 'shape', type: 'nominal', scale: null },
    },
  };
}
