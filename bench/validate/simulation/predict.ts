// Simulates the trials that parts of the validation run, and says what no model or no profile knows.

import { nowUs } from '../../../core/base/clock.ts';
import { UserError } from '../../../core/base/errors.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { scheduleOf } from '../../../core/plan/schedule.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import type { Completed, Trial } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { sourcesIn } from '../../../harness/plan/sources.ts';
import { obstaclesTo, whyNotSimulated } from '../../../simulation/refusals.ts';
import { models } from '../../../simulation/registry.ts';
import { simulateTrial } from '../../../simulation/simulate.ts';
import { figuresOf, type Figures } from './figures.ts';
import type { Stated } from './judge.ts';

/** @param text of a scenario with one variant */
export function parsed(text: string) {
  return parseScenario(text, { file: 'validation', registry: patterns, overrides: [] });
}

/** Why a scenario cannot be predicted from a profile; undefined where it can. */
export function whyUnpredicted(profile: Profile, text: string): string | undefined {
  const { scenario } = parsed(text);
  const [obstacle] = obstaclesTo(scenario, profile);
  return obstacle ?? whyNotSimulated(scenario.variants[0]!, scenario, models, profile, patterns);
}

/**
 * One trial for each repetition, which has random numbers of its own under one schedule. Where calibration
 * keeps servers to a core, all servers of a trial share it, and so they do here. Events carry the time of
 * this host's clock, which has fewer digits where it has just started.
 */
export function simulatedTrials(profile: Profile, text: string, repetitions: readonly number[]): Trial[] {
  const { scenario } = parsed(text);
  const schedule = scheduleOf(scenario, sourcesIn('.'));
  const variant = scenario.variants[0]!; // the scenario has one
  const shared = profile.pinned && ({ oneCore: true } as const);
  return repetitions.map((repetition) =>
    simulateTrial(
      { scenario, variant, repetition, schedule, profile, clients: 'groups', clockUs: nowUs(), ...shared },
      models,
      new Date(),
    ),
  );
}

/** Latencies of a server that is called saturated are no figures. */
export function predictedFigures(trials: readonly Trial[]): Figures {
  const figures = figuresOf(trials.flatMap(completedIn));
  const saturated = trials.some(({ outcome }) => outcome.status === 'completed' && !outcome.valid);
  return saturated ? { ...figures, p50: Number.NaN, p99: Number.NaN } : figures;
}

/** Of trials of one point, which all say the same. @param trials at least one */
export function statedErrors(trials: readonly Trial[]): Stated {
  const error = trials.flatMap(completedIn)[0]?.simulated?.expectedError;
  return {
    serverCpu: error?.['server-cpu'] ?? null,
    p50: error?.['latency.p50'] ?? null,
    p99: error?.['latency.p99'] ?? null,
  };
}

/** What a row says of simulated trials. */
export function simulatedIn(trials: readonly Trial[]): { simulated: Figures; stated: Stated } {
  return { simulated: predictedFigures(trials), stated: statedErrors(trials) };
}

/** @throws UserError where it failed */
export function completedIn({ outcome }: Pick<Trial, 'outcome'>): Completed[] {
  if (outcome.status === 'failed') throw new UserError('simulation', outcome.message);
  return [outcome];
}
