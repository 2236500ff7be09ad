// Gathers the warnings of all trials by their reason, for every form of report: how many trials each is
// about, by how much, and what it makes void.

import { loadLimits, type LoadLimit } from '../../core/metrics/headroom.ts';
import { formatMetric, type Unit } from '../../core/metrics/metric.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { sentenceStart } from '../../core/pattern/sentence.ts';
import type { Completed, Trial } from '../../core/result/result.ts';
import { evidence, evidenceText } from '../../core/result/evidence.ts';
import { voidingCodes } from '../../core/result/voids.ts';
import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { rangeText } from './figure-text.ts';
import type { VariantTrials } from './variants.ts';

type Level = 'failed' | 'invalid' | 'note';
/** What trials say in the same words. */
export type Said = { who: string; message: string };
export type WarningGroup = {
  level: Level;
  /** The reason: `Publisher late`, `Failed`. */
  title: string;
  /** What it makes void: `voids latencies`, `does not count`; empty for failures and notes. */
  effect: string;
  /** Of several messages: `5 trials, 11 to 28 ms`; empty where all trials say the same. */
  summary: string;
  /** Each message once, with the variants that it is about. */
  said: Said[];
};

/** More names than this are counted and not listed. */
const mostNames = 8;
/** Where all variants are concerned and there are more of them, no one is helped by their names. */
const namesListed = 3;
const levels: readonly Level[] = ['failed', 'invalid', 'note'];

/** Reasons whose code alone says too little. */
const titles: Readonly<Record<string, string>> = {
  'load-limited': 'Load generator at its limit',
  'load-starved': 'Load generator scheduled late',
  'load-frozen': 'Load generator frozen',
  'load-refused': 'Events too large for the load generator',
  'load-overcount': 'Load generator counted too much',
  'worker-clock': 'Clock of a worker not known well enough',
  'fault-not-done': 'Fault not carried out',
  'fault-outlasts': 'Fault longer than the measured phase',
  'offered-rate': 'Events not sent',
  subscribers: 'Subscribers missing',
  'sampled-late': 'Counters read late',
  'cpu-elsewhen': 'CPU read late',
  'ledger-open': 'Deliveries not reconciled',
  clock: 'Clocks differ',
  'out-of-range': 'Latencies out of range',
  'counts-disagree': 'Server and client counts differ',
  'shared-cores': 'Processes share cores',
  'wire-others': 'Other traffic on the host',
  emulated: 'Not the service itself',
  'few-samples': 'Too few events for a percentile',
  missed: 'Deliveries missed',
  errors: 'Errors',
  target: 'Not our server',
};

type Amount = { unit: Unit; of(trial: Completed): number | undefined };
const metric = (name: string): Amount => ({ unit: metrics[name]!.unit, of: metrics[name]!.read });
const used = (limit: LoadLimit['name'], unit: Unit): Amount => ({
  unit,
  of: (trial) => loadLimits(trial).find(({ name }) => name === limit)?.used,
});
/** By how much, for the reasons that have a figure. */
const amounts: Readonly<Record<string, Amount>> = {
  'publisher-late': metric('publisher-lag.p99'),
  'load-limited': used('cpu', 'share'),
  'load-starved': used('loop-delay', 'us'),
  missed: metric('missed'),
  errors: metric('errors'),
  reconnects: metric('reconnects'),
};

type One = { variant: VariantTrials; trial: Trial; level: Level; code: string; message: string };

