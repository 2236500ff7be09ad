// Answers a scenario's question in words, where it names the metrics: for each a list of variants from the
// lowest figure to the highest.

import { toldApart } from '../../core/metrics/alike.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { valuesText } from './figure-text.ts';
import { listed } from '../../core/base/suggest.ts';
import { nameWith } from './saturated.ts';
import type { VariantTrials } from './variants.ts';

/** More metrics than this stand in the table alone: the headline is to be read in one breath. */
const inHeadline = 2;

/** The metrics that all results name; none where they name different ones. */
export function askedBy(results: readonly Result[]): string[] {
  const [first, ...others] = results.map(({ scenario }) => scenario.answer ?? []);
  return first && others.every((other) => other.join() === first.join())
    ? first.filter((name) => Object.hasOwn(metrics, name))
    : [];
}

/**
 * A clause for each of the first metrics, as `requests a second: 0/s (sse and websocket), 9,848/s (polling)`;
 * none when nothing is asked for or was measured.
 */
export function answerClauses(results: readonly Result[], variants: readonly VariantTrials[]): string[] {
  return askedBy(results)
    .slice(0, inHeadline)
    .flatMap((name) => {
      const metric = metrics[name]!;
      const known = variants
        .flatMap(({ label, completed }) => {
          const figure = figureOver(name, completed);
          return figure.value === undefined ? [] : [{ ...figure, label: nameWith(label, completed) }];
        })
        .sort((a, b) => a.value - b.value);
      const groups: (typeof known)[] = [];
      for (const one of known) {
        const least = groups.at(-1)?.[0];
        if (least && !toldApart(metric, least, one)) groups.at(-1)!.push(one);
        else groups.push([one]);
      }
      const parts = groups.map((group) => {
        const who =
          group.length === variants.length && group.length > 1
            ? 'all alike'
            : listed(group.map(({ label }) => label));
        const values = group.map(({ value }) => value);
        return `${valuesText(values, metric.unit)} (${who})`;
      });
      return parts.length === 0 ? [] : [`${metric.title}: ${parts.join(', ')}`];
    });
}
