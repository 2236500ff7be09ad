// Answers a scenario's question in words, where it names the metrics: what was lost and how late the last
// delivery came in sentences, of other metrics a list of variants from the lowest figure to the highest.

import { stepBetween, toldApart } from '../../core/metrics/alike.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { cellText } from '../../core/scenario/matrix.ts';
import { valuesText } from './figure-text.ts';
import { counted, plural } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber } from '../../core/base/units.ts';
import { missedAwayText } from './away.ts';
import { cellNames } from './cell-names.ts';
import { decidedBy } from './cells-apart.ts';
import { ranked, totalOf } from './losses.ts';
import { nameWith } from './saturated.ts';
import { nounOf } from './schedules.ts';
import { timeScaleOf } from './time-scale.ts';
import type { VariantTrials } from './variants.ts';

/** More metrics than this are in the table alone: the headline is to be read in one breath. */
const inHeadline = 2;
/** Of more variants that are apart only the lowest and the highest are named; the table has all of them. */
const mostNamed = 6;

type Known = { variant: VariantTrials; label: string; value: number; within?: readonly [number, number] };
/** Variants that no single run tells apart, with figures from the lowest on. */
type Group = readonly Known[];

/** The metrics that all results name; none where they name different ones. */
export function askedBy(results: readonly Result[]): string[] {
  const [first, ...others] = results.map(({ scenario }) => scenario.answer ?? []);
  return first && others.every((other) => other.join() === first.join())
    ? first.filter((name) => Object.hasOwn(metrics, name))
    : [];
}

/** Those of them that the headline gives. */
export function inHeadlineOf(results: readonly Result[]): string[] {
  return askedBy(results).slice(0, inHeadline);
}

/**
 * A clause for each of the first metrics, as `requests per second: 0/s (sse), 9,848/s (polling)`
 * or `nothing was lost with any schedule`; none when nothing is asked for or was measured.
 */
export function answerClauses(results: readonly Result[], variants: readonly VariantTrials[]): string[] {
  return inHeadlineOf(results).flatMap((name) => {
    const groups = groupsOf(name, variants);
    if (groups.length === 0) return [];
    if (name === 'missed') return [lossClause(groups, variants)];
    if (name === 'latency.max') return [lastClause(groups, variants)];
    if (name === 'duplicated' && isNowhere(name, groups, variants)) return ['nothing came twice'];
    return [listClause(name, groups, variants)];
  });
}

/** Whether the first clause is on what was lost: a sentence that needs no setting before it. */
export function standsAlone(results: readonly Result[], variants: readonly VariantTrials[]): boolean {
  return results.length === 1 && askedBy(results)[0] === 'missed' && groupsOf('missed', variants).length > 0;
}

function groupsOf(name: string, variants: readonly VariantTrials[]): Group[] {
  const names = cellNames(variants);
  const known = ranked(name, variants)
    .flatMap((variant): Known[] => {
      const { value, ...figure } = figureOver(name, variant.completed);
      if (value === undefined) return [];
      const within = 'within' in figure ? figure.within : undefined;
      return [
        { variant, label: nameWith(names.of(variant), variant.completed), value, ...(within && { within }) },
      ];
    })
    .sort((a, b) => a.value - b.value);
  const groups: Known[][] = [];
  for (const one of known) {
    const least = groups.at(-1)?.[0];
    if (least && !toldApart(metrics[name]!, least, one)) groups.at(-1)!.push(one);
    else groups.push([one]);
  }
  return groups;
}

/** The variants of a group; in a matrix by their cells: `sse and websocket at loss=1%; sse at loss=2%`. */
function namesIn(group: Group): string {
  const cells = Map.groupBy(group, ({ variant }) => cellText(variant.trials[0]?.cell?.parameters ?? {}));
  const parts = [...cells].map(([cell, members]) => {
    const names = members.map(({ label }) => label);
    const apart = `, ${cell}`;
    return cell !== '' && names.every((name) => name.endsWith(apart))
      ? { names: names.map((name) => name.slice(0, -apart.length)), at: ` at ${cell}` }
      : { names, at: '' };
  });
  if (parts.every(({ at }) => at === '')) return listed(parts.flatMap(({ names }) => names));
  return parts.map(({ names, at }) => `${listed(names)}${at}`).join('; ');
}
const isEvery = (group: Group, variants: readonly VariantTrials[]) =>
  group.length === variants.length && group.length > 1;

/** Whether every variant has the count, and in each of its trials it is 0. */
function isNowhere(name: string, groups: readonly Group[], variants: readonly VariantTrials[]): boolean {
  return groups.flat().length === variants.length && totalOf(name, variants) === 0;
}

