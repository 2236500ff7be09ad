// Gathers what the page's script says of a chart's lines at the pointer: every line's values at the places of
// one axis, with the unit that each axis is said in.

import { colorOf, type Look } from '../../core/pattern/palette.ts';

/** A share of deliveries as a tail, a duration in milliseconds, or a number times something with a unit. */
export type Said = 'share' | 'duration' | { unit: string; times?: number; before?: string };
/** The field of each axis, and what it is said in. */
export type Told = Record<'x' | 'y', readonly [field: string, said: Said]>;

/** As the page has it, in JSON. */
export type ChartValues = {
  x: Said;
  y: Said;
  /** Places of values on the x axis, from left to right; lines that were sampled together share one list. */
  places: number[][];
  /** `on`: which of the lists has the places of its values. */
  lines: { label: string; color: string; on: number; values: number[] }[];
};

/** As many digits as the script says of it. */
function asSaid(value: number): number {
  return Number(value.toPrecision(Math.abs(value) < 1000 ? 3 : 4));
}

export function chartValues(
  rows: readonly { variant: string }[],
  variants: readonly { label: string; look: Look }[],
  { x: [xField, x], y: [yField, y] }: Told,
): ChartValues {
  // Rows of charts have numbers in the fields of their axes.
  const numberIn = (row: object, field: string) => asSaid(Number((row as Record<string, unknown>)[field]));
  const byLabel = Map.groupBy(rows, ({ variant }) => variant);
  const places = new Map<string, number[]>();
  const lines = variants.flatMap(({ label, look }) => {
    const own = (byLabel.get(label) ?? []).toSorted((a, b) => numberIn(a, xField) - numberIn(b, xField));
    if (own.length === 0) return [];
    const at = own.map((row) => numberIn(row, xField));
    if (!places.has(at.join())) places.set(at.join(), at);
    const on = [...places.keys()].indexOf(at.join());
    return [{ label, color: colorOf(look), on, values: own.map((row) => numberIn(row, yField)) }];
  });
  return { x, y, places: [...places.values()], lines };
}
