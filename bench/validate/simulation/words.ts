// Writes single figures, errors and claims of the validation of simulations, as all its reports do. Pure.

import { formatNumber, formatShare, formatUs } from '../../../core/base/units.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import { table, type Claim } from '../part.ts';
import type { Between, FigureName } from './figures.ts';
import { barOf, coverageOf, errorOf, isHeld, isWithin, summaryOf, type Row } from './judge.ts';

export const titles: Record<FigureName, string> = {
  requests: 'requests',
  deliveries: 'deliveries',
  missed: 'missed deliveries',
  bytes: 'bytes',
  descriptors: 'descriptors',
  serverCpu: 'server CPU',
  besideCpu: "broker's and HAProxy's CPU",
  p50: 'p50',
  p99: 'p99',
};
export function share(value: number): string {
  if (!Number.isFinite(value)) return 'no figure';
  return formatShare(Math.abs(value) < 1e-4 ? 0 : Number(value.toPrecision(2)));
}

/** Of those rows that are held to bars; nothing where none is. */
export function withinClaim(rows: readonly Row<'simulated'>[], figure: FigureName, what: string): Claim[] {
  const summary = summaryOf(rows, figure, 'simulated');
  if (!summary) return [];
  const bars = [...new Set(rows.filter(isHeld).map(({ pattern }) => barOf(figure, pattern)))].sort();
  const interval = figure === 'p50' || figure === 'p99' ? ", or inside the repeats' 95 % interval" : '';
  return [
    {
      text:
        `${what}: ${summary.within} of ${summary.of} points within ${bars.map(share).join(' or ')}` +
        `${interval} ` +
        `(median error ${share(summary.median)}, largest ${share(summary.worst)})`,
      held: summary.within === summary.of,
    },
  ];
}

/** As people read it: `3.1 ms`, `12 %`, `1,204`. */
export function valueText(value: number, figure: FigureName): string {
  if (figure === 'p50' || figure === 'p99') return formatUs(value);
  if (figure === 'missed' || figure === 'serverCpu' || figure === 'besideCpu') return share(value);
  return formatNumber(Number(value.toPrecision(4)));
}

export function betweenText(between: Between | undefined): string {
  if (!between) return '';
  const { lowUs, highUs } = between;
  return Number.isFinite(highUs) ? ` (${formatUs(lowUs)} to ${formatUs(highUs)})` : ` (≥ ${formatUs(lowUs)})`;
}

/** `3 ms (+200 %) ✗` */
export function predictedText(row: Row<'simulated'>, figure: FigureName): string {
  const said = row.predicted.simulated[figure];
  if (Number.isNaN(said)) return 'saturated';
  const error = errorOf(row, figure, 'simulated');
  const value = valueText(said, figure);
  const mark = isHeld(row) && !isWithin(row, figure) ? ' ✗' : '';
  return `${value} (${error > 0 ? '+' : ''}${share(error)})${mark}`;
}

/** Empty where the simulation says of no figure how far it may be off. */
export function coverageText(rows: readonly Row<'simulated'>[]): string {
  const said = (['serverCpu', 'p50', 'p99'] as const).flatMap((figure) => {
    const coverage = coverageOf(rows, figure);
    if (!coverage) return [];
    return [[titles[figure], `±${share(coverage.stated)}`, `${coverage.within} of ${coverage.of}`]];
  });
  if (said.length === 0) return '';
  return (
    'Beside each figure the simulation states a typical error (±). How often the measured figure was ' +
    `within it:\n\n${table(['figure', 'median of what was stated', 'measured within it'], said)}\n\n`
  );
}

export const percentilesText =
  "A point's costs are the means of its trials, its percentiles those of all deliveries together, in " +
  'brackets from the lowest to the highest end of the 95 % intervals within the trials.';

/** As the beginning of a sentence. */
export function profileText({ name, createdAt }: Pick<Profile, 'name' | 'createdAt'>): string {
  return `The profile "${name}" of ${createdAt.slice(0, 10)}`;
}

/** Empty where nothing was. */
export function leftOutText(leftOut: readonly string[]): string {
  return leftOut.length === 0 ? '' : `\n\nLeft out:\n\n${leftOut.map((text) => `- ${text}`).join('\n')}`;
}
