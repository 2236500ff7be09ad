// Plans which trials a profile is made of: for each pattern a plane of subscribers x events a second, the
// corners first, so that what is cut off where time is short lies between points that there are.

import type { Pattern, PatternRegistry } from '../../core/pattern/pattern.ts';
import { trialMs } from '../../core/scenario/trial-time.ts';

/** One trial of a plan: evenly spaced events of one topic to all subscribers. */
export type Point = {
  pattern: string;
  subscribers: number;
  perS: number;
  measureMs: number;
  /** 1 for the first trial of the point. */
  repetition: number;
};

export type Extent = {
  subscribers: readonly number[];
  /** The same of patterns whose server calls its subscribers: an event of theirs has few receivers mostly. */
  called: readonly number[];
  perS: readonly number[];
  trials: number;
  /** In all trials of a point together, at the least, but for what `mostMeasureMs` cuts off. */
  events: number;
  leastMeasureMs: number;
  mostMeasureMs: number;
  /** How long all of it may take. */
  budgetMs: number;
};

const minuteMs = 60_000;

/** At most 10 minutes: enough for medians. At 5 events a second a point has 50 events. */
export const quick: Extent = {
  subscribers: [40, 200, 1000],
  called: [4, 1000],
  perS: [5, 25, 120],
  trials: 1,
  events: 100,
  leastMeasureMs: 5000,
  mostMeasureMs: 10_000,
  budgetMs: 10 * minuteMs,
};

/**
 * An hour and a quarter: at least 500 events a point, in two trials each, so that a p99 has events beyond it;
 * fewer where one a second is all that a server carries.
 */
export const full: Extent = {
  subscribers: [20, 100, 450, 2000],
  called: [4, 100, 2000],
  perS: [5, 15, 60, 240],
  trials: 2,
  events: 500,
  leastMeasureMs: 10_000,
  mostMeasureMs: 2 * minuteMs,
  budgetMs: 85 * minuteMs,
};

export const payloadBytes = 256;
const [connect, warmup, drain] = [1000, 1000, 3000];

/** Deliveries a second that a small machine carries well below a core of the server. */
const mostDeliveriesPerS = 30_000;
/** The same where each takes a request of a client. */
const mostAnswersPerS = 6000;
/** And where each is a request of the server's own, which it signs, stores and judges the answer of. */
const mostCallsPerS = 1500;

/** The patterns that can be calibrated: their subscribers hold a connection, or the server calls them. */
export function calibrated(registry: PatternRegistry): string[] {
  return Object.keys(registry).filter((name) => registry[name]!.holdsConnection || isCaller(registry[name]!));
}

/** Who cannot have subscribers behind NAT calls them. */
function isCaller({ lacks }: Pick<Pattern, 'lacks'>): boolean {
  return lacks['behind-nat'] !== undefined;
}

function mostPerSOf(pattern: Pattern): number {
  if (isCaller(pattern)) return mostCallsPerS;
  // Clients that ask, and are answered as soon as there is something: each delivery takes a request.
  return pattern.fromHistory && !pattern.answersAtOnce ? mostAnswersPerS : mostDeliveriesPerS;
}

/**
 * All trials of a calibration, in the order in which they run: every point once before any twice, and the
 * patterns in turn.
 */
export function planPoints(patterns: readonly string[], registry: PatternRegistry, extent: Extent): Point[] {
  const planes = patterns.map((name) => {
    const pattern = registry[name]!;
    const subscribers = isCaller(pattern) ? extent.called : extent.subscribers;
    return placesOf({ ...extent, subscribers }, mostPerSOf(pattern));
  });
  const most = Math.max(0, ...planes.map(({ length }) => length));
  return Array.from({ length: extent.trials }, (_, trial) =>
    Array.from({ length: most }, (__, place) =>
      patterns.flatMap((pattern, i) => {
        const at = planes[i]![place];
        const measureMs = at && measureMsOf(at.perS, extent);
        return at && measureMs ? [{ pattern, ...at, measureMs, repetition: trial + 1 }] : [];
      }),
    ),
  ).flat(2);
}

function measureMsOf(perS: number, { events, trials, leastMeasureMs, mostMeasureMs }: Extent): number {
  const wantedMs = Math.ceil(events / trials / perS) * 1000;
  return Math.min(mostMeasureMs, Math.max(leastMeasureMs, wantedMs));
}

type Place = Pick<Point, 'subscribers' | 'perS'>;

/** The most subscribers come first, as what one costs at rest is taken there, at the lowest rate. */
function placesOf({ subscribers, perS }: Extent, mostPerS: number): Place[] {
  const fits = (place: Place) => place.subscribers * place.perS <= mostPerS;
  const [fewest, slowest] = [Math.min(...subscribers), Math.min(...perS)];
  const largest = Math.max(...subscribers);
  const plane = subscribers.flatMap((count) => perS.map((rate) => ({ subscribers: count, perS: rate })));
  const within = plane.filter(fits);
  const fastest = Math.max(...within.filter((one) => one.subscribers === fewest).map((one) => one.perS));
  const corners = [
    // Where not even the lowest rate fits, one that does.
    { subscribers: largest, perS: Math.min(slowest, Math.max(1, Math.floor(mostPerS / largest))) },
    { subscribers: fewest, perS: fastest },
    { subscribers: fewest, perS: slowest },
  ];
  const isCorner = (one: Place) =>
    corners.some((corner) => corner.subscribers === one.subscribers && corner.perS === one.perS);
  return [...corners, ...within.filter((one) => !isCorner(one))];
}

/** How long the trial takes, in about. */
export function pointMs({ measureMs }: Pick<Point, 'measureMs'>): number {
  return trialMs({ connect, warmup, drain, measure: measureMs });
}

/** `300 subscribers, 25 events/s` */
export function placeText({ subscribers, perS }: Place): string {
  return `${subscribers.toLocaleString('en-US')} subscribers, ${perS} events/s`;
}

/** The scenario of a trial. */
export function scenarioText({ pattern, subscribers, perS, measureMs, repetition }: Point): string {
  return `question: What do ${subscribers} subscribers cost at ${perS} events a second?
seed: ${repetition}
subscribers: ${subscribers}
topics: { news: { publish: ${perS}/s } }
payload: ${payloadBytes}B
phases: { connect: ${connect}ms, warmup: ${warmup}ms, measure: ${measureMs}ms, drain: ${drain}ms }
variants: [${pattern}]
`;
}
