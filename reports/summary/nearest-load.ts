// Finds, among results, the load that is nearest to one that was asked for: by the number of clients and by
// the deliveries a second, each as a ratio.

import type { Result } from '../../core/result/result.ts';
import { cellText } from '../../core/scenario/matrix.ts';
import { cellLoad, loadsOf, type AtLoad } from './at-load.ts';
import { variantsOf } from './variants.ts';

export type Wanted = { subscribers: number; deliveriesPerS: number };
export type NearLoad = {
  load: AtLoad;
  /** `publish=10/s`, of a matrix. */
  cell: string;
  /** The measured load divided by the load asked for: 0.5 is half as many. */
  subscribers: number;
  deliveries: number;
};

/** Further than this, in all, figures are of another world and only their order is worth a look. */
export const farFrom = 10;

/**
 * The nearest load of a result in which the pattern has a median. The short trials of searches are not looked
 * at, whose loads are too large on purpose.
 */
export function nearestLoad(result: Result, wanted: Wanted, pattern: string): NearLoad | undefined {
  if (result.searches !== undefined) return undefined;
  const cells = Map.groupBy(variantsOf([result]), ({ trials }) => {
    const parameters = trials[0]?.cell?.parameters;
    return parameters === undefined ? '' : cellText(parameters);
  });
  const loads = [...cells].flatMap(([cell, variants]) => {
    const load = cell === '' ? loadsOf([result])[0] : cellLoad(variants);
    return load === undefined ? [] : [{ load, cell }];
  });
  return loads
    .filter(({ load }) =>
      load.rows.some((row) => row.pattern === pattern && row.figures['latency.p50'].value !== undefined),
    )
    .map(({ load, cell }) => ({
      load,
      cell,
      subscribers: load.subscribers / wanted.subscribers,
      deliveries: load.deliveriesPerS / wanted.deliveriesPerS,
    }))
    .toSorted((a, b) => distanceOf(a) - distanceOf(b))[0];
}

/** How many times too large or too small, both factors multiplied: 1 for exactly the load asked for. */
export function distanceOf({
  subscribers,
  deliveries,
}: Pick<NearLoad, 'subscribers' | 'deliveries'>): number {
  const apart = Math.abs(Math.log(subscribers)) + Math.abs(Math.log(deliveries));
  return Number.isFinite(apart) ? Math.exp(apart) : Infinity;
}
