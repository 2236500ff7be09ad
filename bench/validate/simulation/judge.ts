// Judges predictions against measurements: how far each is off, which bar it is held by, and whether patterns
// come in the right order. Pure.

import { median } from '../../../core/base/median.ts';
import { type Between, type FigureName, type Figures } from './figures.ts';

export const predictors = ['simulated', 'nearest', 'plane'] as const;
export type Predictor = (typeof predictors)[number];

/** By how much the simulation says that a figure may be off, as a share of it; null where it does not say. */
export type Stated = Record<'serverCpu' | 'p50' | 'p99', number | null>;

/** A point that was run, and what was predicted of it. */
export type Row<By extends Predictor = Predictor> = {
  pattern: string;
  /** Servers, broker and what is in front, or what webhooks meet with; left out of a server by itself. */
  setUp?: string;
  subscribers: number;
  perS: number;
  events: number;
  measured: Figures;
  /** Of the measured percentiles. */
  between: { p50: Between | undefined; p99: Between | undefined };
  predicted: Record<By, Figures>;
  stated: Stated;
};

/** From this share of a core on a server is near its end, and no prediction is held to a bar. */
const heldBelowCpu = 0.8;

/** By how much of the measured figure a prediction may be off; of what was missed, of all deliveries. */
const bars: Record<FigureName, number> = {
  requests: 0.01,
  deliveries: 0.01,
  missed: 0.01,
  bytes: 0.01,
  descriptors: 0.01,
  serverCpu: 0.1,
  besideCpu: 0.1,
  p50: 0.15,
  p99: 0.3,
};
const exceptions: Readonly<Record<string, Partial<Record<FigureName, number>>>> = {
  'long-polling': { requests: 0.02, serverCpu: 0.15 },
  polling: { p50: 0.01, p99: 0.01 },
};

export function barOf(figure: FigureName, pattern: string): number {
  return exceptions[pattern]?.[figure] ?? bars[figure];
}

/** Signed, as a share of what was measured; infinite where nothing was and something was predicted. */
export function errorOf<By extends Predictor>(
  { measured, predicted }: Row<By>,
  figure: FigureName,
  by: By,
): number {
  const [is, said] = [measured[figure], predicted[by][figure]];
  if (is === said) return 0;
  if (figure === 'missed') return said - is; // a share already
  // A server that is called saturated has no latency.
  return Number.isNaN(said) || is === 0 ? Infinity : (said - is) / is;
}

/** Whether a row is held to bars at all. */
export function isHeld({ measured }: Pick<Row, 'measured'>): boolean {
  return measured.serverCpu < heldBelowCpu;
}

/** Within the bar, or within what repeated trials differ by. */
export function isWithin(row: Row<'simulated'>, figure: FigureName): boolean {
  return isWithinBy(row, figure, 'simulated');
}

function isWithinBy<By extends Predictor>(row: Row<By>, figure: FigureName, by: By): boolean {
  if (Math.abs(errorOf(row, figure, by)) <= barOf(figure, row.pattern)) return true;
  if (figure !== 'p50' && figure !== 'p99') return false;
  const between = row.between[figure];
  const said = row.predicted[by][figure];
  return between !== undefined && said >= between.lowUs && said <= between.highUs;
}

export type Summary = { median: number; worst: number; within: number; of: number };

/** Of absolute errors over the rows that are held; undefined where none is. */
export function summaryOf<By extends Predictor>(
  rows: readonly Row<By>[],
  figure: FigureName,
  by: By,
): Summary | undefined {
  const held = rows.filter(isHeld);
  if (held.length === 0) return undefined;
  const errors = held.map((row) => Math.abs(errorOf(row, figure, by)));
  return {
    median: median(errors),
    worst: Math.max(...errors),
    within: held.filter((row) => isWithinBy(row, figure, by)).length,
    of: held.length,
  };
}

/**
 * How many measured figures lie within what the simulation says that its own may be off, and the median of
 * what it says; undefined where it never does.
 */
export function coverageOf(
  rows: readonly Row<'simulated'>[],
  figure: keyof Stated,
): { stated: number; within: number; of: number } | undefined {
  const said = rows.filter(isHeld).flatMap(({ measured, predicted: { simulated }, stated }) => {
    const [most, value] = [stated[figure], simulated[figure]];
    if (most === null || Number.isNaN(value)) return [];
    return [{ most, isWithin: Math.abs(measured[figure] - value) <= most * value }];
  });
  if (said.length === 0) return undefined;
  return {
    stated: median(said.map(({ most }) => most)),
    within: said.filter((one) => one.isWithin).length,
    of: said.length,
  };
}

/**
 * Two patterns, or set-ups, at one point whose medians differ for sure: their intervals do not overlap.
 * @returns how many such pairs there are, and in how many the prediction has them in the same order
 */
export function orderOf<By extends Predictor>(
  rows: readonly Row<By>[],
  by: By,
): { right: number; of: number } {
  let [right, of] = [0, 0];
  const places = Map.groupBy(rows.filter(isHeld), ({ subscribers, perS }) => `${subscribers} ${perS}`);
  for (const same of places.values())
    for (const [i, a] of same.entries())
      for (const b of same.slice(i + 1)) {
        const [ofA, ofB] = [a.between.p50, b.between.p50];
        if (!ofA || !ofB || (ofA.lowUs <= ofB.highUs && ofB.lowUs <= ofA.highUs)) continue;
        of++;
        if (ofA.lowUs < ofB.lowUs === a.predicted[by].p50 < b.predicted[by].p50) right++;
      }
  return { right, of };
}
