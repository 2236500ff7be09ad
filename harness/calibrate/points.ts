// Plans which trials a profile is made of: for each pattern a plane of subscribers x events a second. The
// corners come first: where time is short, the points left out lie between measured ones.

import { counted } from '../../core/base/counted.ts';
import type { Pattern, PatternRegistry } from '../../core/pattern/pattern.ts';
import type { BrokerName } from '../../core/scenario/servers.ts';
import { trialMs } from '../../core/scenario/trial-time.ts';

/** One trial of a plan: evenly spaced events of one topic to all subscribers. */
export type Point = {
  pattern: string;
  subscribers: number;
  perS: number;
  measureMs: number;
  /** 1 for the first trial of the point. */
  repetition: number;
  /** What stands beside the server; the point is part of a plane when left out. */
  cluster?: ClusterPlace;
};

/**
 * What a trial measures of a cluster: a broker with one server or two, the same server by itself, or HAProxy
 * in front of one server.
 */
export type ClusterPlace =
  | { kind: 'broker'; broker: BrokerName; servers: 1 | 2 }
  | { kind: 'direct' }
  | { kind: 'front' };

export type Extent = {
  subscribers: readonly number[];
  /** The same for patterns whose server calls its subscribers: there an event mostly has few receivers. */
  called: readonly number[];
  calledPerS: readonly number[];
  perS: readonly number[];
  trials: number;
  /** The least number in all trials of a point together, unless `mostMeasureMs` ends a trial before. */
  events: number;
  leastMeasureMs: number;
  mostMeasureMs: number;
  /** Of brokers: rates, and how long each trial measures at least. */
  brokerPerS: readonly number[];
  brokerMeasureMs: number;
  frontMeasureMs: number;
  /** HAProxy is measured with few subscribers at the highest rate too. */
  frontTwice: boolean;
  /** How long all of it may take. */
  budgetMs: number;
};

const minuteMs = 60_000;

/** At most 10 minutes: enough for medians. At 5 events a second a point has 40 events. */
export const quick: Extent = {
  subscribers: [40, 200, 1000],
  called: [4, 1000],
  calledPerS: [5, 120],
  perS: [5, 25, 120],
  trials: 1,
  events: 100,
  leastMeasureMs: 5000,
  mostMeasureMs: 8000,
  brokerPerS: [80],
  brokerMeasureMs: 2500,
  frontMeasureMs: 4000,
  frontTwice: false,
  budgetMs: 10 * minuteMs,
};

/**
 * Little more than an hour: at least 500 events a point, in two trials each, so that a p99 has events beyond
 * it; fewer where one a second is all that a server carries.
 */
export const full: Extent = {
  subscribers: [20, 100, 450, 2000],
  called: [4, 100, 2000],
  calledPerS: [8, 15, 60, 240],
  perS: [8, 25, 80, 240],
  trials: 2,
  events: 500,
  leastMeasureMs: 10_000,
  mostMeasureMs: 2 * minuteMs,
  brokerPerS: [30, 150],
  brokerMeasureMs: 10_000,
  frontMeasureMs: 10_000,
  frontTwice: true,
  budgetMs: 80 * minuteMs,
};

export const payloadBytes = 256;
const [connect, warmup, drain] = [1000, 1000, 3000];
/** Beside a broker are few subscribers, and half a second is enough for the first events. */
const few = { connect: 300, warmup: 500 };

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

/** Whether its server calls its subscribers, which cannot be behind NAT then. */
export function isCaller({ lacks }: Pick<Pattern, 'lacks'>): boolean {
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
  const planes = patterns.map((name) => placesFor(name, registry, extent));
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

/** The plane of a pattern. */
export function placesFor(name: string, registry: PatternRegistry, extent: Extent): Place[] {
  const pattern = registry[name]!;
  const { called, calledPerS } = extent;
  const own = isCaller(pattern) ? { subscribers: called, perS: calledPerS } : extent;
  return placesOf(own, mostPerSOf(pattern));
}

function measureMsOf(perS: number, { events, trials, leastMeasureMs, mostMeasureMs }: Extent): number {
  const wantedMs = Math.ceil(events / trials / perS) * 1000;
  return Math.min(mostMeasureMs, Math.max(leastMeasureMs, wantedMs));
}

type Place = Pick<Point, 'subscribers' | 'perS'>;

/** Places that come first: the most subscribers, the fewest at the highest rate and at the lowest. */
export const corners = 3;

/** The most subscribers come first: there, at the lowest rate, the cost of a subscriber at rest is read. */
export function placesOf(
  { subscribers, perS }: Pick<Extent, 'subscribers' | 'perS'>,
  mostInAll: number,
): Place[] {
  const fits = (place: Place) => place.subscribers * place.perS <= mostInAll;
  const [fewest, slowest] = [Math.min(...subscribers), Math.min(...perS)];
  const largest = Math.max(...subscribers);
  const plane = subscribers.flatMap((count) => perS.map((rate) => ({ subscribers: count, perS: rate })));
  const within = plane.filter(fits);
  const fastest = Math.max(...within.filter((one) => one.subscribers === fewest).map((one) => one.perS));
  const first = [
    // Where even the lowest rate is too much, a rate that fits.
    { subscribers: largest, perS: Math.min(slowest, Math.max(1, Math.floor(mostInAll / largest))) },
    { subscribers: fewest, perS: fastest },
    { subscribers: fewest, perS: slowest },
  ];
  const isCorner = (one: Place) =>
    first.some((corner) => corner.subscribers === one.subscribers && corner.perS === one.perS);
  return [...first, ...within.filter((one) => !isCorner(one))];
}

/** About how long the trial takes. */
export function pointMs(point: Pick<Point, 'measureMs' | 'cluster'>): number {
  return trialMs({ ...phasesOf(point), drain, measure: point.measureMs });
}

function phasesOf({ cluster }: Pick<Point, 'cluster'>): { connect: number; warmup: number } {
  if (cluster === undefined) return { connect, warmup };
  return cluster.kind === 'front' ? { connect, warmup: few.warmup } : few;
}

/** `300 subscribers, 25 events/s`; `2 servers, nats, 4 subscribers, 80 events/s` */
export function placeText({ subscribers, perS, cluster }: Place & Pick<Point, 'cluster'>): string {
  const load = `${counted(subscribers, 'subscriber')}, ${counted(perS, 'event')}/s`;
  switch (cluster?.kind) {
    case undefined:
      return load;
    case 'front':
      return `HAProxy, ${load}`;
    case 'direct':
      return `no broker, ${load}`;
    case 'broker':
      return `${counted(cluster.servers, 'server')}, ${cluster.broker}, ${load}`;
  }
}

/** The scenario of a trial. */
export function scenarioText(point: Point): string {
  const { pattern, subscribers, perS, measureMs, repetition } = point;
  const { connect: connectMs, warmup: warmupMs } = phasesOf(point);
  return `question: What do ${subscribers} subscribers cost at ${perS} events a second?
seed: ${repetition}
subscribers: ${subscribers}
topics: { news: { publish: ${perS}/s } }
payload: ${payloadBytes}B
phases: { connect: ${connectMs}ms, warmup: ${warmupMs}ms, measure: ${measureMs}ms, drain: ${drain}ms }
${serversText(point)}variants: [${pattern}]
`;
}

function serversText({ cluster }: Pick<Point, 'cluster'>): string {
  switch (cluster?.kind) {
    case 'broker':
      return `servers: { count: ${cluster.servers}, broker: ${cluster.broker} }\n`;
    case 'front':
      return 'servers: { in-front: haproxy }\n';
    default:
      return '';
  }
}
