// Defines what a run is given: the scenario's surroundings, who watches, how it is ended, and how trials are
// made that are simulated.

import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Result, Trial } from '../../core/result/result.ts';
import type { SimulatedRun } from '../../core/result/simulated.ts';
import type { PlannedTrial } from '../plan/plan.ts';
import type { PreparedTarget } from '../target/target-peer.ts';
import type { LeftOut } from '../target/variants.ts';
import type { Fleet } from '../trial/fleet.ts';
import type { Progress } from '../trial/stage.ts';
import type { Machine } from './machine.ts';

/** What a view is told as the run goes on. */
export type RunObserver = {
  /**
   * @param of how many trials there are; of a search, at most
   * @param subscribers how many the trial has
   * @param leftMs how long this trial and those after it will take, in about; unknown in a search
   */
  trialStarted(variant: Variant, number: number, of: number, subscribers: number, leftMs?: number): void;
  progress(progress: Progress): void;
  /** How much of a trial that is simulated has been computed, from 0 to 1. */
  computed?(share: number): void;
  trialEnded(trial: Trial): void;
};

/** Load processes that run on workers. */
export type OnWorkers = {
  count: number;
  /**
   * They connect from addresses of the workers' machines, and not from this machine's loopback: the ports
   * there are what counts.
   */
  away: boolean;
};

export type RunOptions = {
  registry: PatternRegistry;
  /** The folder of the scenario file, where its payload and trace files are looked for. */
  folder: string;
  /** The YAML as run, kept in the result. */
  source: string;
  /** The command that repeats the run, kept in the result. */
  command: string;
  observer: RunObserver;
  /** Ends the run after the trial under way has been cleared away; what was measured before is returned. */
  signal: AbortSignal;
  /**
   * Called with the result as it stands, before the first trial and after each, so that a later crash
   * costs one trial at most.
   */
  save?(result: Result): void;
  fleet?: Fleet;
  machine?: Machine;
  /** Load processes run beside the servers when left out. */
  workers?: OnWorkers;
  /** The systems that variants with a `target` run against, and what does not. */
  targets?: readonly PreparedTarget[];
  leftOut?: readonly LeftOut[];
};

/** Makes trials in another way than by running them, and what the result says of how. */
export type Simulation = {
  of: SimulatedRun;
  /**
   * @param computed is told how much of the trial has been computed, from 0 to 1
   * @throws the signal's reason when it is aborted
   */
  trial(
    scenario: PlannedTrial['scenario'],
    variant: Variant,
    repetition: number,
    signal: AbortSignal,
    computed: (share: number) => void,
  ): Promise<Trial>;
};
