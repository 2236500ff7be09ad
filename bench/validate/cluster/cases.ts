// Draws the trials of faults of several servers, and those of the part `cluster-kills`: which fault, at which
// moment, with which broker, pattern and way in. Pure: a case follows from its number, so that one that did
// not hold can be repeated by it.

import { random, type Random } from '../../../core/base/random.ts';
import { kinds, type Draw, type FaultKind } from './kinds.ts';

export type ClusterCase = {
  number: number;
  group: string;
  broker: 'redis-streams' | 'jetstream';
  pattern: (typeof patterns)[number];
  inFront: 'list' | 'haproxy';
  servers: number;
  measureMs: number;
  /** Lines of the timeline. */
  faults: readonly string[];
  /** What must hold of who was away; of faults that are drawn alone. */
  away: FaultKind['away'];
  /** The fault has ended when the trial ends. */
  ends: boolean;
};

const patterns = ['sse', 'websocket', 'http-stream', 'long-polling'] as const;
export const subscribers = 30;
/** How often a fault happens in a trial, and the time that each has, where its kind says nothing else. */
const usualTimes = 5;
const usualSlotMs = 1500;
/** A fault is not due before: some events have been published. */
const firstMs = 100;
/** It begins at a random moment until here in its slot, so that what lasts longest ends before the next. */
const latestMs = 500;

/** How often each fault happens in all trials together. */
export const faultsUsually = 50;
/** Trials with kills. */
export const killTrialsUsually = 50;
export const killsEach = 4;
const killMeasureMs = 6000;
/** One server at a time is killed; it is not killed again before the slot after the next. */
const killSlotMs = 1300;

/**
 * Every fault at least `each` times.
 * Numbers go round the kinds: 1 to the number of kinds are the first trial of each.
 */
export function faultCases(each: number): ClusterCase[] {
  return Array.from({ length: each * kinds.length }, (_, i) => i + 1)
    .filter((number) => roundOf(number) * timesOf(kindOf(number)) < each)
    .map(faultCase);
}

/** @param number from 1 */
export function faultCase(number: number): ClusterCase {
  const kind = kindOf(number);
  const next = random(number, 'cluster fault');
  const setUp = setUpInTurn(number, next, kind);
  const slotMs = kind.slotMs ?? usualSlotMs;
  const times = timesOf(kind);
  const faults: string[] = [];
  let server = 0;
  for (let slot = 0; slot < times; slot++) {
    server = anotherServer(next, setUp.servers, server);
    const draw = drawOf(next, setUp, slot, server);
    faults.push(...kind.faults(firstMs + slot * slotMs + draw.ms(0, latestMs), draw));
  }
  return {
    number,
    group: kind.name,
    ...setUp,
    measureMs: firstMs + times * slotMs,
    faults,
    away: kind.away,
    ends: kind.ends === true,
  };
}

/** How often the fault happens in a trial of its kind. */
export function timesOf({ times = usualTimes }: Pick<FaultKind, 'times'>): number {
  return times;
}

function kindOf(number: number): FaultKind {
  return kinds[placeOf(number)]!; // below its length
}

function placeOf(number: number): number {
  return (number - 1) % kinds.length;
}

function roundOf(number: number): number {
  return Math.floor((number - 1) / kinds.length);
}

export function killCases(count: number): ClusterCase[] {
  return Array.from({ length: count }, (_, i) => killCase(i + 1));
}

/** Several kills, each with a restart a little later. @param number from 1 */
export function killCase(number: number): ClusterCase {
  const next = random(number, 'cluster kills');
  const setUp = drawnSetUp(next);
  const faults: string[] = [];
  let server = 0;
  for (let slot = 0; slot < killsEach; slot++) {
    server = anotherServer(next, setUp.servers, server);
    const at = firstMs + slot * killSlotMs + between(next, 0, killSlotMs / 2);
    const back = at + between(next, 100, 600);
    faults.push(`{ at: ${at}ms, kill: ${server} }`, `{ at: ${back}ms, restart: ${server} }`);
  }
  return {
    number,
    group: number % 2 === 0 ? 'JetStream' : 'Redis Streams',
    ...setUp,
    broker: number % 2 === 0 ? 'jetstream' : 'redis-streams',
    measureMs: killMeasureMs,
    faults,
    away: 'somebody',
    ends: false,
  };
}

/** The scenario of a case. Its seed is its number. */
export function scenarioText({
  number,
  servers,
  broker,
  inFront,
  measureMs,
  faults,
  pattern,
}: ClusterCase): string {
  return `question: Does it hold?
seed: ${number}
subscribers: ${subscribers}
topics: { news: { publish: 30/s } }
payload: 128B
phases: { connect: 200ms, warmup: 300ms, measure: ${measureMs}ms, drain: 15s }
servers: { count: ${servers}, broker: ${broker}, in-front: ${inFront} }
reconnect: { base: 100ms, cap: 1s }
faults:
${faults.map((one) => `  - ${one}`).join('\n')}
variants: [${pattern}]
expect: [missed == 0]
`;
}

/** In eight rounds each fault has every pattern with both brokers and found in both ways. */
function setUpInTurn(number: number, next: Random, { streams, inFront, servers }: FaultKind) {
  const [round, place] = [roundOf(number), placeOf(number)];
  const those = streams ? patterns.filter((one) => one !== 'long-polling') : patterns;
  const turn = Math.floor(round / those.length);
  return {
    pattern: those[(round + place) % those.length]!, // below its length
    broker: (round + place + turn) % 2 === 0 ? ('redis-streams' as const) : ('jetstream' as const),
    inFront: inFront || (Math.floor(round / 2) + turn) % 2 === 0 ? ('haproxy' as const) : ('list' as const),
    servers: servers ?? pick(next, [2, 3] as const),
  };
}

function drawnSetUp(next: Random) {
  return {
    pattern: pick(next, patterns),
    inFront: pick(next, ['list', 'haproxy'] as const),
    servers: pick(next, [2, 3] as const),
  };
}

function drawOf(
  next: Random,
  { servers: count, inFront }: Pick<ClusterCase, 'servers' | 'inFront'>,
  slot: number,
  server: number,
): Draw {
  return {
    next,
    count,
    inFront,
    slot,
    server,
    ms: (low, high) => between(next, low, high),
    share: () => `${Math.round(30 + next() * 70)}%`,
  };
}

/** One of the servers, and not that of the slot before: it may still be starting. */
function anotherServer(next: Random, count: number, last: number): number {
  return pick(
    next,
    Array.from({ length: count }, (_, i) => i + 1).filter((one) => one !== last),
  );
}

function between(next: Random, low: number, high: number): number {
  return Math.round(low + next() * (high - low));
}

function pick<T>(next: Random, from: readonly T[]): T {
  return from[Math.floor(next() * from.length)]!; // below the length
}
