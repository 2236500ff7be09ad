// Reasons about variants at one load: which is fastest, which is as fast for less, what the others cost. One
// line for each variant, with the figures behind it; variants that a single run cannot tell apart are equal.

import { stepBetween, toldApart } from '../../core/metrics/alike.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOver, metrics } from '../../core/metrics/registry.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';
import { awayOf, missedAwayText } from './away.ts';
import { ranked, totalOf, whatCame } from './losses.ts';
import { whyNoFigure } from './remarks.ts';
import { isEverSaturated } from './saturated.ts';
import type { VariantTrials } from './variants.ts';

/** A figure that a line rests on, beside the figure of the variant it is compared with. */
export type Evidence = { metric: string; value: number; against?: { label: string; value: number } };
export type Reason = { text: string; evidence: Evidence[] };

type Known = { value: number; low: number; high: number; trials: number; within?: readonly [number, number] };
/** `whole`: that lost no delivery, or all where each lost some. */
type Count = { timed: number; whole: number; all: number };
type Clause = { text: string; evidence: Evidence[]; weight: number };

const [half, tail, cpu] = ['latency.p50', 'latency.p99', 'server-cpu'] as const;
/** With so many trials each whose figures do not overlap, a small difference is one: 1 in 35 by chance. */
const trialsToTell = 4;
/** Costs beside the CPU that a line names at most. */
const costsNamed = 2;
/** More names than this are counted. */
const namesListed = 3;

/** In the order of the variants. */
export function reasonsOf(variants: readonly VariantTrials[]): Reason[] {
  const whole = ranked(half, variants);
  const timed = whole.flatMap((variant) => {
    const p50 = known(half, variant);
    return p50 === undefined ? [] : [{ variant, p50 }];
  });
  const [first] = timed.toSorted((a, b) => a.p50.value - b.p50.value);
  const soonest = first ? timed.filter(({ p50 }) => !apart(half, first.p50, p50)) : [];
  const cheapest = soonest
    .toSorted(
      (a, b) => (known(cpu, a.variant)?.value ?? Infinity) - (known(cpu, b.variant)?.value ?? Infinity),
    )
    .at(0)?.variant;
  return variants.map((variant) => {
    const clauses = clausesOf(
      variant,
      cheapest,
      soonest.map((one) => one.variant),
      { timed: timed.length, whole: whole.length, all: variants.length },
    );
    const text = clauses.map((clause) => clause.text).join('; ');
    return {
      text: `${sentenceStart(text)}.`,
      evidence: clauses.flatMap(({ evidence }) => evidence),
    };
  });
}

/**
 * @param reference of the fastest variants the one with the lowest CPU
 * @param of how many variants are ranked by their median, and how many there are
 */
function clausesOf(
  variant: VariantTrials,
  reference: VariantTrials | undefined,
  soonest: readonly VariantTrials[],
  of: Count,
): Clause[] {
  const { completed, failed } = variant;
  if (failed !== undefined) return [clause(`failed: ${failed.replace(/\.$/, '')}`)];
  const lost = lossOf(variant);
  const full = isEverSaturated(completed) ? [clause('the server was saturated')] : [];
  const p50 = known(half, variant);
  if (p50 === undefined)
    return [
      ...lost,
      ...full,
      clause(`nothing can be said of its delay: ${whyNoFigure(variant, half)}`),
      ...(reference && reference !== variant ? costClauses(variant, reference) : []),
    ];
  const own = [...lost, ...full];
  if (variant === reference || reference === undefined) return [...own, ...leading(variant, soonest, of)];
  return [
    ...own,
    ...(soonest.includes(variant) ? sameDelay(variant, reference) : laterBy(variant, reference)),
    ...costClauses(variant, reference),
  ];
}

/**
 * Why delays that differ are called the same: by less than a step, or their intervals overlap, or one run is
 * too little to tell.
 */
function sureness(figures: readonly Known[]): string {
  const stepUs = stepBetween(
    metrics[half]!,
    figures.map(({ value }) => value),
  );
  if (stepUs !== undefined) return `to within ${formatMetric(stepUs, 'us')}`;
  const low = Math.max(...figures.map(({ within, value }) => within?.[0] ?? value));
  const high = Math.min(...figures.map(({ within, value }) => within?.[1] ?? value));
  return low <= high ? 'within noise' : 'as far as one run can tell';
}

