// Draws the faults of the part `faults`: who is hit, how, and at which moment. Pure: a case follows from its
// number, so that one that did not hold can be repeated by it.

import { random, type Random } from '../../../core/base/random.ts';
import type { Pattern } from '../../../core/pattern/pattern.ts';
import { patterns } from '../../../core/pattern/registry.ts';

export const childRoles = ['server', 'load', 'publisher'] as const;
export type ChildRole = (typeof childRoles)[number];

/**
 * What is done to a process. `interrupt` is Ctrl-C, which a terminal sends to the whole process group;
 * `pause` stops
 * it and lets it go on; `stop` leaves it stopped; `stop-kill` kills it while it is stopped; `kill-frozen`
 * is for the
 * harness: its children are stopped, then it is killed.
 */
export type Act = 'kill' | 'terminate' | 'interrupt' | 'pause' | 'stop' | 'stop-kill' | 'kill-frozen';

/** A hit on a process of a run of two trials. */
export type RunCase = {
  kind: 'run';
  number: number;
  victim: 'harness' | ChildRole;
  act: Act;
  /** As the scenario writes them. */
  variants: readonly [string, string];
  /** Whose child is hit. */
  trial: 1 | 2;
  /** The moment, as a share of the usual length of the run (harness) or of the child's life. */
  share: number;
  /** How long it is stopped, where it goes on or is killed then. */
  forMs: number;
};

/**
 * A webhook server on SQLite that is killed while it is published to. The moment is drawn by the series of
 * kills itself.
 */
export type StoreCase = { kind: 'store'; number: number };

/** A hit on the Redis under a webhook server that is published to. */
export type BrokerCase = {
  kind: 'broker';
  number: number;
  act: 'kill' | 'pause' | 'stop-kill';
  afterMs: number;
  forMs: number;
};

export type FaultCase = RunCase | StoreCase | BrokerCase;

/** As a scenario writes them; those that ask on a schedule do so often enough for trials of a second. */
const variants = [
  ...Object.entries<Pattern>(patterns).map(([name, { asksEveryMs, quick }]) =>
    asksEveryMs && quick ? `{ ${name}: ${JSON.stringify(quick)} }` : name,
  ),
  '{ webhook: { store: sqlite } }',
];

type Slots = readonly [victim: RunCase['victim'] | 'store' | 'broker', act: Act, count: number];

/** A hundred kills and stops. */
const kills: readonly Slots[] = [
  ['harness', 'kill', 10],
  ['harness', 'kill-frozen', 6],
  ['harness', 'stop-kill', 3],
  ['harness', 'pause', 3],
  ...childRoles.flatMap((role): Slots[] => [
    [role, 'kill', 8],
    [role, 'terminate', 4],
    [role, 'pause', 4],
    [role, 'stop', 2],
  ]),
  ['store', 'kill', 14],
  ['broker', 'kill', 4],
  ['broker', 'pause', 4],
  ['broker', 'stop-kill', 2],
];

/** Fifty moments at which a run is asked to end. */
const ends: readonly Slots[] = [
  ['harness', 'interrupt', 25],
  ['harness', 'terminate', 25],
];

/** @returns all cases, numbered from 1: a hundred kills and stops, then fifty moments of SIGINT or SIGTERM */
export function allCases(): FaultCase[] {
  const slots = [...kills, ...ends].flatMap(([victim, act, count]) =>
    Array.from({ length: count }, () => ({ victim, act })),
  );
  return slots.map(({ victim, act }, i) => caseOf(i + 1, victim, act));
}

/** A tenth, spread over the list so that every kind with ten cases or more is in it. */
export function quickCases(): FaultCase[] {
  return allCases().filter((_, i) => i % 10 === 0);
}

/**
 * The case with another moment, for where the run had gone past the one before.
 * @param attempt from 1
 */
export function redrawn(one: RunCase, attempt: number): RunCase {
  return { ...one, share: one.share * random(one.number, `moment ${attempt}`)() };
}

function caseOf(number: number, victim: Slots[0], act: Act): FaultCase {
  const next = random(number, 'fault');
  if (victim === 'store') return { kind: 'store', number };
  if (victim === 'broker')
    return {
      kind: 'broker',
      number,
      act: act as BrokerCase['act'],
      afterMs: 300 + next() * 1200,
      forMs: 500 + next() * 5500,
    }; // the list has no others
  const first = pick(next, variants);
  const second = pick(
    next,
    variants.filter((one) => one !== first),
  );
  return {
    kind: 'run',
    number,
    victim,
    act,
    variants: [first, second],
    trial: next() < 0.5 ? 1 : 2,
    share: next(),
    forMs: 100 + next() * 900,
  };
}

function pick(next: Random, from: readonly string[]): string {
  return from[Math.floor(next() * from.length)]!; // below the length
}

/** What a page and a terminal call a case: `server, kill`. */
export function groupOf(one: FaultCase): string {
  if (one.kind === 'store') return 'webhook server on SQLite: SIGKILL under load';
  const how: Record<Act, string> = {
    kill: 'SIGKILL',
    terminate: 'SIGTERM',
    interrupt: 'SIGINT to the process group',
    pause: 'SIGSTOP, then SIGCONT',
    stop: 'SIGSTOP for good',
    'stop-kill': 'SIGSTOP, then SIGKILL',
    'kill-frozen': 'SIGKILL while its children are stopped',
  };
  return `${one.kind === 'broker' ? 'Redis under a webhook server' : one.victim}: ${how[one.act]}`;
}
