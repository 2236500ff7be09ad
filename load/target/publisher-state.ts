// Holds what the publisher of a target knows while it publishes a plan.

import type { EventNumber, Problem } from '../../core/protocol/control.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { newHistogram, type Histogram } from '../../core/result/histogram.ts';
import { redact } from '../../core/secrets/redact.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { topicCount, type TopicGroupPlan } from '../../core/scenario/topics.ts';
import { createProblemLog } from '../account/problems.ts';
import { createBodyStock, type Body, type BodyStock } from '../publisher/body-stock.ts';
import type { Published, PublisherSetup } from '../publisher/contract.ts';
import { startPacer, type Pacer } from '../publisher/pacer.ts';
import type { Client, HttpClients } from '../wire/http-client.ts';
import { createPublishRequests, type PublishRequests } from './publish-request.ts';

/** One connection and the topics that use it. */
export type Lane = { client: Client<Lane>; waiting: number[]; head: number; current: number };

/** What a publisher knows, but for what the plan says. */
export type State = {
  readonly plan: PublishPlan;
  readonly topics: readonly TopicGroupPlan[];
  readonly secrets: TargetAccess['secrets'];
  readonly requests: PublishRequests;
  readonly bodies: BodyStock;
  /** The bodies of events that wait for their lane. */
  readonly bodyOf: Map<number, Body>;
  readonly pacer: Pacer;
  readonly seq: Int32Array;
  readonly lag: Histogram;
  readonly roundTrip: Histogram;
  readonly unconfirmed: EventNumber[];
  readonly sentUs: Float64Array;
  /** The last number given on each topic. */
  readonly numbers: Int32Array;
  readonly done: PromiseWithResolvers<Published>;
  problem(code: string, message: string): void;
  listProblems(): Problem[];
  /** Once the connections' code has been loaded. */
  clients: HttpClients<Lane> | undefined;
  lanes: Lane[];
  fromUs: number;
  warmUntilUs: number;
  /** The next event to hand to its lane. */
  next: number;
  confirmed: number;
  answered: number;
  /** Events that wait for their lane, and the bytes of their bodies. */
  waiting: number;
  waitingBytes: number;
  over: boolean;
  limit: NodeJS.Timeout | undefined;
};

/** @param step the pacer's */
export function newState(
  { topics, plan, seed, target }: PublisherSetup & { target: TargetAccess },
  step: () => number,
): State {
  const events = plan.offsetUs.length;
  const problems = createProblemLog();
  return {
    plan,
    topics,
    secrets: target.secrets,
    requests: createPublishRequests(target),
    bodies: createBodyStock(plan, seed),
    bodyOf: new Map(),
    pacer: startPacer(step),
    seq: new Int32Array(events),
    lag: newHistogram(),
    roundTrip: newHistogram(),
    unconfirmed: [],
    sentUs: new Float64Array(events),
    numbers: new Int32Array(topicCount(topics)),
    done: Promise.withResolvers<Published>(),
    problem: (code, message) => problems.add(code, redact(message, target.secrets)),
    listProblems: problems.list,
    clients: undefined,
    lanes: [],
    fromUs: Infinity,
    warmUntilUs: Infinity,
    next: 0,
    confirmed: 0,
    answered: 0,
    waiting: 0,
    waitingBytes: 0,
    over: false,
    limit: undefined,
  };
}

export function eventsOf({ plan }: State): number {
  return plan.offsetUs.length;
}

export function plannedUs({ fromUs, plan }: State, i: number): number {
  return fromUs + plan.offsetUs[i]!;
}

export function isMeasured(state: State, i: number): boolean {
  return plannedUs(state, i) >= state.warmUntilUs;
}