/** Says that others may have been faster, if their figures do not count. */
function soonestOf({ timed, whole, all }: Count): string {
  if (timed === all) return 'the fastest';
  const which = whole < all ? 'that lost nothing' : 'with a figure';
  return timed === 1 ? `the only one ${which}` : `the fastest of the ${timed} ${which}`;
}

/** Of the variant that others are compared with. */
function leading(variant: VariantTrials, soonest: readonly VariantTrials[], of: Count): Clause[] {
  const others = soonest.filter((one) => one !== variant);
  const p50 = known(half, variant)!; // it leads by that
  const [p99, own] = [known(tail, variant), known(cpu, variant)];
  const within =
    whatCame(half, variant) +
    `half within ${formatMetric(p50.value, 'us')}` +
    (p99 ? `, 99 % within ${formatMetric(p99.value, 'us')}` : '');
  const evidence: Evidence[] = [
    { metric: half, value: p50.value },
    ...(p99 ? [{ metric: tail, value: p99.value }] : []),
    ...(own ? [{ metric: cpu, value: own.value }] : []),
  ];
  const atCpu = own === undefined ? '' : `${formatShare(own.value)} of a core`;
  if (of.all === 1) return [clause(`${within}${atCpu && `, at ${atCpu}`}`, evidence)];
  const alike = others.filter((one) => {
    const theirs = known(cpu, one);
    return own !== undefined && theirs !== undefined && !apart(cpu, own, theirs);
  });
  const lead =
    others.length === 0
      ? `${soonestOf(of)}: ${within}`
      : `as fast as ${names(others)}, ` +
        `${sureness([p50, ...others.map((one) => known(half, one)!)])} (${within})`;
  if (own === undefined) return [clause(lead, evidence)];
  const cost =
    others.length === 0
      ? `, at ${atCpu}`
      : alike.length === 0
        ? `, with the lowest server CPU (${atCpu})`
        : `, at ${atCpu}, with no measurable difference from ${names(alike)}`;
  return [clause(lead + cost, evidence)];
}

function sameDelay(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const [own, theirs] = [known(half, variant)!, known(half, reference)!]; // both are among the soonest
  const [p99, other] = [known(tail, variant), known(tail, reference)];
  const medians: Evidence = against(half, own, reference, theirs);
  const [a, b] = [formatMetric(own.value, 'us'), formatMetric(theirs.value, 'us')];
  const figures = a === b ? a : `${a} and ${b}`;
  const delay = clause(
    `the same delay as ${reference.label}, ${sureness([own, theirs])} (median ${figures})`,
    [medians],
  );
  if (!p99 || !other || !apart(tail, p99, other)) return [delay];
  const word = p99.value > other.value ? 'but ' : '';
  return [
    delay,
    clause(
      `${word}99 % within ${formatMetric(p99.value, 'us')}, against ${formatMetric(other.value, 'us')}`,
      [against(tail, p99, reference, other)],
    ),
  ];
}

function laterBy(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const [own, theirs] = [known(half, variant)!, known(half, reference)!]; // the caller looked
  const waits = patternNamed(variant.pattern)?.asksEveryMs !== undefined;
  return [
    clause(
      `${whatCame(half, variant)}median ${formatMetric(own.value, 'us')} late` +
        (waits ? ', because an update waits for the next poll' : '') +
        ` (${reference.label}: ${formatMetric(theirs.value, 'us')})`,
      [against(half, own, reference, theirs)],
    ),
  ];
}

/** What it costs more or less than another variant: its CPU, and what differs most of the rest. */
function costClauses(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const others = [requests, traffic, held]
    .flatMap((cost) => cost(variant, reference))
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, costsNamed);
  return [...cpuClause(variant, reference), ...others];
}

function cpuClause(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const pair = pairOf(cpu, variant, reference);
  if (!pair) return known(cpu, variant) ? [] : [clause(`server CPU: ${whyShort(cpu, variant)}`)];
  const { own, theirs, evidence } = pair;
  const both = `${formatShare(own.value)} against ${formatShare(theirs.value)} of a core`;
  if (!apart(cpu, own, theirs))
    return [clause(`no measurable difference in server CPU (${both})`, [evidence])];
  return [clause(`${moreOrLess(own.value / theirs.value)} server CPU (${both})`, [evidence])];
}

