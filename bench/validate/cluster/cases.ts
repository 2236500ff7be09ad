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
const usualMeasureMs = 2000;
/** A fault is not due before: a slot's worth of events has been published. */
const firstMs = 100;
/** At the end of a short phase something is published that has to be resumed. */
const lastMs = 200;

/** Trials of each fault, and trials with kills. */
export const casesUsually = 50;
export const killsEach = 4;
const killMeasureMs = 6000;
/** One server at a time is killed; it is not killed again before the slot after the next. */
const killSlotMs = 1300;

/** @param each trials of each fault, in rounds: number 1 to the number of faults are the first of each */
export function faultCases(each: number): ClusterCase[] {
  return Array.from({ length: each * kinds.length }, (_, i) => faultCase(i + 1));
}

/** @param number from 1 */
export function faultCase(number: number): ClusterCase {
  const place = (number - 1) % kinds.length;
  const kind = kinds[place]!; // below its length
  const next = random(number, 'cluster fault');
  const round = Math.floor((number - 1) / kinds.length);
  const setUp = setUpOf(next, kind);
  const measureMs = kind.measureMs ?? usualMeasureMs;
  // What takes longer than a phase as a whole has to begin early in it.
  const latest = Math.min(usualMeasureMs, measureMs) - kind.spanMs - lastMs;
  const draw = drawOf(next, setUp);
  const atMs = draw.ms(firstMs, latest);
  return {
    number,
    group: kind.name,
    ...setUp,
    // Each fault has both brokers as often.
    broker: (round + place) % 2 === 0 ? 'redis-streams' : 'jetstream',
    measureMs,
    faults: kind.faults(atMs, draw),
    away: kind.away,
    ends: kind.ends === true,
  };
}

export function killCases(count: number): ClusterCase[] {
  return Array.from({ length: count }, (_, i) => killCase(i + 1));
}

/** Several kills, each with a restart a little later. @param number from 1 */
export function killCase(number: number): ClusterCase {
  const next = random(number, 'cluster kills');
  const setUp = setUpOf(next, {});
  const { ms } = drawOf(next, setUp);
  const faults: string[] = [];
  let last = 0;
  for (let slot = 0; slot < killsEach; slot++) {
    const others = Array.from({ length: setUp.servers }, (_, i) => i + 1).filter((one) => one !== last);
    last = pick(next, others);
    const at = firstMs + slot * killSlotMs + ms(0, killSlotMs / 2);
    faults.push(`{ at: ${at}ms, kill: ${last} }`, `{ at: ${at + ms(100, 600)}ms, restart: ${last} }`);
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

function setUpOf(next: Random, { inFront, streams }: Pick<FaultKind, 'inFront' | 'streams'>) {
  const pattern = pick(next, streams ? patterns.filter((one) => one !== 'long-polling') : patterns);
  const way = pick(next, ['list', 'haproxy'] as const);
  return {
    pattern,
    inFront: inFront ? ('haproxy' as const) : way,
    servers: pick(next, [2, 3] as const),
  };
}

function drawOf(next: Random, { servers: count, inFront }: Pick<ClusterCase, 'servers' | 'inFront'>): Draw {
  return {
    next,
    count,
    inFront,
    server: 1 + Math.floor(next() * count),
    ms: (low, high) => Math.round(low + next() * (high - low)),
    share: () => `${Math.round(30 + next() * 70)}%`,
  };
}

function pick<T>(next: Random, from: readonly T[]): T {
  return from[Math.floor(next() * from.length)]!; // below the length
}
