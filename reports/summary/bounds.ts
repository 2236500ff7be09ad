// Says how far each variant of a search kept up, as values that can be drawn on one axis.

import type { Result } from '../../core/result/result.ts';
import { keptText, searchGroups, searchSentences, written } from './searches.ts';

export type BoundRow = {
  label: string;
  pattern: string;
  index: number;
  /** The highest value that held, the lowest that broke the check, and the one at which the search ended. */
  held?: number;
  broken?: number;
  ended?: number;
};
export type Bound = {
  /** `Both kept up at 400/s, the highest rate tried (...).` */
  sentence: string;
  what: string;
  /** The check in words: `90 % of deliveries within 100 ms`. */
  kept: string;
  /** Every value that was tried. */
  tried: number[];
  write(value: number): string;
  rows: BoundRow[];
};

/** One for each parameter and check. */
export function boundsOf(results: readonly Result[]): Bound[] {
  const sentences = searchSentences(results);
  return searchGroups(results).map(({ searches, result }, i) => {
    const { what, keep, like } = searches[0]!; // a group has a member
    const labels = [...new Set(result.trials.map(({ cell, variant }) => cell?.variant ?? variant.label))];
    return {
      sentence: `${sentences[i]!}.`,
      what,
      kept: keptText(keep),
      tried: [...new Set(searches.flatMap(({ steps }) => steps.map(({ value }) => value)))],
      write: (value) => written(like, value),
      rows: searches.map(({ variant, limit, steps }) => {
        const ended = steps.find(({ verdict }) => verdict === 'ended')?.value;
        const trial = result.trials.find(({ cell }) => cell?.variant === variant);
        return {
          label: variant,
          pattern: trial?.variant.pattern ?? variant.split(' ')[0]!,
          index: Math.max(0, labels.indexOf(variant)),
          ...((limit.kind === 'found' || limit.kind === 'at-least') && { held: limit.value }),
          ...(limit.kind === 'found' && { broken: limit.brokenAt }),
          ...(limit.kind === 'below' && { broken: limit.value }),
          ...(ended !== undefined && { ended }),
        };
      }),
    };
  });
}
