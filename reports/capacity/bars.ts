// Specifies charts with a bar for each pattern: how many servers, requests or bytes it takes, and its bill by
// what is charged. A thin line goes on to what it is in the worst case.

import { colorOf } from '../../core/pattern/palette.ts';
import { formatNumber } from '../../core/base/units.ts';
import { chartFrame, narrowWidth, width, type Key, type Spec } from '../page/chart-style.ts';
import { plainLabels } from '../page/ticks.ts';

/** What a bar is made of, from left to right; `shade` is its opacity. */
export type Part = { value: number; shade: number };
export type Bar = {
  label: string;
  parts: Part[];
  /** Where the thin line ends; null where that is not known. */
  worst: number | null;
};

const rowHeight = 34;
/** Of the widest bar, so that its figure stands beside it. */
const room = { wide: 1.16, narrow: 1.3 };
const labelLimit = 130;

/** @param unit what the axis counts, such as `servers` */
export function barSpec(bars: readonly Bar[], keys: readonly Key[], unit: string): Spec {
  const tints = new Map(keys.map(({ label, look }) => [label, colorOf(look)]));
  const { divisor, word } = scaleOf(bars.map(({ parts, worst }) => Math.max(totalOf(parts), worst ?? 0)));
  const rows = bars.map((bar) => {
    const tint = tints.get(bar.label)!; // every bar has a key
    const [total, worst] = [totalOf(bar.parts) / divisor, (bar.worst ?? 0) / divisor];
    const end = Math.max(total, worst);
    return { variant: bar.label, tint, total, end, text: shortNumber(total), bar };
  });
  const parts = rows.flatMap(({ variant, tint, bar }) => {
    let to = 0;
    return bar.parts.map(({ value, shade }) => {
      const from = to;
      to += value / divisor;
      return { variant, tint, from, to, shade };
    });
  });
  const most = Math.max(...rows.map(({ end }) => end)) || 1;
  // A domain, not a sort: that would become an expression, with the labels in it as code.
  const y = {
    field: 'variant',
    type: 'nominal' as const,
    scale: { domain: bars.map(({ label }) => label), padding: 0.35 },
    title: null,
    axis: { labelLimit, labelExpr: "split(datum.label, ' ')", ticks: false },
  };
  const drawn = (wide: number, far: number) => {
    const x = (field: string) => ({
      field,
      type: 'quantitative' as const,
      title: word === '' ? unit : `${unit}, ${word}`,
      axis: { labelExpr: plainLabels, tickCount: 4 },
      scale: { domain: [0, most * far], nice: false },
    });
    const tint = { field: 'tint', type: 'nominal' as const, scale: null };
    return {
      ...chartFrame([] as object[], { step: rowHeight }, wide),
      layer: [
        {
          data: { values: parts },
          mark: { type: 'bar' as const, strokeWidth: 1 },
          encoding: {
            y,
            x: x('from'),
            x2: { field: 'to' },
            fill: tint,
            stroke: tint,
            fillOpacity: { field: 'shade', type: 'quantitative' as const, scale: null, legend: null },
          },
        },
        {
          data: { values: rows.filter(({ total, end }) => end > total).map(withoutBar) },
          mark: { type: 'rule' as const, color: 'currentColor', size: 1.5 },
          encoding: { y, x: x('total'), x2: { field: 'end' } },
        },
        {
          data: { values: rows.map(withoutBar) },
          mark: { type: 'text' as const, align: 'left' as const, dx: 6, color: 'currentColor', fontSize: 12 },
          encoding: { y, x: x('end'), text: { field: 'text', type: 'nominal' as const } },
        },
      ],
    };
  };
  const still = drawn(width, room.wide);
  return { still, narrow: drawn(narrowWidth, room.narrow), live: still };
}

function withoutBar({
  variant,
  total,
  end,
  text,
}: {
  variant: string;
  total: number;
  end: number;
  text: string;
}) {
  return { variant, total, end, text };
}

function totalOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { value }) => sum + value, 0);
}

const words = [
  { divisor: 1e12, word: 'in trillions' },
  { divisor: 1e9, word: 'in billions' },
  { divisor: 1e6, word: 'in millions' },
  { divisor: 1, word: '' },
];

/** So that axes and figures have few digits. */
function scaleOf(values: readonly number[]): { divisor: number; word: string } {
  const most = Math.max(...values);
  return words.find(({ divisor }) => most >= 10 * divisor) ?? words.at(-1)!; // it has a last
}

function shortNumber(value: number): string {
  return formatNumber(value >= 1000 ? Math.round(value) : Number(value.toPrecision(3)));
}
