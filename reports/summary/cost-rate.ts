// Says at which rate of deliveries the CPU of a delivery was measured: it is not constant.

import { formatNumber } from '../../core/base/units.ts';
import { alike } from '../../core/metrics/alike.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { variantsOf } from './variants.ts';

const cost = 'server-cpu-per-delivery';
const rate = 'deliveries-per-s';

/** A sentence; undefined where no CPU was measured. */
export function costRateLine(results: readonly Result[]): string | undefined {
  const rates = variantsOf(results)
    .filter(({ completed }) => figureOver(cost, completed).value !== undefined)
    .flatMap(({ completed }) => figureOver(rate, completed).value ?? []);
  if (rates.length === 0) return undefined;
  const [low, high] = [Math.min(...rates), Math.max(...rates)];
  const one = alike(metrics[rate]!, low, high);
  const at = one
    ? `${rounded(rates.reduce((sum, each) => sum + each, 0) / rates.length)} deliveries a second`
    : `${rounded(low)} to ${rounded(high)} deliveries a second`;
  return (
    `CPU per delivery was measured at ${at}${one ? '' : ', each variant at its own rate'}: at lower ` +
    'rates a delivery costs more, at higher rates less.'
  );
}

/** Two or three digits say enough of a rate. */
function rounded(perS: number): string {
  return formatNumber(Number(perS.toPrecision(3)));
}
