// Runs the trials that a profile is made of, one after another, as runs of their own. One whose figures are
// void is run again once, and then left out with a sentence that says why.

import { UserError } from '../../core/base/errors.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Environment, Trial } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { Machine } from '../run/machine.ts';
import { prepare, run } from '../run/run.ts';
import type { Progress } from '../trial/stage.ts';
import type { Fleet } from '../trial/fleet.ts';
import { placeText, pointMs, scenarioText, type Point } from './points.ts';
import { problemWith } from './problem.ts';

/** A trial that counts. */
export type Measured = { point: Point; trial: Trial };

/** What a view is told. */
export type CalibrationObserver = {
  trialStarted(variant: Variant, number: number, of: number, subscribers: number, leftMs: number): void;
  progress(progress: Progress): void;
  trialEnded(trial: Trial): void;
  note(text: string): void;
};

export type CalibrateOptions = {
  points: readonly Point[];
  /** No trial begins that would be over later than this. */
  budgetMs: number;
  registry: PatternRegistry;
  fleet: Fleet;
  machine: Machine;
  observer: CalibrationObserver;
  /** Ends the trial under way; the trials measured before are returned. */
  signal: AbortSignal;
  nowMs?: () => number;
};

export type Calibration = {
  measured: Measured[];
  /** A sentence for each trial whose figures do not count. */
  leftOut: string[];
  /** Trials that there was no time for. */
  unstarted: Point[];
  environment: Environment | undefined;
  /** `failed`: processes do not start, so nothing more was tried. */
  end: { kind: 'finished' | 'interrupted' } | { kind: 'failed'; why: string };
};

export async function calibrate(options: CalibrateOptions): Promise<Calibration> {
  const { points, budgetMs, observer, signal, nowMs = () => performance.now() } = options;
  const fromMs = nowMs();
  const calibration: Calibration = {
    measured: [],
    leftOut: [],
    unstarted: [],
    environment: undefined,
    end: { kind: 'finished' },
  };
  /** How much longer than its phases each trial took: the time around the phases is alike in all trials. */
  const overMs: number[] = [];
  const leftOf = (some: readonly Turn[]) =>
    some.reduce((sum, { point }) => sum + pointMs(point) + meanOf(overMs), 0);
  const leaveOut = (text: string) => {
    calibration.leftOut.push(text);
    observer.note(`left out: ${text}`);
  };
  // Those that failed come again when all others have had their turn.
  const turns: Turn[] = points.map((point, i) => ({ point, number: i + 1 }));
  for (let turn = turns.shift(); turn; turn = turns.shift()) {
    const { point, failed } = turn;
    const name = `${point.pattern} with ${placeText(point)}`;
    const budgetLeftMs = budgetMs - (nowMs() - fromMs);
    if (leftOf([turn]) > budgetLeftMs) {
      if (failed === undefined) calibration.unstarted.push(point);
      else leaveOut(`${name}: ${failed} No time was left to run it again.`);
      continue;
    }
    const begunMs = nowMs();
    const one = await runPoint(turn, Math.min(leftOf([turn, ...turns]), budgetLeftMs), options);
    overMs.push(nowMs() - begunMs - pointMs(point));
    if (signal.aborted) return { ...calibration, end: { kind: 'interrupted' } };
    if (one.kind === 'stop') return { ...calibration, end: { kind: 'failed', why: one.why } };
    if (one.kind === 'measured') {
      calibration.measured.push({ point, trial: one.trial });
      calibration.environment ??= one.environment;
    } else if (one.kind === 'void' && failed === undefined) {
      observer.note(`${name} will be run again: ${one.why}`);
      turns.push({ ...turn, failed: one.why });
    } else leaveOut(`${name}: ${one.why}`);
  }
  return calibration;
}

/** `failed`: why it did not count the first time. */
type Turn = { point: Point; number: number; failed?: string };

type Ran =
  | { kind: 'measured'; trial: Trial; environment: Environment }
  /** `void`: another try may do. `refused`: it would not. `stop`: nor would other points. */
  | { kind: 'void' | 'refused' | 'stop'; why: string };

async function runPoint(
  { point, number }: Turn,
  leftMs: number,
  { points, registry, fleet, machine, observer, signal }: CalibrateOptions,
): Promise<Ran> {
  const text = scenarioText(point);
  const { scenario, source } = parseScenario(text, { file: 'calibrate', registry, overrides: [] });
  const options = {
    registry,
    folder: '.',
    source,
    command: 'pushbench calibrate',
    signal,
    fleet,
    machine,
    observer: {
      ...observer,
      trialStarted: (variant: Variant) =>
        observer.trialStarted(
          { ...variant, as: placeText(point) },
          number,
          points.length,
          point.subscribers,
          leftMs,
        ),
    },
  };
  let plan;
  try {
    plan = prepare(scenario, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: 'refused', why: error.message.split('\n').at(-1)!.trim() };
  }
  const { trials, state, environment } = await run(plan, options);
  const [trial] = trials;
  if (state.kind === 'failed') return { kind: 'stop', why: state.why };
  if (!trial) return { kind: 'void', why: 'It was not over.' };
  const problem = problemWith(trial);
  return problem === undefined ? { kind: 'measured', trial, environment } : { kind: 'void', why: problem };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
