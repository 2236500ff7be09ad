// Names the cells of a matrix for a sentence: where all of them are of one variant, by their values alone.

import { shortPath } from '../../core/scenario/matrix.ts';
import { valueText } from './cells-apart.ts';
import { variantNames } from './names.ts';
import type { VariantTrials } from './variants.ts';

type Named = Pick<VariantTrials, 'label' | 'result' | 'trials'>;

export type CellNames = {
  of(variant: Named): string;
  /** The variant that the names leave out; undefined where they say it. */
  variant: string | undefined;
};

/** @param variants what the sentence is about */
export function cellNames(variants: readonly Named[]): CellNames {
  const own = new Set(variants.map(({ trials }) => trials[0]?.cell?.variant));
  const [variant] = own;
  const whole = variants.length < 2 || own.size > 1 || new Set(variants.map(({ result }) => result)).size > 1;
  if (variant === undefined || whole) return { of: ({ label }) => label, variant: undefined };
  return {
    of({ trials }) {
      const parameters = trials[0]?.cell?.parameters ?? {}; // each has one: they are of one variant
      const paths = Object.keys(parameters);
      return Object.entries(parameters)
        .map(([path, value]) => valueText({ name: shortPath(path, paths) }, value))
        .join(' / ');
    },
    variant: variantNames(variants.map(({ result }) => result)).of(variant),
  };
}
