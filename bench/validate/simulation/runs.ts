// Runs the trials of cases that predictions are compared with, one after another: every case once before any
// twice. A trial whose figures are void is run again once, behind all others, and then left out with the
// reason.

import type { Completed, Trial } from '../../../core/result/result.ts';
import { timeLeftMs, trialMs } from '../../../core/scenario/trial-time.ts';
import { UserError } from '../../../core/base/errors.ts';
import { prepare, run } from '../../../harness/run/run.ts';
import { quietRun } from '../../run-options.ts';
import type { Bench } from './bench.ts';
import { completedIn, parsed, whyUnpredicted } from './predict.ts';

/** A scenario of one variant; each of its trials has a seed of its own. */
export type Case = {
  name: string;
  text(seed: number): string;
};

/** Those of calibration are the first few. */
const firstSeed = 301;
export const repeats = 2;

export function seedsOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) => firstSeed + i);
}

export type Ran<C extends Case> = {
  /** Of cases that have a trial that counts. */
  measured: Map<C, Completed[]>;
  /** A sentence for each case that is not predicted, and each trial that does not count. */
  leftOut: string[];
};

/**
 * @param problem why a trial's figures do not count; undefined where they do
 * @throws Error where nothing counted
 */
export async function runCases<C extends Case>(
  cases: readonly C[],
  trials: number,
  bench: Bench,
  problem: (trial: Trial) => string | undefined,
): Promise<Ran<C>> {
  const ran: Ran<C> = { measured: new Map(), leftOut: [] };
  const leaveOut = (text: string) => {
    ran.leftOut.push(text);
    console.log(`left out: ${text}`);
  };
  const [seed] = seedsOf(1) as [number];
  const predicted = cases.filter((one) => {
    const why = whyUnpredicted(bench.profile, one.text(seed));
    if (why !== undefined) leaveOut(`${one.name}: ${why}`);
    return why === undefined;
  });
  type Turn = { of: C; seed: number; failed?: string };
  const turns: Turn[] = seedsOf(trials).flatMap((each) => predicted.map((of) => ({ of, seed: each })));
  const plannedMs = turns.map((turn) => trialMs(parsed(turn.of.text(turn.seed)).scenario.phases));
  const tookMs: number[] = [];
  for (let turn = turns.shift(); turn; turn = turns.shift()) {
    const { of, seed: own, failed } = turn;
    const left = Math.ceil(timeLeftMs(plannedMs, tookMs) / 60_000);
    console.log(`[${tookMs.length + 1}/${plannedMs.length}] ${of.name}, seed ${own}; about ${left} min left`);
    const fromMs = performance.now();
    const trial = await runOne(of.text(own), bench);
    tookMs.push(performance.now() - fromMs);
    const why = typeof trial === 'string' ? trial : problem(trial);
    if (why === undefined && typeof trial !== 'string')
      ran.measured.set(of, [...(ran.measured.get(of) ?? []), ...completedIn(trial)]);
    else if (failed === undefined) {
      console.log(`it will be run again: ${why}`);
      turns.push({ ...turn, failed: why ?? '' });
      plannedMs.push(tookMs.at(-1)!);
    } else leaveOut(`${of.name}, seed ${own}: ${why}`);
  }
  if (ran.measured.size === 0) throw new Error(`nothing counted: ${ran.leftOut.join(' ')}`);
  return ran;
}

/** @returns the trial, or why there is none */
async function runOne(text: string, { fleet, machine }: Bench): Promise<Trial | string> {
  const { scenario, source } = parsed(text);
  const options = { ...quietRun(source, 'npm run validate'), fleet, machine };
  try {
    const { trials, state } = await run(prepare(scenario, options), options);
    if (state.kind === 'failed') return state.why;
    return trials[0] ?? 'It was not over.';
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}
