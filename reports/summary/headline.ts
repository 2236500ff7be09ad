// Says the answer in one sentence, derived from the figures and claiming no more than they carry.

import { alike } from '../../core/metrics/alike.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import { cutShortText } from '../../core/result/missing.ts';
import type { Result } from '../../core/result/result.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { answerClauses } from './answer.ts';
import { wasRetried } from './variants.ts';
import { curveHeadline } from './curve-data.ts';
import { listed } from './notices.ts';
import { nameWith } from './saturated.ts';
import { valuesText } from './figure-text.ts';
import { rateText, resultNames, subscribersText, variantsOf, type VariantTrials } from './variants.ts';

/** What variants are ordered by, and what is said with it: each by its name in core/metrics. */
const [half, tail, asked] = ['latency.p50', 'latency.p99', 'requests-per-delivery'] as const;
/** A publisher that waits this long is held up by deliveries. */
const longPublishingUs = 1_000_000;
/** A backlog that is worth a word. */
const backlogSaid = 100;
/** More names than this are counted and not listed. */
const namesListed = 6;

type Figures = {
  variant: VariantTrials;
  p50Us: number;
  p99Us: number | undefined;
  requests: number | undefined;
};

/** The answer and what must be said with it, in a line. */
export function headlineOf(results: readonly Result[]): string {
  const { answer, remarks } = headlinesOf(results);
  return [answer, ...remarks].join(' ');
}

/** One sentence, and what was lost, does not count or was cut short; what cannot be said is said to be so. */
export function headlinesOf(results: readonly Result[]): { answer: string; remarks: string[] } {
  const variants = results.length === 1 ? shortly(variantsOf(results)) : variantsOf(results);
  const overCells = curveHeadline(variants);
  const usable = variants.filter((variant) => variant.valid && variant.completed.length > 0);
  if (overCells !== undefined) return { answer: overCells, remarks: remarksOf(results, variants, usable) };
  const clauses = answerClauses(results, usable);
  if (clauses.length > 0)
    return {
      answer: `${settingOf(results)} ${clauses.join('; ')}.`,
      remarks: remarksOf(results, variants, usable),
    };
  if (usable.length === 0)
    return {
      answer: `${settingOf(results)} nothing can be said: ${whyNot(variants)}.`,
      remarks: cutShort(results),
    };
  const figures = usable
    .map(figuresOf)
    .filter((one) => one !== undefined)
    .sort((a, b) => a.p50Us - b.p50Us);
  const [first] = figures;
  if (!first)
    return {
      answer: `${settingOf(results)} nothing can be said: ${whyNoMedian(usable)}.`,
      remarks: cutShort(results),
    };
  const soonest = figures.filter(({ p50Us }) => alike(metrics[half]!, first.p50Us, p50Us));
  const slowest = figures.at(-1)!; // there is a first
  const answer =
    `${settingOf(results)} ${leaders(soonest, figures, usable.length)}` +
    (soonest.includes(slowest) ? '' : `; ${trailing(slowest, figures)}`) +
    '.';
  return { answer, remarks: remarksOf(results, variants, usable) };
}

function remarksOf(
  results: readonly Result[],
  variants: readonly VariantTrials[],
  usable: readonly VariantTrials[],
): string[] {
  const losses = usable.flatMap((variant) => lossOf(variant) ?? []);
  // Trials of a search that do not count are among its steps.
  const unusable = variants.filter(
    (variant) => variant.result.searches === undefined && !usable.includes(variant),
  ).length;
  return [
    ...publishing(usable),
    ...madeAgain(usable),
    ...(losses.length > namesListed
      ? [`${losses.length} variants missed deliveries.`]
      : losses.length > 0
        ? [`${listed(losses)}.`]
        : []),
    ...(unusable > namesListed
      ? [`${unusable} of ${variants.length} variants do not count; the reasons stand with the warnings.`]
      : []),
    ...(unusable > 0 && unusable <= namesListed
      ? [`${unusable === 1 ? 'One variant does' : `${unusable} variants do`} not count: ${whyNot(variants)}.`]
      : []),
    ...cutShort(results),
  ];
}

/** A sentence on each result that is no whole run. */
function cutShort(results: readonly Result[]): string[] {
  const names = resultNames(results);
  return results.flatMap((result, i) => {
    const text = cutShortText(result);
    return text === undefined ? [] : [names[i] === '' ? text : `${names[i]}: ${text}`];
  });
}

