// Says below a chart whose lines are not all there: trials in which the figures are void are not drawn.

import { trialsFor } from '../../core/metrics/registry.ts';
import { evidenceText, type Evidence } from '../../core/result/evidence.ts';
import { listed } from '../../core/base/suggest.ts';
import type { VariantTrials } from '../summary/variants.ts';

/** More names than this are counted. */
const namesListed = 4;

/** The variants that are not drawn, or only of a part of their trials; empty where all are. */
export function leftOutReading(variants: readonly VariantTrials[], rests: readonly Evidence[]): string {
  const what = evidenceText(rests);
  const standing = ({ completed }: VariantTrials) => trialsFor({ rests }, completed).length;
  const names = (of: readonly VariantTrials[]) =>
    of.length > namesListed ? `${of.length} variants` : listed(of.map(({ label }) => label));
  const out = variants.filter((variant) => standing(variant) === 0);
  const part = variants.filter(
    (variant) => standing(variant) > 0 && standing(variant) < variant.completed.length,
  );
  return [
    out.length > 0 ? ` Not drawn (void: ${what}): ${names(out)}.` : '',
    part.length > 0 ? ` Some trials are not drawn (void: ${what}): of ${names(part)}.` : '',
  ].join('');
}
