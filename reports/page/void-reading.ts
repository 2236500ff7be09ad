// Says below a chart whose lines are not all there: trials in which the figures are void are not drawn.

import { trialsFor } from '../../core/metrics/registry.ts';
import type { Evidence } from '../../core/result/evidence.ts';
import { listed } from '../summary/notices.ts';
import type { VariantTrials } from '../summary/variants.ts';

/** More names than this are counted. */
const namesListed = 4;

/**
 * The variants that are not drawn, or only of a part of their trials; empty where all are.
 * @param what the figures that are void: `latencies`
 */
export function leftOutReading(
  variants: readonly VariantTrials[],
  rests: readonly Evidence[],
  what: string,
): string {
  const standing = ({ completed }: VariantTrials) => trialsFor({ rests }, completed).length;
  const names = (of: readonly VariantTrials[]) =>
    of.length > namesListed ? `${of.length} variants` : listed(of.map(({ label }) => label));
  const out = variants.filter((variant) => standing(variant) === 0);
  const part = variants.filter(
    (variant) => standing(variant) > 0 && standing(variant) < variant.completed.length,
  );
  return [
    out.length > 0 ? ` Not drawn, since their ${what} are void: ${names(out)}.` : '',
    part.length > 0 ? ` Trials whose ${what} are void are left out (${names(part)}).` : '',
  ].join('');
}