function requests(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const pair = pairOf('requests-per-s', variant, reference);
  if (!pair || !apart('requests-per-s', pair.own, pair.theirs)) return [];
  const { own, theirs, evidence } = pair;
  const rate = formatMetric(Number(own.value.toPrecision(3)), 'per-s');
  const text =
    own.value === 0
      ? 'no requests'
      : `${rate.replace('/s', '')} requests a second` +
        (theirs.value === 0 ? '' : `, against ${formatNumber(Number(theirs.value.toPrecision(3)))}`);
  return [clause(text, [evidence], weightOf(own.value, theirs.value))];
}

function traffic(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const pair = pairOf('bytes-per-s', variant, reference);
  if (!pair || !apart('bytes-per-s', pair.own, pair.theirs)) return [];
  const { own, theirs, evidence } = pair;
  return [
    clause(`${moreOrLess(own.value / theirs.value)} traffic`, [evidence], weightOf(own.value, theirs.value)),
  ];
}

function held(variant: VariantTrials, reference: VariantTrials): Clause[] {
  const pair = pairOf('connections', variant, reference);
  if (!pair || !apart('connections', pair.own, pair.theirs)) return [];
  const { own, theirs, evidence } = pair;
  const text =
    `holds ${formatNumber(own.value)} connection${own.value === 1 ? '' : 's'} at rest, ` +
    `against ${formatNumber(theirs.value)}`;
  return [clause(text, [evidence], weightOf(own.value, theirs.value))];
}

/** Losses add up over the trials. */
function lossOf(variant: VariantTrials): Clause[] {
  const missed = totalOf('missed', [variant]);
  const away = awayOf([variant]);
  return missed === 0
    ? []
    : [
        clause(
          `lost ${formatNumber(missed)} of ${formatNumber(totalOf('expected', [variant]))} deliveries` +
            missedAwayText(variant) +
            (away === undefined ? '' : `; ${away}`),
          [{ metric: 'missed', value: missed }],
        ),
      ];
}

function known(metric: string, { completed }: VariantTrials): Known | undefined {
  const figure = figureOver(metric, completed);
  return figure.value === undefined ? undefined : figure;
}

/** Whether two figures differ by more than chance: see alike.ts, or by trials that do not overlap. */
function apart(metric: string, a: Known, b: Known): boolean {
  const byTrials = Math.min(a.trials, b.trials) >= trialsToTell && (a.high < b.low || b.high < a.low);
  // The latencies of a sentence are those of the headline, which goes by the ratio alone.
  return toldApart(metrics[metric]!, a, b) || (byTrials && !metric.startsWith('latency'));
}

function pairOf(metric: string, variant: VariantTrials, reference: VariantTrials) {
  const [own, theirs] = [known(metric, variant), known(metric, reference)];
  return own && theirs ? { own, theirs, evidence: against(metric, own, reference, theirs) } : undefined;
}

function against(metric: string, own: Known, { label }: VariantTrials, theirs: Known): Evidence {
  return { metric, value: own.value, against: { label, value: theirs.value } };
}

/** `5 % less`, `27 % more`, `3.6 times the`. */
function moreOrLess(ratio: number): string {
  if (ratio >= 2) return `${formatNumber(Number(ratio.toPrecision(2)))} times the`;
  return ratio > 1
    ? `${formatNumber(Math.round((ratio - 1) * 100))} % more`
    : `${formatNumber(Math.round((1 - ratio) * 100))} % less`;
}

/** How far apart two costs are, whichever is larger; something against nothing is furthest. */
function weightOf(a: number, b: number): number {
  return a === 0 || b === 0 ? Infinity : Math.abs(Math.log(a / b));
}

function whyShort(metric: string, { completed }: VariantTrials): string {
  const figure = figureOver(metric, completed);
  return figure.value === undefined ? figure.why : '';
}

function names(variants: readonly VariantTrials[]): string {
  return variants.length > namesListed
    ? `${variants.length} others`
    : listed(variants.map(({ label }) => label));
}

function clause(text: string, evidence: Evidence[] = [], weight = 0): Clause {
  return { text, evidence, weight };
}
