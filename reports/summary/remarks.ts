// Says what must be said beside the answer: what was lost or came twice, what has no figure and why, and what
// was cut short. Everything is of the trials whose counts stand.

import { figureOf, figureOver, metrics } from '../../core/metrics/registry.ts';
import { cutShortText } from '../../core/result/missing.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import type { Result } from '../../core/result/result.ts';
import { counted } from '../../core/base/counted.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { listed } from '../../core/base/suggest.ts';
import { awayOf, missedAwayText } from './away.ts';
import { readings, totalOf, whatCameText } from './losses.ts';
import { resultNames, wasRetried, type VariantTrials } from './variants.ts';

/** A publisher that waits this long is held up by deliveries. */
const longPublishingUs = 1_000_000;
/** A backlog that is worth a word. */
const backlogSaid = 100;
/** More names than this are counted and not listed. */
export const namesListed = 6;

/** @param said metrics that the answer speaks of: a variant without a figure of one of them is named */
export function remarksOf(
  results: readonly Result[],
  variants: readonly VariantTrials[],
  said: readonly string[],
): string[] {
  // An answer that is about losses names them itself.
  const answersLoss = said[0] === 'missed' || said[1] === 'missed';
  const losses = answersLoss ? [] : variants.flatMap((variant) => lossOf(variant) ?? []);
  return [
    ...publishing(variants),
    ...madeAgain(variants, answersLoss),
    ...(losses.length > namesListed
      ? [`${losses.length} variants missed deliveries.`]
      : losses.length > 0
        ? [`${listed(losses)}.`]
        : []),
    ...away(variants),
    ...ofWhatCame(variants, said),
    ...withoutFigures(variants, said),
    ...cutShort(results),
  ];
}

/** A loss says little without how long clients were away. */
function away(variants: readonly VariantTrials[]): string[] {
  const text = awayOf(variants);
  return text === undefined ? [] : [`${sentenceStart(text)}.`];
}

/** Where the answer is about latencies: those of which variants are not whole. */
function ofWhatCame(variants: readonly VariantTrials[], said: readonly string[]): string[] {
  if (!said.some((name) => metrics[name]?.ofWhatCame)) return [];
  return [whatCameText(variants) ?? []].flat();
}

/** The variants that the answer leaves out, and why. */
function withoutFigures(variants: readonly VariantTrials[], said: readonly string[]): string[] {
  const out = variants
    // Trials of a search that do not count are among its steps.
    .filter(({ result }) => result.searches === undefined)
    .flatMap((variant) => {
      const name = said.find((one) => isSpoilt(variant, one));
      return name === undefined ? [] : [{ variant, name }];
    });
  if (out.length === 0) return [];
  // Of two metrics the other one may well have their figures.
  const [spoilt, ...others] = new Set(out.map(({ name }) => name));
  const partly = said.length > 1 && others.length === 0 && out.every(({ variant }) => !variant.failed);
  const what = partly ? `the ${metrics[spoilt!]!.title}` : 'this answer';
  if (out.length > namesListed)
    return [`${out.length} of ${variants.length} variants are left out of ${what}; the warnings say why.`];
  const reasons = out.map(({ variant, name }) => whyNoFigure(variant, name)).join('; ');
  return [`Left out of ${what}: ${reasons}.`];
}

/** Whether each trial that would have given its figure failed, or what the figure rests on is void. */
function isSpoilt({ completed, failed }: VariantTrials, name: string): boolean {
  if (failed !== undefined) return true;
  const figure = figureOver(name, completed);
  return figure.value === undefined && figure.voided !== undefined;
}

/** Why a variant has no figure of a metric: `sse failed`, `sse (load limited)`. */
export function whyNoFigure({ label, failed, completed, trials }: VariantTrials, name: string): string {
  if (failed !== undefined) return `${label} failed`;
  const figure = figureOver(name, completed);
  if (figure.value !== undefined) return label;
  if (!figure.voided) return `${label} (${figure.why})`;
  const warned = trials.flatMap(({ warnings }) => warnings.filter(({ level }) => level === 'invalid'));
  const codes = [...new Set(warned.map(({ code }) => code))];
  // An older result does not say which of its warnings it was.
  const own = codes.filter((code) => figure.voided!.includes(code));
  const named = own.length > 0 ? own : codes;
  return `${label} (${named.map((code) => code.replaceAll('-', ' ')).join(', ') || figure.why})`;
}

