// Draws the table of webhook deliveries by attempt, shown where some needed more than one.

import { figureOf, trialsFor } from '../../core/metrics/registry.ts';
import { attemptQuantileUs } from '../../core/metrics/latency.ts';
import { meanUs, rangeUs, samplesOf } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import type { Completed } from '../../core/result/result.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';
import { perTrial } from './trial-tables.ts';
import { wasRetried, type VariantTrials } from '../summary/variants.ts';

export function attemptSection(variants: readonly VariantTrials[]): Markup {
  const retried = variants
    .map((variant) => ({ ...variant, completed: variant.completed.filter(wasRetried) }))
    .filter(({ completed }) => completed.length > 0);
  if (retried.length === 0) return html``;
  const count = (name: string) => (trial: Completed) => {
    const figure = figureOf(name, trial);
    return figure.value === undefined ? (figure.voided ? 'void' : '') : formatNumber(figure.value);
  };
  const columns: [string, (trial: Completed) => string][] = [
    ['attempts per delivery', count('attempts-per-event')],
    ['answers lost', count('answers-lost')],
    ['duplicates', count('duplicated')],
    ['not explained by lost answers', count('duplicated.unexplained')],
    ['peak backlog', count('backlog.peak')],
    ['backlog at the end', count('backlog.end')],
  ];
  const byAttempt = retried.flatMap(({ label, completed }) =>
    trialsFor({ rests: ['latency'] }, completed).flatMap((trial) =>
      (trial.latencyByAttempt ?? []).map(({ attempt, histogram }) => {
        const latency = histogramOf(histogram);
        const text = (us: number | undefined) => {
          if (us === undefined) return '—';
          return us === Infinity ? `above ${formatUs(rangeUs(latency))}` : formatUs(us);
        };
        const at = (quantile: number) => text(attemptQuantileUs(trial, histogram, quantile));
        return {
          head: label,
          cells: [
            String(attempt),
            formatNumber(samplesOf(latency)),
            text(meanUs(latency)),
            at(0.5),
            at(0.9),
            at(1),
          ],
        };
      }),
    ),
  );
  return html`<h2>Attempts</h2>
    <p>
      A receiver that acted on a request but could not say so gets it again: each lost answer explains one
      duplicate.
    </p>
    ${tableMarkup(
      'Retries over the whole trial',
      ['variant', ...columns.map(([head]) => head)],
      perTrial(retried, (trial) => columns.map(([, cell]) => cell(trial))),
    )}
    ${
      byAttempt.length > 0 &&
      tableMarkup(
        'Latency by attempt',
        ['variant', 'attempt', 'deliveries', 'mean', 'median', '90 %', 'maximum'],
        byAttempt,
      )
    }`;
}