/** Failures first, then what makes figures void, then notes. */
export function warningGroups(variants: readonly VariantTrials[]): WarningGroup[] {
  const all = variants.flatMap((variant) => variant.trials.flatMap((trial) => warningsOf(variant, trial)));
  return [...Map.groupBy(all, ({ level, code }) => `${level} ${code}`).values()]
    .map((same) => groupOf(same, variants))
    .toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

/** `Publisher late (voids latencies)` */
export function headOf({ title, effect }: Pick<WarningGroup, 'title' | 'effect'>): string {
  return effect === '' ? title : `${title} (${effect})`;
}

/** A group in one sentence: what its trials say, or of several messages the summary and one of them. */
export function groupText({ summary, said: [first] }: WarningGroup): string {
  const one = `${first!.who}: ${first!.message}`; // a group says something
  return summary === '' ? one : `${summary}. For example ${one}`;
}

function warningsOf(variant: VariantTrials, trial: Trial): One[] {
  const { warnings, outcome } = trial;
  return [
    ...(outcome.status === 'failed'
      ? [{ variant, trial, level: 'failed' as const, code: 'failed', message: outcome.message }]
      : []),
    // What made a trial of a search not count is shown with its steps.
    ...warnings
      .filter(({ level }) => level === 'note' || variant.result.searches === undefined)
      .map(({ code, level, message }) => ({ variant, trial, level, code, message })),
  ];
}

export type ProblemGroup = { code: string; example: string; others: number; count: number; who: string };

/** What tells problems of one kind apart: an address, the number of a server or process. */
const places = /(?:\d{1,3}(?:\.\d{1,3}){3}|\[?::1\]?|localhost):\d+|\b(?:server|process|load) \d+/g;

/** What the processes met, a kind once wherever it happened; the most frequent first. */
export function problemGroups(variants: readonly VariantTrials[]): ProblemGroup[] {
  const all = variants.flatMap((variant) =>
    variant.trials.flatMap((trial) =>
      trial.outcome.status === 'completed'
        ? trial.outcome.problems.map((problem) => ({ ...problem, variant, trial }))
        : [],
    ),
  );
  return [...Map.groupBy(all, ({ code, message }) => `${code} ${message.replace(places, '')}`).values()]
    .map((same) => ({
      code: same[0]!.code, // a group has a member
      example: same[0]!.message,
      others: new Set(same.map(({ message }) => message)).size - 1,
      count: same.reduce((sum, { count }) => sum + count, 0),
      who: whoSays(same, variants),
    }))
    .toSorted((a, b) => b.count - a.count);
}

/** A reason in words, where only its code is known. */
export function reasonText(code: string): string {
  return (titles[code] ?? sentenceStart(code.replaceAll('-', ' '))).replace(/^[A-Z](?=[a-z])/, (letter) =>
    letter.toLowerCase(),
  );
}

const codes: ReadonlySet<string> = new Set(voidingCodes);

/** Reasons in words; results have codes of those that make figures void, a comma between them. */
export function reasonsText(reasons: string): string {
  return reasons
    .split(', ')
    .map((part) => (codes.has(part) ? reasonText(part) : part))
    .join(', ');
}

function groupOf(same: readonly One[], variants: readonly VariantTrials[]): WarningGroup {
  const { level, code } = same[0]!; // a group has a member
  const said = [...Map.groupBy(same, ({ message }) => message)].map(([message, own]) => ({
    who: whoSays(own, variants),
    message,
  }));
  const trials = new Set(same.map(({ trial }) => trial)).size;
  return {
    level,
    title: titles[code] ?? sentenceStart(code.replaceAll('-', ' ')),
    effect: level === 'invalid' ? effectOf(code, same) : '',
    summary: said.length === 1 ? '' : [counted(trials, 'trial'), ...amountText(code, same)].join(', '),
    said,
  };
}

/** `sse`, `sse (trial 2)`, `every variant`, `9 of 12 variants` */
function whoSays(
  same: readonly Pick<One, 'variant' | 'trial'>[],
  variants: readonly VariantTrials[],
): string {
  const concerned = Map.groupBy(same, ({ variant }) => variant);
  if (variants.length > namesListed && concerned.size === variants.length) return 'every variant';
  if (concerned.size > mostNames) return `${concerned.size} of ${variants.length} variants`;
  return listed(
    [...concerned].map(([{ label, trials }, own]) => {
      const repetitions = [...new Set(own.map(({ trial }) => String(trial.repetition)))];
      return repetitions.length === trials.length ? label : `${label} (trial ${listed(repetitions)})`;
    }),
  );
}

/** What a warning of level `invalid` makes void in these trials; in an older result, all. */
function effectOf(code: string, same: readonly One[]): string {
  const outcomes = same.flatMap(({ trial: { outcome } }) =>
    outcome.status === 'completed' ? [outcome] : [],
  );
  const voided = evidence.filter((one) => outcomes.some(({ voids }) => voids?.[code]?.includes(one)));
  return voided.length === 0 || voided.length === evidence.length
    ? 'does not count'
    : `voids ${evidenceText(voided)}`;
}

function amountText(code: string, same: readonly One[]): string[] {
  const amount = Object.hasOwn(amounts, code) ? amounts[code]! : undefined;
  const values = same.flatMap(({ trial: { outcome } }) =>
    amount && outcome.status === 'completed' ? (amount.of(outcome) ?? []) : [],
  );
  if (!amount || values.length === 0) return [];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [rangeText([low, high], amount.unit) || formatMetric(low, amount.unit)];
}
