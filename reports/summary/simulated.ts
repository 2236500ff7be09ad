// Finds the words for results that were simulated: from which profile and by which models, by how much each
// figure is expected to be off, and what is not in it. Every form of report takes them.

import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';
import type { Metric } from '../../core/metrics/metric.ts';
import { offOf } from '../../core/metrics/simulated.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { coresText } from '../../core/result/machine-text.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { errorKinds, faultErrorKinds, type ErrorKind } from '../../core/result/simulated.ts';
import type { VariantTrials } from './variants.ts';

/** Of a figure of a kind of which nothing says how far off it may be. */
const unchecked = '±?';

export function isSimulated({ simulated }: Pick<Result, 'simulated'>): boolean {
  return simulated !== undefined;
}

/**
 * How far off a figure of simulated trials is expected to be: `±12 %`; `±?` where nothing is known. Empty
 * where it was measured, or the figure is exact.
 */
export function offText(which: string | Metric, trials: readonly Completed[]): string {
  const metric = typeof which === 'string' ? metrics[which] : which;
  const offs = metric ? trials.flatMap((trial) => offOf(metric, trial) ?? []) : [];
  if (offs.includes('unchecked')) return unchecked;
  const shares = offs.filter((off) => typeof off === 'number');
  const most = Math.max(0, ...shares);
  return most === 0 ? '' : shareText(most);
}

/** `3.2 ms ±12 %` */
export function withOff(text: string, which: string | Metric, trials: readonly Completed[]): string {
  const off = offText(which, trials);
  // No share of nothing is anything.
  return off === '' || (off !== unchecked && /^0(?!\.)/.test(text)) ? text : `${text} ${off}`;
}

/** No prediction is claimed to be nearer than this. */
const leastShare = 0.001;

function shareText(share: number): string {
  return `±${formatShare(Number(Math.max(share, leastShare).toPrecision(2)))}`;
}

/** `±12 %`; `±?` where nothing is known, nothing where a figure is exact. */
export function offShareText(off: number | null): string {
  if (off === null) return unchecked;
  return off === 0 ? '' : shareText(off);
}

/** What the signs beside figures mean. */
export const offMeaning =
  '± is how far off such a figure is expected to be: a typical error, no limit. For latencies and CPU it ' +
  'is how far measured points of the profile are from the values that the other points predict, and more ' +
  'outside of the points; for counts how far the models were from a few real runs. ' +
  `${unchecked}: not known.`;

/** A sentence on each profile that results were simulated from; none where all were measured. */
export function simulatedLines(results: readonly Result[]): string[] {
  const lines = results.flatMap(({ simulated, environment: e }) =>
    simulated
      ? `Simulated, not measured: computed from the profile "${simulated.profile.name}" ` +
        `(${e.cpu}, ${coresText(e)}; ` +
        `calibrated ${simulated.profile.createdAt.slice(0, 10)}) by models of version ${simulated.model}.`
      : [],
  );
  return [...new Set(lines)];
}

/** A line for each variant that was not simulated. */
export function notSimulatedLines(results: readonly Result[]): string[] {
  return results.flatMap(({ simulated }) =>
    (simulated?.leftOut ?? []).map(({ variant, reason }) => `not simulated: ${variant}: ${reason}.`),
  );
}

export type Basis = {
  label: string;
  how: string;
  /** How far outside of the profile: `inside`, `3 times outside`. */
  range: string;
  /** By kind. */
  errors: Record<ErrorKind, string>;
};

/** What each simulated variant rests on. */
export function basesOf(variants: readonly VariantTrials[]): Basis[] {
  return variants.flatMap(({ label, completed }) => {
    const marks = completed.flatMap(({ simulated }) => simulated ?? []);
    const [first] = marks;
    if (!first) return [];
    const outside = Math.max(...marks.map(({ extrapolated }) => extrapolated));
    const worst = (kind: ErrorKind) => {
      const known = marks.map(({ expectedError }) => expectedError[kind]);
      return known.includes(null) ? unchecked : shareText(Math.max(...known.map((one) => one ?? 0)));
    };
    return {
      label,
      how:
        (first.how === 'windows' ? 'parts of the time that represent the rest' : 'all of the time') +
        `, ${first.clients === 'groups' ? 'clients in groups' : 'clients one by one'}`,
      range: rangeText(outside),
      // Of all kinds.
      errors: Object.fromEntries(errorKinds.map((kind) => [kind, worst(kind)])) as Basis['errors'],
    };
  });
}

/** The kinds that are worth a column: of faults where something is known of them. */
export function kindsOf(bases: readonly Basis[]): ErrorKind[] {
  const ofFaults: readonly ErrorKind[] = faultErrorKinds;
  return errorKinds.filter(
    (kind) => !ofFaults.includes(kind) || bases.some(({ errors }) => errors[kind] !== unchecked),
  );
}

/** Within this factor of the largest or smallest point is as good as inside. */
const insideMost = 1.05;

export function rangeText(outside: number): string {
  return outside <= insideMost ? 'inside' : `${formatNumber(Number(outside.toPrecision(2)))} times outside`;
}

/** Names of variants can be long. */
const variantsListed = 4;

/** What is not in the figures, each sentence once, with the variants that it is about. */
export function leavesOutLines(variants: readonly VariantTrials[]): string[] {
  return notInFigures(
    variants.flatMap(({ own, completed }) => {
      const marks = completed.flatMap(({ simulated }) => simulated ?? []);
      return marks.map(({ leavesOut }) => ({ label: own, leavesOut }));
    }),
    variantsListed,
  );
}

/**
 * The same of anything that was simulated; a sentence about all of it names nothing.
 * @param mostNames more than this are counted
 */
export function notInFigures(
  all: readonly { label: string; leavesOut: readonly string[] }[],
  mostNames = Infinity,
): string[] {
  const labels = new Set(all.map(({ label }) => label));
  const said = all.flatMap(({ label, leavesOut }) => leavesOut.map((text) => ({ label, text })));
  return [...Map.groupBy(said, ({ text }) => text)].map(([text, same]) => {
    const names = [...new Set(same.map(({ label }) => label))];
    if (names.length === labels.size) return text;
    return `${names.length <= mostNames ? listed(names) : counted(names.length, 'variant')}: ${text}`;
  });
}
