// Draws the table of the metrics that a scenario's question asks for.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { noFigureText, rangeText, withRange } from '../summary/figure-text.ts';
import { askedBy } from '../summary/answer.ts';
import { withOff } from '../summary/simulated.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';

/** More metrics than this do not fit beside one another: then each has a row, and each variant a column. */
const mostColumns = 6;

/** All of the metrics, for each variant; nothing where the scenario names none. */
export function answerSection(results: readonly Result[], variants: readonly VariantTrials[]): Markup {
  const names = askedBy(results);
  if (names.length === 0) return html``;
  const titles = names.map((name) => metrics[name]!.title);
  const [columns, rows] =
    names.length > mostColumns
      ? [
          ['metric', ...variants.map(({ label }) => label)],
          names.map((name, i) => ({
            head: titles[i]!,
            cells: variants.map((variant) => textOf(name, variant)),
          })),
        ]
      : [
          ['variant', ...titles],
          variants.map((variant) => ({
            head: variant.label,
            cells: names.map((name) => textOf(name, variant)),
          })),
        ];
  return html`<h2>What the question asks for</h2>
    ${tableMarkup('Figures of the valid trials', columns, rows)}`;
}

function textOf(name: string, { completed }: VariantTrials): string {
  const { unit } = metrics[name]!;
  const figure = figureOver(name, completed);
  if (figure.value === undefined) return noFigureText(figure, unit);
  const { value, within, off } = figure;
  if (off !== undefined) return withOff(formatMetric(value, unit), name, completed);
  return withRange(formatMetric(value, unit), within && rangeText(within, unit));
}