/** How long publishers waited, where that is the difference. */
function publishing(usable: readonly VariantTrials[]): string[] {
  const waits = usable
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
function madeAgain(usable: readonly VariantTrials[]): string[] {
  const retried = usable.filter(({ completed }) => completed.some(wasRetried));
  if (retried.length === 0) return [];
  const most = (name: string) => Math.max(0, ...readings(name, retried));
  const twice = totalOf('duplicated', retried);
  const unexplained = totalOf('duplicated.unexplained', retried);
  const inOrder = (variant: VariantTrials) => totalOf('reordered', [variant]) === 0;
  const [kept, broken] = [retried.filter(inOrder), retried.filter((variant) => !inOrder(variant))];
  const names = (of: readonly VariantTrials[]) =>
    of.length > namesListed ? `${of.length} variants` : listed(of.map(({ label }) => label));
  return [
    ...(totalOf('missed', usable) === 0 ? ['No delivery was missed.'] : []),
    ...(twice > 0
      ? [
          `${formatNumber(twice)} came twice, ` +
            (unexplained === 0
              ? 'each after an answer that was lost'
              : `${formatNumber(unexplained)} of them without a lost answer`) +
            '.',
        ]
      : []),
    ...(most('backlog.peak') >= backlogSaid
      ? [
          `The backlog rose to ${formatNumber(most('backlog.peak'))} at the most and was ` +
            `${formatNumber(most('backlog.end'))} as the measured phase ended.`,
        ]
      : []),
    ...(kept.length > 0 && broken.length > 0 ? [`Only ${names(kept)} kept the order.`] : []),
  ];
}

/** Without the options that all variants share, where they are of one pattern and still told apart. */
function shortly(variants: readonly VariantTrials[]): readonly VariantTrials[] {
  const words = variants.map(({ label }) => label.split(' '));
  const [first = []] = words;
  const shared = new Set(first.slice(1).filter((word) => words.every((others) => others.includes(word))));
  const short = words.map((own) => own.filter((word) => !shared.has(word)).join(' '));
  const apart = new Set(short).size === short.length && new Set(words.map(([pattern]) => pattern)).size === 1;
  return variants.length > 1 && apart
    ? variants.map((variant, i) => ({ ...variant, label: short[i]!, own: short[i]! }))
    : variants;
}

function figuresOf(variant: VariantTrials): Figures | undefined {
  const figure = (name: string) => figureOver(name, variant.completed).value;
  const p50Us = figure(half);
  return p50Us === undefined ? undefined : { variant, p50Us, p99Us: figure(tail), requests: figure(asked) };
}

function whyNoMedian(usable: readonly VariantTrials[]): string {
  if (usable.every(({ completed }) => completed.every(({ latency }) => latency.endToEnd.count === 0)))
    return 'no event was delivered';
  const whys = usable.flatMap(({ completed }) => {
    const figure = figureOver(half, completed);
    return figure.value === undefined ? [figure.why] : [];
  });
  return `too few deliveries for a median (${[...new Set(whys)].join('; ')})`;
}

/** @param of how many variants there are, those without a median included */
function leaders(soonest: readonly Figures[], all: readonly Figures[], of: number): string {
  const p99s = soonest.map(({ p99Us }) => p99Us).filter((p99Us) => p99Us !== undefined);
  const within99 = p99s.length < soonest.length ? '' : `, 99 % within ${formatUs(Math.max(...p99s))}`;
  const p50s = soonest.map(({ p50Us }) => p50Us);
  const within = `half of the deliveries within ${valuesText(p50s, 'us')}${within99}`;
  const who = namesOf(soonest, all);
  if (all.length === 1) return `${who} brought ${within}`;
  if (soonest.length === of) return `all variants delivered alike (${within})`;
  return `${who} delivered soonest${soonest.length === 1 ? '' : ', and alike'} (${within})`;
}

/** The variant that took longest, in all results where it took about as long. */
function trailing(slowest: Figures, all: readonly Figures[]): string {
  const same = all.filter(
    ({ variant, p50Us }) =>
      variant.own === slowest.variant.own && alike(metrics[half]!, p50Us, slowest.p50Us),
  );
  const requests = same.flatMap((one) => one.requests ?? []);
  const cost =
    Math.max(0, ...requests) > 0
      ? `, ${valuesText(requests, metrics[asked]!.unit)} ${metrics[asked]!.title}`
      : '';
  const p50s = same.map(({ p50Us }) => p50Us);
  return `${namesOf(same, all)} took longest (half within ${valuesText(p50s, 'us')}${cost})`;
}

/** A variant that is meant in every result is called by its own label alone. */
function namesOf(meant: readonly Figures[], all: readonly Figures[]): string {
  const count = (figures: readonly Figures[], own: string) =>
    figures.filter(({ variant }) => variant.own === own).length;
  const names = [
    ...new Set(
      meant.map(({ variant: { own, label, completed } }) =>
        nameWith(count(meant, own) === count(all, own) ? own : label, completed),
      ),
    ),
  ];
  return names.length <= namesListed
    ? listed(names)
    : listed([...names.slice(0, namesListed - 2), `${names.length - namesListed + 2} others`]);
}

/** Losses add up over the trials: none of them may hide behind a median. */
function lossOf(variant: VariantTrials): string | undefined {
  const [missed, expected] = [totalOf('missed', [variant]), totalOf('expected', [variant])];
  return missed === 0
    ? undefined
    : `${variant.label} missed ${formatNumber(missed)} of ${formatNumber(expected)} deliveries`;
}

/** A count over all trials of the variants. */
function totalOf(name: string, variants: readonly VariantTrials[]): number {
  return readings(name, variants).reduce((sum, value) => sum + value, 0);
}

/** A metric of each trial of the variants that has it. */
function readings(name: string, variants: readonly VariantTrials[]): number[] {
  return variants.flatMap(({ completed }) => completed.flatMap((trial) => metrics[name]!.read(trial) ?? []));
}

function settingOf(results: readonly Result[]): string {
  const settings = new Set(
    results.map(({ scenario }) => `${subscribersText(scenario)} and ${rateText(scenario)}`),
  );
  const [setting] = settings;
  if (settings.size > 1) return `Over ${results.length} results,`;
  return results.length === 1 ? `With ${setting},` : `In ${results.length} runs with ${setting},`;
}

function whyNot(variants: readonly VariantTrials[]): string {
  const reasons = variants
    .filter(({ valid }) => !valid)
    .map(({ label, failed, trials }) => {
      const codes = trials
        .flatMap(({ warnings }) => warnings)
        .filter(({ level }) => level === 'invalid')
        .map(({ code }) => code.replaceAll('-', ' '));
      return failed === undefined ? `${label} (${[...new Set(codes)].join(', ')})` : `${label} failed`;
    });
  return reasons.length === 0 ? 'no trial was measured' : reasons.join('; ');
}
