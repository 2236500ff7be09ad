// Says how far each variant of a search kept up, as values that can be drawn on one axis.

import { looksOf, patternOfLabel, type Look } from '../../core/pattern/palette.ts';
import type { Result } from '../../core/result/result.ts';
import { variantNames } from './names.ts';
import { keptText, searchGroups, searchSentences, written } from './searches.ts';

export type BoundRow = {
  label: string;
  look: Look;
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
  const called = variantNames(results);
  return searchGroups(results).map(({ searches, result }, i) => {
    const { what, keep, like } = searches[0]!; // a group has a member
    const patternOf = (label: string) =>
      result.trials.find(({ cell }) => cell?.variant === label)?.variant.pattern ?? patternOfLabel(label);
    const looks = looksOf(searches.map(({ variant }) => ({ pattern: patternOf(variant), own: variant })));
    return {
      sentence: `${sentences[i]!}.`,
      what,
      kept: keptText(keep),
      tried: [...new Set(searches.flatMap(({ steps }) => steps.map(({ value }) => value)))],
      write: (value) => written(like, value),
      rows: searches.map(({ variant, limit, steps }, place) => {
        const ended = steps.find(({ verdict }) => verdict === 'ended')?.value;
        return {
          label: called.of(variant),
          look: looks[place]!,
          ...((limit.kind === 'found' || limit.kind === 'at-least') && { held: limit.value }),
          ...(limit.kind === 'found' && { broken: limit.brokenAt }),
          ...(limit.kind === 'below' && { broken: limit.value }),
          ...(ended !== undefined && { ended }),
        };
      }),
    };
  });
}