function listClause(name: string, groups: readonly Group[], variants: readonly VariantTrials[]): string {
  const { title, unit } = metrics[name]!;
  const all = groups.flat();
  if (groups.length > 1 && all.length > mostNamed) {
    const [from, to] = [all[0]!, all.at(-1)!].map(
      ({ value, label }) => `${formatMetric(value, unit)} (${label})`,
    );
    return `${title}: from ${from} to ${to}`;
  }
  const parts = groups.map((group) => {
    const values = valuesText(
      group.map(({ value }) => value),
      unit,
    );
    const step = stepBetween(
      metrics[name]!,
      group.map(({ value }) => value),
    );
    const close =
      step === undefined ? 'no measurable difference' : `less than ${formatMetric(step, unit)} apart`;
    const every = values.includes(' to ') ? close : 'every variant';
    return `${values} (${isEvery(group, variants) ? every : namesIn(group)})`;
  });
  return `${title}: ${parts.join(', ')}`;
}

/** Losses add up over the trials: none of them may hide behind a median. */
function lossClause(groups: readonly Group[], variants: readonly VariantTrials[]): string {
  const all = groups.flat();
  const total = (name: string, { variant }: Known) => totalOf(name, [variant]);
  const none = all.filter((one) => total('missed', one) === 0);
  const lost = all.filter((one) => total('missed', one) > 0);
  const of = (one: Known) =>
    `${one.label} lost ${formatNumber(total('missed', one))} of ` +
    counted(total('expected', one), 'delivery', 'deliveries') +
    missedAwayText(one.variant);
  const pattern = lossPattern(all.map(({ variant }) => variant));
  if (pattern !== undefined) return pattern;
  const lossless =
    none.length === 0
      ? []
      : [
          'nothing was lost with ' +
            (lost.length > 0 && none.length > mostNamed
              ? `the other ${formatNumber(none.length)}`
              : namesIn(none)),
        ];
  if (lost.length > mostNamed) {
    const sorted = lost.toSorted((a, b) => total('missed', a) - total('missed', b));
    const [least, most] = [sorted[0]!, sorted.at(-1)!].map(of); // there are some
    const which = `${formatNumber(lost.length)} of ${formatNumber(all.length)} lost deliveries`;
    return [`${which}, from least to most: ${least} to ${most}`, ...lossless].join('; ');
  }
  if (lost.length > 0) return [listed(lost.map(of)), ...lossless].join('; ');
  if (variants.length === 1) return 'nothing was lost';
  return none.length === variants.length
    ? `nothing was lost with any ${nounOf(variants)}`
    : lossless.join('');
}

/** Where one parameter of a matrix decides who lost something: `with broker=nats nothing was lost; ...`. */
function lossPattern(variants: readonly VariantTrials[]): string | undefined {
  const missed = (variant: VariantTrials) => totalOf('missed', [variant]);
  const decided = decidedBy(variants, (variant) => missed(variant) > 0);
  if (!decided) return undefined;
  const lossy = variants.filter((variant) => missed(variant) > 0);
  const [expected, ...others] = new Set(lossy.map((variant) => totalOf('expected', [variant])));
  const counts = lossy.map(missed);
  const lost =
    `with ${decided.such} ${valuesText(counts, 'count')} ` +
    // Somebody lost something, so there is a number of which.
    (others.length === 0 ? `of ${counted(expected!, 'delivery', 'deliveries')} ` : 'deliveries ') +
    `${plural(Math.max(...counts), 'was', 'were')} lost${lossy.length > 1 ? ' in every cell' : ''}` +
    missedAwayText({ completed: lossy.flatMap(({ completed }) => completed) });
  return decided.suchFirst
    ? `${lost}; with ${decided.others} none`
    : `with ${decided.others} nothing was lost; ${lost}`;
}

/** In the schedule's own time, where its clock ran faster than the trial's. */
function lastClause(groups: readonly Group[], variants: readonly VariantTrials[]): string {
  const scale = timeScaleOf(variants);
  const parts = groups.map((group) => {
    const values = group.map(({ value }) => (scale === 1 ? value : roughly(value * scale)));
    const whole = group.length === variants.length;
    return `${valuesText(values, 'us')} late${whole ? '' : ` with ${namesIn(group)}`}`;
  });
  return `the last delivery came ${parts.join(', ')}`;
}

/** Two digits in the unit that it is written in: a time in the schedule is known to no more. */
function roughly(us: number): number {
  const unitUs = us >= 7200e6 ? 3600e6 : us >= 120e6 ? 60e6 : 1e6;
  return Number((us / unitUs).toPrecision(2)) * unitUs;
}
