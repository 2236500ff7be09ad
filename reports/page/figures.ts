// Lists the report's charts, each under a heading that says what it shows in this result, with two sentences
// on reading it and the figures as a table.

import type { Figure } from './figure.ts';
import { receiverFigure } from './receiver-figure.ts';
import { tailFigure } from './tail-figure.ts';
import { timeFigures } from './time-figures.ts';
import type { VariantTrials } from '../summary/variants.ts';

/** The variants that have something to show, by the names they have in the charts. */
export function charted(all: readonly VariantTrials[]): VariantTrials[] {
  const showing = all.filter(({ completed }) => completed.some((trial) => trial.latency.endToEnd.count > 0));
  // The cells of a matrix are drawn as curves (curves.ts); a line for each would be too many to read. Where
  // they are few and something happens in them, what it did shows over time alone; and where no curve is
  // asked for, they are a few settings side by side.
  const inCells = showing.filter(({ trials }) => trials[0]?.cell !== undefined);
  const hasCurves = inCells.some(({ result }) => result.scenario.curves?.length !== 0);
  const areDrawn = inCells.length <= mostCells && (inCells.some(hasFaults) || !hasCurves);
  return areDrawn ? showing : showing.filter((one) => !inCells.includes(one));
}

/** Lines of cells that one chart has room for. */
const mostCells = 8;

const hasFaults = ({ completed }: VariantTrials) =>
  completed.some(({ faults }) => faults !== undefined && faults.length > 0);

/**
 * @param variants those of `charted`
 * @param live with what the browser needs to draw them again
 */
export async function figures(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  if (variants.length === 0) return [];
  return [
    ...(await tailFigure(variants, live, over)),
    ...(await timeFigures(variants, live, over)),
    ...(await receiverFigure(variants, live, over)),
  ];
}
