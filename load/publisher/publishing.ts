// Runs what all publishers of a plan share: when each event is due and whether it is measured, how bodies are
// made ahead, how long answers are awaited, and the end. Not how events are sent.

import { later, nowUs } from '../../core/base/clock.ts';
import type { EventNumber, Problem, Window } from '../../core/protocol/control.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { newHistogram, type Histogram } from '../../core/result/histogram.ts';
import type { TopicGroupPlan } from '../../core/scenario/topics.ts';
import { createProblemLog } from '../account/problems.ts';
import { createBodyStock, type BodyStock } from './body-stock.ts';
import type { Published, PublisherSetup } from './contract.ts';
import { startPacer, type Pacer } from './pacer.ts';

/** How long answers are awaited after the last event. */
export const answerWithinUs = 5_000_000;

/**
 * Bodies are made ahead for at most `fillUs` in `fillEveryUs`, and not in the last `clearUs` before an event.
 */
const fillUs = 300;
const fillEveryUs = 5000;
const clearUs = 1000;

/** A plan, and from when on it is published; undefined until that is known. */
export type Timetable = { readonly plan: PublishPlan; readonly window: Window | undefined };

/** What every publisher knows. */
export type Publishing = {
  readonly plan: PublishPlan;
  readonly topics: readonly TopicGroupPlan[];
  readonly bodies: BodyStock;
  readonly pacer: Pacer;
  readonly seq: Int32Array;
  readonly lag: Histogram;
  readonly roundTrip: Histogram;
  readonly sentUs: Float64Array;
  /** As `Published` has them. */
  readonly unconfirmed: EventNumber[];
  readonly done: PromiseWithResolvers<Published>;
  problem(code: string, message: string): void;
  listProblems(): Problem[];
  window: Window | undefined;
  /** The next event that is due. */
  next: number;
  confirmed: number;
  over: boolean;
  /** Takes the limit on the wait for answers away; undefined before there is one. */
  clearLimit: (() => void) | undefined;
};

/** @param step the pacer's */
export function newPublishing({ plan, topics, seed }: PublisherSetup, step: () => number): Publishing {
  const events = plan.offsetUs.length;
  const problems = createProblemLog();
  return {
    plan,
    topics,
    bodies: createBodyStock(plan, seed),
    pacer: startPacer(step),
    seq: new Int32Array(events),
    lag: newHistogram(),
    roundTrip: newHistogram(),
    sentUs: new Float64Array(events),
    unconfirmed: [],
    done: Promise.withResolvers<Published>(),
    problem: problems.add,
    listProblems: problems.list,
    window: undefined,
    next: 0,
    confirmed: 0,
    over: false,
    clearLimit: undefined,
  };
}

export function eventsOf({ plan }: Pick<Timetable, 'plan'>): number {
  return plan.offsetUs.length;
}

/** When an event is due, on the monotonic clock; Infinity before the window is known. */
export function plannedUs({ window, plan }: Timetable, i: number): number {
  return window ? window.warmupFromUs + plan.offsetUs[i]! : Infinity;
}

export function isMeasured(timetable: Timetable, i: number): boolean {
  const { window } = timetable;
  return window !== undefined && plannedUs(timetable, i) >= window.fromUs;
}

/** What a server of ours gave an event, in the body of its answer; 0 where it gave it none. */
export function seqIn(answer: string): number {
  return Number(/"seq":([1-9]\d{0,8})\b/.exec(answer)?.[1] ?? 0);
}

/**
 * Makes bodies ahead while there is time.
 * @param isIdle no answer is awaited, so that the time until the next event is free, also for a large body
 * @returns when there will be more to do
 */
export function fillAhead(state: Publishing, isIdle = false): number {
  const dueUs = plannedUs(state, state.next);
  const readyUs = dueUs - clearUs;
  const untilUs = Math.min(nowUs() + fillUs, readyUs);
  const full = state.bodies.fill(untilUs, isIdle ? readyUs : untilUs);
  return full ? dueUs : Math.min(dueUs, nowUs() + fillEveryUs);
}

/**
 * Every event was sent: calls `giveUp` when answers have been awaited for long enough, at least until the end
 * of the measured phase. A later call changes nothing, so events that are sent again do not put that off.
 */
export function limitAnswers(state: Publishing, window: Window, giveUp: () => void): void {
  state.clearLimit ??= later(Math.max(answerWithinUs, window.toUs - nowUs()) / 1000, giveUp);
}

/** Publishes no more, and says what became of the plan. */
export function finish(state: Publishing): void {
  if (state.over) return;
  state.over = true;
  state.clearLimit?.();
  const { seq, lag, roundTrip, unconfirmed, done, listProblems } = state;
  done.resolve({ seq, lag, roundTrip, unconfirmed, problems: listProblems() });
}

/** Publishes no more. Connections are for the caller to close. */
export function stop(state: Publishing): void {
  state.over = true;
  state.clearLimit?.();
  state.pacer.stop();
}
