// Draws the figures of the metrics that a scenario's question asks for: a row for each variant, or of a large
// matrix a small table for each metric, in which the pattern is seen at a glance.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import { listed } from '../../core/base/suggest.ts';
import type { Result } from '../../core/result/result.ts';
import { noFigureText, rangeText } from '../summary/figure-text.ts';
import { askedBy } from '../summary/answer.ts';
import { withOff } from '../summary/simulated.ts';
import { axesOf, valueText, type Axis } from '../summary/cells-apart.ts';
import { isOfWhatCame } from '../summary/losses.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { html, type Markup } from './markup.ts';
import { tableMarkup } from './table-markup.ts';

/** More metrics than this do not fit beside one another: then each has a row, and each variant a column. */
const mostColumns = 6;
/** A matrix of more variants is read by its rows and columns, not down a list. */
const mostRows = 6;

/** All of the metrics, for each variant; nothing where the scenario names none. */
export function answerSection(results: readonly Result[], variants: readonly VariantTrials[]): Markup {
  const names = askedBy(results);
  if (names.length === 0) return html``;
  const known = names.filter((name) => !hasNone(name, variants));
  return html`<h2>What the question asks for</h2>
    ${known.length > 0 && tablesOf(known, variants)}
    ${noneLines(
      names.filter((name) => hasNone(name, variants)),
      variants,
    ).map((line) => html`<p class="dim">${line}</p>`)}`;
}

/** Whether no variant has anything of it to show: a table of dashes says less than a sentence. */
function hasNone(name: string, variants: readonly VariantTrials[]): boolean {
  return variants.every(({ completed }) => {
    const figure = figureOver(name, completed);
    return figure.value === undefined && !figure.voided && figure.atLeast === undefined;
  });
}

/** A sentence for each reason: `No figure for median time away: no subscriber was away.` */
function noneLines(names: readonly string[], variants: readonly VariantTrials[]): string[] {
  const all = names.map((name) => {
    const whys = variants.flatMap(({ completed }) => {
      const figure = figureOver(name, completed);
      return figure.value === undefined && figure.why !== '' ? [figure.why] : [];
    });
    return { title: metrics[name]!.title, why: [...new Set(whys)].join('; ') };
  });
  return [...Map.groupBy(all, ({ why }) => why)].map(
    ([why, same]) =>
      `No figure for ${listed(same.map(({ title }) => title))}${why === '' ? '' : `: ${why}`}.`,
  );
}

function tablesOf(names: readonly string[], variants: readonly VariantTrials[]): Markup {
  const axes = variants.length > mostRows ? axesOf(variants) : [];
  const [down] = axes.toSorted((a, b) => b.values.length - a.values.length);
  if (down !== undefined && axes.length > 1) {
    const across = axes.filter((axis) => axis !== down);
    return html`<div class="grids">${names.map((name) => gridMarkup(name, variants, down, across))}</div>`;
  }
  const titles = names.map((name) => metrics[name]!.title);
  const turned = names.length > mostColumns && variants.length <= mostColumns;
  return tableMarkup(
    'Figures of the valid trials',
    turned ? ['metric', ...variants.map(({ label }) => label)] : ['variant', ...titles],
    turned
      ? names.map((name, i) => ({
          head: titles[i]!,
          cells: variants.map((variant) => cellMarkup(name, variant)),
        }))
      : variants.map((variant) => ({
          head: variant.label,
          cells: names.map((name) => cellMarkup(name, variant)),
        })),
    'main blocks',
  );
}

/** A metric over the matrix: its largest axis down, all combinations of the others across. */
function gridMarkup(
  name: string,
  variants: readonly VariantTrials[],
  down: Axis,
  across: readonly Axis[],
): Markup {
  const { title } = metrics[name]!;
  const placeOf = (variant: VariantTrials) =>
    across.map((axis) => valueText(axis, axis.of(variant))).join(', ');
  const places = [...new Set(variants.map(placeOf))];
  const most = Math.max(...variants.map(({ completed }) => figureOver(name, completed).value ?? 0));
  return tableMarkup(
    `${title}, by ${down.name} and ${listed(across.map((axis) => axis.name))}`,
    [down.name, ...places],
    down.values.map((value) => ({
      head: valueText(down, value),
      cells: places.map((place) => {
        const variant = variants.find((one) => down.of(one) === value && placeOf(one) === place);
        return variant ? cellMarkup(name, variant, most) : '—';
      }),
    })),
    'main',
  );
}

/** @param most the largest figure of its table, where a bar is to show what part of it this is */
function cellMarkup(name: string, variant: VariantTrials, most = 0): Markup | string {
  const { unit } = metrics[name]!;
  const figure = figureOver(name, variant.completed);
  if (figure.value === undefined)
    return figure.voided ? html`<span class="void">void</span>` : noFigureText(figure, unit);
  const { value, within, off } = figure;
  const range = within === undefined ? '' : rangeText(within, unit);
  const came = isOfWhatCame(name, variant);
  const kind = name === 'missed' ? (value > 0 ? 'bad' : 'good') : '';
  const plain = formatMetric(value, unit);
  const text = off === undefined ? plain : withOff(plain, name, variant.completed);
  return html`${kind === '' ? text : html`<span class="${kind}">${text}</span>`}${
    range !== '' && html`<small>${range}</small>`
  }${came && html`<small>of deliveries that arrived</small>`}${
    most > 0 && !came && html`<i class="bar"><i style="width:${((100 * value) / most).toFixed(1)}%"></i></i>`
  }`;
}
