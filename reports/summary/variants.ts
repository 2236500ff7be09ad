// Lists the variants of one or several results, each with its completed trials: what tables and charts go
// over.

import { looksOf, type Look } from '../../core/pattern/palette.ts';
import type { Completed, Result, Trial } from '../../core/result/result.ts';
import { allVoid } from '../../core/result/voids.ts';
import { counted } from '../../core/base/counted.ts';
import { formatNumber } from '../../core/base/units.ts';
import { variantNames } from './names.ts';

export type VariantTrials = {
  /** Its name for readers (names.ts); with several results, followed by what the result is called. */
  label: string;
  /** Its name for readers, whatever the result. */
  own: string;
  /** The label that it has in its result. */
  id: string;
  pattern: string;
  /** Its colour, dash and shape in charts and tables: the colour is the same in all results. */
  look: Look;
  /** Which of the results it belongs to, from 0. */
  round: number;
  result: Result;
  trials: Trial[];
  completed: Completed[];
  /** Nothing of it stands: each trial failed or has nothing that is not void. */
  out: boolean;
  /** Why trials failed, when all did. */
  failed: string | undefined;
};

/** Variants in the order in which they ran, results in the order given. */
export function variantsOf(results: readonly Result[]): VariantTrials[] {
  const [names, called] = [resultNames(results), variantNames(results)];
  const all = results.flatMap((result, i) => {
    const byLabel = Map.groupBy(result.trials, ({ variant }) => variant.label);
    return [...byLabel].map(([label, trials]) => ({
      id: label,
      own: called.of(label),
      label: labelIn(names[i]!, called.of(label)),
      round: i,
      result,
      trials,
    }));
  });
  // The cells of a matrix share their variant's colour.
  // A group has a member.
  const placeOf = (trials: readonly Trial[]) => trials[0]!.cell?.variant ?? trials[0]!.variant.label;
  const looks = looksOf(
    all.map(({ trials }) => ({ pattern: trials[0]!.variant.pattern, own: placeOf(trials) })),
  );
  return all.map(({ id, own, label, round, result, trials }, i) => {
    const outcomes = trials.map(({ outcome }) => outcome);
    const completed = outcomes.filter((outcome) => outcome.status === 'completed');
    const failure = outcomes.find((outcome) => outcome.status === 'failed');
    return {
      label,
      own,
      id,
      pattern: trials[0]!.variant.pattern,
      look: looks[i]!,
      round,
      result,
      trials,
      completed,
      out: completed.every(allVoid),
      failed: completed.length === 0 ? failure?.message : undefined,
    };
  });
}

/** What a variant is called: its own label, and which result it is of where there are several. */
export function labelIn(resultName: string, own: string): string {
  return resultName === '' ? own : `${own} (${resultName})`;
}

/**
 * What to call results beside one another: the scenario, or what sets them apart as a reader would say it,
 * down to the time of the run and a number. One that was simulated says so, whatever else it is called.
 * @returns one name for each; empty for a result alone that was measured
 */
export function resultNames(results: readonly Result[]): string[] {
  const howMade = results.map(({ simulated }) => (simulated ? 'simulated' : 'measured'));
  if (!howMade.includes('simulated')) return namesApart(results);
  if (results.length === 1) return howMade;
  if (allDiffer(howMade)) return howMade;
  const named = namesApart(results);
  return named.map((name, i) => (results[i]!.simulated ? `${name}, simulated` : name));
}

function namesApart(results: readonly Result[]): string[] {
  if (results.length === 1) return [''];
  const scenarios = results.map(({ scenario }) => scenario.name);
  if (allDiffer(scenarios)) return scenarios;
  const led = new Set(scenarios).size > 1;
  const ways: ((result: Result, i: number) => string)[] = [
    ({ scenario }) => subscribersText(scenario),
    ({ scenario }) => rateText(scenario),
    ({ createdAt }) => createdAt.slice(11, 19),
    ({ createdAt }) => `${createdAt.slice(0, 10)} ${createdAt.slice(11, 19)}`,
    ({ createdAt }, i) => `${createdAt.slice(0, 10)} ${createdAt.slice(11, 19)}, ${i + 1}`,
  ];
  const named = ways.map((way) =>
    results.map((result, i) => (led ? `${result.scenario.name}, ${way(result, i)}` : way(result, i))),
  );
  return named.find(allDiffer)!; // the last way counts them
}

/** `100 subscribers` */
export function subscribersText({ subscribers }: Pick<Result['scenario'], 'subscribers'>): string {
  return counted(subscribers, 'subscriber');
}

/** `20 events a second`, of the measured phase; the mean where the rate changes. */
export function rateText({ events, phasesMs }: Result['scenario']): string {
  if (events === 0) return 'no event';
  const perS = events / (phasesMs.measure / 1000);
  if (perS >= 1) return `${counted(Number(perS.toPrecision(3)), 'event')} a second`;
  return `an event every ${formatNumber(Number((1 / perS).toPrecision(3)))} s`;
}

function allDiffer(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/** Whether some of its deliveries took more than one request. */
export const wasRetried = (trial: Completed) =>
  (trial.latencyByAttempt ?? []).some(({ attempt }) => attempt > 1) || trial.counters.client.answersLost > 0;
