// Says what a pattern costs at so many receivers of an event, so many events a second and so large a payload,
// from what a profile has measured: interpolated between its points in logarithms (local-plane.ts).
//
// Outside of the points nothing follows a slope of theirs for long. More receivers than any point had: each
// further one costs and takes what one does there, since one thread writes to one after the other; the first
// receiver does not wait for them. Fewer: by the slope at the edge, but never more than in proportion.
// Another rate: by the slope at the edge up to twice as far, and from there on as there, an event each.
// `extrapolated` says how far outside that is.

import type { ProfilePoint, ProfileVariant } from '../../core/profile/profile.ts';
import { ascending, type Knots } from './distribution.ts';
import { weighted, weightsAt, type Place } from './local-plane.ts';

/** What an event costs whose receivers get it in a fan-out; of polling, an answer. */
export type Cost = {
  firstUs: Knots;
  medianUs: Knots;
  lastUs: Knots;
  /** Of the server's thread, for one event with all its receivers, without what it costs idle. */
  cpuUs: number;
  /** How far outside: 1 is inside, 4 is four times the largest or smallest point. */
  extrapolated: number;
};

export type At = { receivers: number; perS: number; payloadBytes: number };

export type Costs = {
  /** Places that differ by less than a percent give the same object. */
  at(at: At): Cost;
  /**
   * CPU before the first event, as a share of a core: with all subscribers connected, but of patterns whose
   * clients ask (polling, long polling) without any.
   */
  idleShare(subscribers: number): number;
};

type Range = { low: number; high: number };
type Points = {
  points: readonly ProfilePoint[];
  places: readonly Place[];
  ranges: readonly [receivers: Range, perS: Range, payload: Range];
};

/** A payload matters less than as many times more receivers: a quarter of its logarithm counts. */
const payloadWeight = 0.25;
/** So far beyond the measured rates a slope is followed, as a factor. */
const slopeReach = 2;
/** A least figure, so that a logarithm exists: a nanosecond. */
const leastUs = 1e-3;

export function createCosts({ points: measured }: Pick<ProfileVariant, 'points'>): Costs {
  const known = preparePoints(measured);
  const kept = new Map<string, Cost>();
  let last: { at: At; cost: Cost } | undefined;
  return {
    at(at) {
      if (last && isSame(at, last.at)) return last.cost;
      const key = `${rounded(at.receivers)} ${rounded(at.perS)} ${rounded(at.payloadBytes)}`;
      let cost = kept.get(key);
      if (!cost) {
        if (kept.size >= mostKept) kept.clear();
        kept.set(key, (cost = costAt(known, at)));
      }
      last = { at, cost };
      return cost;
    },
    idleShare(subscribers) {
      const { points } = known;
      const at = clampTo(known.ranges[0], subscribers);
      const near = weightsAt(
        points.map((one) => [Math.log(one.subscribers)]),
        [Math.log(at)],
      );
      return Math.max(
        0,
        weighted(
          near,
          points.map((one) => one.serverIdleShare),
        ),
      );
    },
  };
}

function isSame(a: At, b: At): boolean {
  return a.receivers === b.receivers && a.perS === b.perS && a.payloadBytes === b.payloadBytes;
}

const mostKept = 10_000;

/** To half a percent, marked as such; whole numbers, such as receivers, which counts hang on, exactly. */
function rounded(value: number): string {
  return Number.isInteger(value) ? `${value}` : `~${Math.round(Math.log(value) * 200)}`;
}

function preparePoints(points: readonly ProfilePoint[]): Points {
  const used = points.filter(({ perS }) => perS > 0);
  if (used.length === 0) throw new Error('a profile has no point at which events were published');
  return {
    points: used,
    places: used.map(placeOf),
    ranges: [
      rangeOf(used.map((one) => one.subscribers)),
      rangeOf(used.map((one) => one.perS)),
      rangeOf(used.map((one) => Math.max(1, one.payloadBytes))),
    ],
  };
}

export function placeOf(at: { subscribers: number; perS: number; payloadBytes: number }): Place {
  return [
    Math.log(at.subscribers),
    Math.log(at.perS),
    payloadWeight * Math.log(Math.max(1, at.payloadBytes)),
  ];
}

