// Answers a scenario's question in words, where it names the metrics: for each a list of variants from the
// lowest figure to the highest.

import { metrics, tooFewSamples } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { listed } from './notices.ts';
import { formatMetric, medianOf } from './summary-table.ts';
import type { VariantTrials } from './variants.ts';

/** Figures closer than this, as a ratio, are told apart by no single run. */
const alikeRatio = 1.25;
/** More metrics than this stand in the table alone: the headline is to be read in one breath. */
const inHeadline = 2;

/** The metrics that all results name; none where they name different ones. */
export function askedBy(results: readonly Result[]): string[] {
  const [first, ...others] = results.map(({ scenario }) => scenario.answer ?? []);
  return first && others.every((other) => other.join() === first.join())
    ? first.filter((name) => Object.hasOwn(metrics, name))
    : [];
}

/** The variant's figure, where all of its trials count and have one. */
export function figureOf(name: string, { completed, valid }: VariantTrials): number | undefined {
  const values = completed
    .filter((trial) => tooFewSamples(name, trial) === undefined)
    .flatMap((trial) => metrics[name]!.read(trial) ?? []);
  return valid && values.length > 0 && values.length === completed.length ? medianOf(values) : undefined;
}

/**
 * A clause for each of the first metrics, as `requests a second: 0/s (sse and websocket), 9,848/s (polling)`;
 * none when nothing is asked for or was measured.
 */
export function answerClauses(results: readonly Result[], variants: readonly VariantTrials[]): string[] {
  return askedBy(results)
    .slice(0, inHeadline)
    .flatMap((name) => {
      const { title, unit } = metrics[name]!;
      const known = variants
        .flatMap((variant) => {
          const value = figureOf(name, variant);
          return value === undefined ? [] : [{ label: variant.label, value }];
        })
        .sort((a, b) => a.value - b.value);
      const groups: (typeof known)[] = [];
      for (const one of known) {
        const least = groups.at(-1)?.[0]?.value;
        if (least !== undefined && (one.value === least || one.value < least * alikeRatio))
          groups.at(-1)!.push(one);
        else groups.push([one]);
      }
      const text = (value: number) =>
        formatMetric(unit === 'count' || unit === 'per-s' ? rounded(value) : value, unit);
      const parts = groups.map((group) => {
        const [least, most] = [text(group[0]!.value), text(group.at(-1)!.value)];
        const who =
          group.length === variants.length && group.length > 1
            ? 'all alike'
            : listed(group.map(({ label }) => label));
        return `${least === most ? least : `${least} to ${most}`} (${who})`;
      });
      return parts.length === 0 ? [] : [`${title}: ${parts.join(', ')}`];
    });
}

/** Three digits, or whole numbers where there are more. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
