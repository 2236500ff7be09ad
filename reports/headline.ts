// The answer in one sentence, derived from the figures and claiming no more than they carry.

import { histogramOf } from '../core/metrics.ts';
import { quantileUs } from '../core/histogram.ts';
import type { Completed, Result } from '../core/result.ts';
import { formatNumber, formatUs } from '../core/units.ts';
import { medianOf } from './table.ts';
import { variantsOf, type VariantTrials } from './variants.ts';

/** Medians closer than this, as a ratio, are told apart by no single run. */
const alikeRatio = 1.25;
/** Nor are medians that differ by less than a timer's step. */
const alikeUs = 1000;

type Figures = { label: string; p50Us: number; p99Us: number | undefined; requestsPerDelivery: number };

/** One sentence or two; what cannot be said is said to be so. */
export function headlineOf(results: readonly Result[]): string {
  const variants = variantsOf(results);
  const usable = variants.filter((variant) => variant.valid && variant.completed.length > 0);
  if (usable.length === 0) return `${settingOf(results)} nothing can be said: ${whyNot(variants)}.`;
  const figures = usable.map(figuresOf).filter((one) => one !== undefined).sort((a, b) => a.p50Us - b.p50Us);
  const [first] = figures;
  if (!first) return `${settingOf(results)} nothing can be said: no event was delivered.`;
  const alike = figures.filter(({ p50Us }) => p50Us - first.p50Us < alikeUs || p50Us / first.p50Us < alikeRatio);
  const slowest = figures.at(-1)!;
  const sentences = [`${settingOf(results)} ${leaders(alike, figures.length)}${alike.includes(slowest) ? '' : `; ${trailing(slowest)}`}.`];
  const losses = usable.filter(({ completed }) => completed.some(({ ledger }) => ledger.missed > 0));
  if (losses.length > 0) sentences.push(`${listed(losses.map(({ label }) => label))} missed deliveries.`);
  const unusable = variants.length - usable.length;
  if (unusable > 0) sentences.push(`${unusable === 1 ? 'One variant does' : `${unusable} variants do`} not count: ${whyNot(variants)}.`);
  return sentences.join(' ');
}

function figuresOf({ label, completed }: VariantTrials): Figures | undefined {
  const over = (read: (trial: Completed) => number | undefined) => completed.map(read).filter((value) => value !== undefined);
  const p50s = over((trial) => quantileUs(histogramOf(trial.latency.endToEnd), 0.5));
  if (p50s.length === 0) return undefined;
  const enough = completed.every((trial) => trial.latency.endToEnd.count >= 10_000);
  const { fullPolls, emptyPolls } = completed[0]!.counters.clientMeasured;
  return {
    label,
    p50Us: medianOf(p50s),
    p99Us: enough ? medianOf(over((trial) => quantileUs(histogramOf(trial.latency.endToEnd), 0.99))) : undefined,
    requestsPerDelivery: (fullPolls + emptyPolls) / Math.max(1, completed[0]!.measuredDeliveries),
  };
}

function leaders(alike: Figures[], of: number): string {
  const [first] = alike as [Figures];
  const p99s = alike.map(({ p99Us }) => p99Us).filter((p99Us) => p99Us !== undefined);
  const tail = p99s.length < alike.length ? '' : `, 99 % within ${formatUs(Math.max(...p99s))}`;
  if (of === 1) return `${first.label} delivered with a median of ${formatUs(first.p50Us)}${tail}`;
  if (alike.length === 1) return `${first.label} delivered soonest (median ${formatUs(first.p50Us)}${tail})`;
  const range = `${formatUs(first.p50Us)} to ${formatUs(alike.at(-1)!.p50Us)}`;
  const who = alike.length === of ? 'all variants' : listed(alike.map(({ label }) => label));
  return `${who} delivered alike (medians ${range}${tail})`;
}

function trailing({ label, p50Us, requestsPerDelivery }: Figures): string {
  const requests = requestsPerDelivery > 0 ? ` and ${formatNumber(Number(requestsPerDelivery.toPrecision(2)))} requests per delivery` : '';
  return `${label} took ${formatUs(p50Us)}${requests}`;
}

function settingOf(results: readonly Result[]): string {
  const [{ scenario }] = results as [Result];
  if (results.some((result) => result.scenario.source !== scenario.source)) return `Over ${results.length} results,`;
  const perS = scenario.events / (scenario.phasesMs.measure / 1000);
  const subscribers = `${formatNumber(scenario.subscribers)} subscriber${scenario.subscribers === 1 ? '' : 's'}`;
  const rate = perS >= 1 ? `${formatNumber(Number(perS.toPrecision(3)))} events a second` : `an event every ${formatUs(1e6 / perS)}`;
  return `With ${subscribers} and ${scenario.events === 0 ? 'no event' : rate},`;
}

function whyNot(variants: readonly VariantTrials[]): string {
  const reasons = variants
    .filter(({ valid }) => !valid)
    .map(({ label, failed, trials }) => {
      const codes = trials.flatMap(({ warnings }) => warnings).filter(({ level }) => level === 'invalid').map(({ code }) => code);
      return `${label} ${failed === undefined ? `is invalid (${[...new Set(codes)].join(', ')})` : 'failed'}`;
    });
  return reasons.length === 0 ? 'the run was interrupted' : reasons.join('; ');
}

export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
