// The answer in one sentence, derived from the figures and claiming no more than they carry.

import { metrics } from '../../core/metrics/registry.ts';
import { histogramOf } from '../../core/metrics/metric.ts';
import { quantileUs } from '../../core/result/histogram.ts';
import { cutShortText } from '../../core/result/missing.ts';
import type { Completed, Result } from '../../core/result/result.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { answerClauses } from './answer.ts';
import { wasRetried } from './variants.ts';
import { curveHeadline } from './curve-data.ts';
import { listed } from './notices.ts';
import { medianOf } from './summary-table.ts';
import { rateText, resultNames, subscribersText, variantsOf, type VariantTrials } from './variants.ts';

/** Medians closer than this, as a ratio, are told apart by no single run. */
const alikeRatio = 1.25;
/** Nor are medians that differ by less than a timer's step. */
const alikeUs = 1000;
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
  requestsPerDelivery: number;
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
      answer: `${settingOf(results)} nothing can be said: no event was delivered.`,
      remarks: cutShort(results),
    };
  const alike = figures.filter(
    ({ p50Us }) => p50Us - first.p50Us < alikeUs || p50Us / first.p50Us < alikeRatio,
  );
  const slowest = figures.at(-1)!; // there is a first
  const answer =
    `${settingOf(results)} ${leaders(alike, figures)}` +
    (alike.includes(slowest) ? '' : `; ${trailing(slowest, figures)}`) +
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
    .flatMap(({ label, completed }) => {
      const us = completed
        .map((trial) => metrics['publish-round-trip.max']!.read(trial))
        .filter((value) => value !== undefined);
      return us.length === 0 ? [] : [{ label, us: Math.max(...us) }];
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
  const sum = (of: readonly VariantTrials[], read: (trial: Completed) => number) =>
    of.reduce((total, { completed }) => total + completed.reduce((part, trial) => part + read(trial), 0), 0);
  const metric = (name: string) => (trial: Completed) => metrics[name]!.read(trial) ?? 0;
  const most = (name: string) => Math.max(...retried.flatMap(({ completed }) => completed.map(metric(name))));
  const twice = sum(retried, ({ ledger }) => ledger.duplicated);
  const unexplained = sum(retried, metric('duplicated.unexplained'));
  const inOrder = (variant: VariantTrials) => sum([variant], ({ ledger }) => ledger.reordered) === 0;
  const [kept, broken] = [retried.filter(inOrder), retried.filter((variant) => !inOrder(variant))];
  const names = (of: readonly VariantTrials[]) =>
    of.length > namesListed ? `${of.length} variants` : listed(of.map(({ label }) => label));
  return [
    ...(sum(usable, ({ ledger }) => ledger.missed) === 0 ? ['No delivery was missed.'] : []),
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
  const { completed } = variant;
  const over = (read: (trial: Completed) => number | undefined) =>
    completed.map(read).filter((value) => value !== undefined);
  const p50s = over((trial) => quantileUs(histogramOf(trial.latency.endToEnd), 0.5));
  if (p50s.length === 0) return undefined;
  const enough = completed.every((trial) => trial.latency.endToEnd.count >= 10_000);
  const { fullPolls, emptyPolls } = completed[0]!.counters.clientMeasured;
  return {
    variant,
    p50Us: medianOf(p50s),
    p99Us: enough
      ? medianOf(over((trial) => quantileUs(histogramOf(trial.latency.endToEnd), 0.99)))
      : undefined,
    requestsPerDelivery: (fullPolls + emptyPolls) / Math.max(1, completed[0]!.measuredDeliveries),
  };
}

function leaders(alike: readonly Figures[], all: readonly Figures[]): string {
  const p99s = alike.map(({ p99Us }) => p99Us).filter((p99Us) => p99Us !== undefined);
  const tail = p99s.length < alike.length ? '' : `, 99 % within ${formatUs(Math.max(...p99s))}`;
  const within = `half of the deliveries within ${rangeText(
    alike.map(({ p50Us }) => p50Us),
    formatUs,
  )}${tail}`;
  const who = namesOf(alike, all);
  if (all.length === 1) return `${who} brought ${within}`;
  if (alike.length === all.length) return `all variants delivered alike (${within})`;
  return `${who} delivered soonest${alike.length === 1 ? '' : ', and alike'} (${within})`;
}

/** The variant that took longest, in all results where it took about as long. */
function trailing(slowest: Figures, all: readonly Figures[]): string {
  const same = all.filter(
    ({ variant, p50Us }) => variant.own === slowest.variant.own && slowest.p50Us / p50Us < alikeRatio,
  );
  const requests = same.map(({ requestsPerDelivery }) => Number(requestsPerDelivery.toPrecision(2)));
  const asked =
    Math.max(...requests) > 0 ? `, ${rangeText(requests, formatNumber)} requests per delivery` : '';
  return `${namesOf(same, all)} took longest (half within ${rangeText(
    same.map(({ p50Us }) => p50Us),
    formatUs,
  )}${asked})`;
}

/** A variant that is meant in every result is called by its own label alone. */
function namesOf(meant: readonly Figures[], all: readonly Figures[]): string {
  const count = (figures: readonly Figures[], own: string) =>
    figures.filter(({ variant }) => variant.own === own).length;
  const names = [
    ...new Set(
      meant.map(({ variant: { own, label } }) => (count(meant, own) === count(all, own) ? own : label)),
    ),
  ];
  return names.length <= namesListed
    ? listed(names)
    : listed([...names.slice(0, namesListed - 2), `${names.length - namesListed + 2} others`]);
}

function rangeText(values: readonly number[], format: (value: number) => string): string {
  const [least, most] = [format(Math.min(...values)), format(Math.max(...values))];
  return least === most ? least : `${least} to ${most}`;
}

function lossOf({ label, completed }: VariantTrials): string | undefined {
  const sum = (read: (trial: Completed) => number) =>
    completed.reduce((total, trial) => total + read(trial), 0);
  const missed = sum(({ ledger }) => ledger.missed);
  return missed === 0
    ? undefined
    : `${label} missed ${formatNumber(missed)} of ` +
        `${formatNumber(sum(({ ledger }) => ledger.expected))} deliveries`;
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
