// Holds what charts share: colours, dashes, sizes and letters. Colours are CSS variables of the page, so
// that one drawing serves light and dark; a dash or a shape tells lines apart without colour.

import type { TopLevelSpec } from 'vega-lite';

/**
 * A variant by the name it has in the charts; its place decides its colour, its place
 * and its result the dash.
 */
export type Key = { label: string; index: number; round: number };
/** The same chart as it stands, as it stands on a narrow screen, and as it moves. */
export type Spec = { still: TopLevelSpec; narrow?: TopLevelSpec; live: TopLevelSpec };
export type Unit = Extract<Extract<TopLevelSpec, { layer: unknown }>['layer'][number], { mark: unknown }>;
export type Encoding = Pick<NonNullable<Unit['encoding']>, 'x' | 'y'>;

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
export const narrowLines = 8;

export const width = 860;
/** A phone's, so that letters are as large there as anywhere. */
export const narrowWidth = 358;
export const labelLimit = 480;
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
export function chartFrame<Row>(values: Row[], height: number | { step: number }, wide = width, columns = 3) {
  return {
    data: { values: values as object[] },
    width: wide,
    height,
    config: { ...config, legend: { ...config.legend, columns } },
    autosize: { type: 'fit-x', contains: 'padding' } as const,
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

export function legendColumns(variants: readonly Key[], wide: number): number {
  // Without a canvas nothing measures text; sans-serif letters are about 0.6 em wide.
  const entry = 0.6 * 12 * Math.max(...variants.map(({ label }) => Math.min(label.length, 50))) + 50;
  return Math.max(1, Math.min(4, Math.floor((wide - 60) / entry)));
}