/** A sentence on each result that is not a whole run. */
export function cutShort(results: readonly Result[]): string[] {
  const names = resultNames(results);
  return results.flatMap((result, i) => {
    const text = cutShortText(result);
    return text === undefined ? [] : [names[i] === '' ? text : `${names[i]}: ${text}`];
  });
}

/** How long publishers waited, where that is the difference. */
function publishing(variants: readonly VariantTrials[]): string[] {
  const waits = variants
    .flatMap((variant) => {
      const us = readings('publish-round-trip.max', [variant]);
      return us.length === 0 ? [] : [{ label: variant.label, us: Math.max(...us) }];
    })
    .sort((a, b) => a.us - b.us);
  const [least, most] = [waits[0], waits.at(-1)];
  if (!least || !most || most.us < longPublishingUs || most.us < 4 * least.us) return [];
  return [
    `Publishing took up to ${formatUs(most.us)} with ${most.label}, ` +
      `up to ${formatUs(least.us)} with ${least.label}.`,
  ];
}

/**
 * Where deliveries were made again: what that saved, what came twice and why, what queued
 * up, and who kept the order.
 */
function madeAgain(variants: readonly VariantTrials[], answersLoss: boolean): string[] {
  const retried = variants.filter(({ completed }) => completed.some(wasRetried));
  if (retried.length === 0) return [];
  const most = (name: string) => Math.max(0, ...readings(name, retried));
  const twice = totalOf('duplicated', retried);
  const unexplained = totalOf('duplicated.unexplained', retried);
  const inOrder = (variant: VariantTrials) => totalOf('reordered', [variant]) === 0;
  const [kept, broken] = [retried.filter(inOrder), retried.filter((variant) => !inOrder(variant))];
  const names = (of: readonly VariantTrials[]) =>
    of.length > namesListed ? `${of.length} variants` : listed(of.map(({ label }) => label));
  return [
    ...(answersLoss ? [] : noneMissed(variants, names)),
    ...(twice > 0
      ? [
          `${counted(twice, 'delivery', 'deliveries')} came twice, ` +
            (unexplained === 0
              ? 'each after a lost answer'
              : `${formatNumber(unexplained)} of them without a lost answer`) +
            '.',
        ]
      : []),
    ...(most('backlog.peak') >= backlogSaid
      ? [
          `The backlog peaked at ${formatNumber(most('backlog.peak'))} deliveries and was ` +
            `${formatNumber(most('backlog.end'))} at the end of the measured phase.`,
        ]
      : []),
    ...(kept.length > 0 && broken.length > 0 ? [`Only ${names(kept)} kept the order.`] : []),
  ];
}

/** Said of the variants of which every trial's losses stand; of all only where those are all. */
function noneMissed(
  variants: readonly VariantTrials[],
  names: (of: readonly VariantTrials[]) => string,
): string[] {
  if (totalOf('missed', variants) > 0) return [];
  const known = variants.filter(
    ({ trials, completed }) =>
      completed.length === trials.length &&
      completed.every((trial) => figureOf('missed', trial).value !== undefined),
  );
  if (known.length === 0) return [];
  return [known.length === variants.length ? 'Nothing was lost.' : `Nothing was lost with ${names(known)}.`];
}

/** Losses add up over the trials: none of them may hide behind a median. */
function lossOf(variant: VariantTrials): string | undefined {
  const [missed, expected] = [totalOf('missed', [variant]), totalOf('expected', [variant])];
  return missed === 0
    ? undefined
    : `${variant.label} missed ${formatNumber(missed)} of ${counted(expected, 'delivery', 'deliveries')}` +
        missedAwayText(variant);
}