function costAt(known: Points, { receivers, perS, payloadBytes }: At): Cost {
  const [ofReceivers, ofRates, ofPayloads] = known.ranges;
  const inside = {
    subscribers: clampTo(ofReceivers, Math.max(1, receivers)),
    perS: clampTo({ low: ofRates.low / slopeReach, high: ofRates.high * slopeReach }, perS),
    payloadBytes: clampTo(ofPayloads, Math.max(1, payloadBytes)),
  };
  const at = figuresAt(known, inside);
  const scaled = scaleTo(known, inside, at, Math.max(1, receivers));
  const extrapolated = Math.max(
    outside(ofReceivers, Math.max(1, receivers)),
    outside(ofRates, perS),
    outside(ofPayloads, Math.max(1, payloadBytes)),
  );
  const firstUs = ascending(scaled.firstUs);
  const medianUs = ascending(scaled.medianUs.map((us, i) => Math.max(us, firstUs[i]!)));
  const lastUs = ascending(scaled.lastUs.map((us, i) => Math.max(us, medianUs[i]!)));
  return { firstUs, medianUs, lastUs, cpuUs: scaled.cpuUs, extrapolated };
}

type Figures = Omit<Cost, 'extrapolated'>;

function figuresAt(
  { points, places }: Points,
  at: { subscribers: number; perS: number; payloadBytes: number },
): Figures {
  const near = weightsAt(places, placeOf(at));
  const mean = (of: (point: ProfilePoint) => number) =>
    Math.exp(
      weighted(
        near,
        points.map((point) => Math.log(Math.max(leastUs, of(point)))),
      ),
    );
  const knots = (of: (point: ProfilePoint) => Knots) =>
    points[0]!.firstUs.map((_, i) => mean((point) => of(point)[i]!));
  return {
    firstUs: knots((point) => point.firstUs),
    medianUs: knots((point) => point.medianUs),
    lastUs: knots((point) => point.lastUs),
    cpuUs: mean(cpuOf),
  };
}

/** For an event. */
export function cpuOf({ serverCpuShare, serverIdleShare, perS }: ProfilePoint): number {
  return (Math.max(0, serverCpuShare - serverIdleShare) * 1e6) / perS;
}

function scaleTo(
  known: Points,
  inside: { subscribers: number; perS: number; payloadBytes: number },
  at: Figures,
  receivers: number,
): Figures {
  const times = receivers / inside.subscribers;
  if (times === 1) return at;
  if (times > 1) {
    const further = (us: number, i: number) => at.firstUs[i]! + (us - at.firstUs[i]!) * times;
    return {
      firstUs: at.firstUs,
      medianUs: at.medianUs.map(further),
      lastUs: at.lastUs.map(further),
      cpuUs: at.cpuUs * times,
    };
  }
  const [{ low, high }] = known.ranges;
  const step = Math.min(high, low * 2);
  const there = figuresAt(known, { ...inside, subscribers: step });
  const less = (own: number, other: number) => {
    const slope = step > low ? Math.log(other / own) / Math.log(step / low) : 0;
    return own * times ** Math.min(1, Math.max(0, slope));
  };
  return {
    firstUs: at.firstUs.map((us, i) => less(us, there.firstUs[i]!)),
    medianUs: at.medianUs.map((us, i) => less(us, there.medianUs[i]!)),
    lastUs: at.lastUs.map((us, i) => less(us, there.lastUs[i]!)),
    cpuUs: less(at.cpuUs, there.cpuUs),
  };
}

function rangeOf(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

function clampTo({ low, high }: Range, value: number): number {
  return Math.min(high, Math.max(low, value));
}

/** How far outside of the measured payloads one is: 1 is inside. */
export function payloadOutside(points: readonly ProfilePoint[], bytes: number): number {
  return outside(rangeOf(points.map((one) => Math.max(1, one.payloadBytes))), Math.max(1, bytes));
}

function outside({ low, high }: Range, value: number): number {
  return Math.max(1, value / high, low / value);
}
