// Judges how near a simulated limit is to a measured one, and writes what came of it. Pure.

import { median } from '../../../core/base/median.ts';
import { formatNumber } from '../../../core/base/units.ts';
import type { Limit } from '../../../core/scenario/search.ts';
import { table, type Claim } from '../part.ts';
import { share } from './words.ts';

/** Events a second that a server carries. `why`: the search of the run ended before it found a limit. */
export type KneeRow = { pattern: string; measured: Limit; why: string; predicted: Limit };

const kneeBar = 0.2;

/** The middle between the highest rate that held and the lowest that did not, on a logarithmic scale. */
function middleOf(limit: Limit): number | undefined {
  return limit.kind === 'found' ? Math.sqrt(limit.value * limit.brokenAt) : undefined;
}

/** Signed, as a share of what was measured; undefined where the run found no limit. */
export function kneeErrorOf({ measured, predicted }: KneeRow): number | undefined {
  const is = middleOf(measured);
  if (is === undefined) return undefined;
  const said = middleOf(predicted);
  return said === undefined ? Infinity : said / is - 1;
}

/** @param rows at least one */
export function kneeClaims(rows: readonly KneeRow[]): Claim[] {
  const errors = rows.flatMap((row) => kneeErrorOf(row) ?? []).map(Math.abs);
  if (errors.length === 0)
    return [
      { text: 'the load side reached its limit first in every pattern, so no server has one', held: false },
    ];
  const within = errors.filter((error) => error <= kneeBar).length;
  return [
    {
      text:
        `the rate at which a server becomes too slow: ${within} of ${errors.length} patterns within ` +
        `${share(kneeBar)} (median error ${share(median(errors))}, largest ${share(Math.max(...errors))})`,
      held: within === errors.length,
    },
  ];
}

export function kneeMarkdown(rows: readonly KneeRow[]): string {
  return table(
    ['pattern', 'measured: held, did not hold', 'simulated: held, did not hold', 'error of the middle'],
    rows.map((row) => {
      const error = kneeErrorOf(row);
      const off = error === undefined ? row.why : `${error > 0 ? '+' : ''}${share(error)}`;
      return [row.pattern, limitText(row.measured), limitText(row.predicted), off];
    }),
  );
}

function limitText(limit: Limit): string {
  if (limit.kind === 'found') return `${formatNumber(limit.value)}/s, ${formatNumber(limit.brokenAt)}/s`;
  if (limit.kind === 'at-least') return `${formatNumber(limit.value)}/s, none`;
  return limit.kind === 'below' ? `none, ${formatNumber(limit.value)}/s` : 'none, none';
}
