// Makes long runs whose percentiles are known, and short ones by drawing events from them, to count how often
// the intervals of the short ones hold the truth. For the test and for bench/validate.

import { exponential, random, type Random } from '../../../core/base/random.ts';
import { newHistogram, quantileUs, record, type Histogram } from '../../../core/result/histogram.ts';
import { intervalOf, isShown, type Interval } from '../../../core/result/precision.ts';

/** The receipts of one event, ascending. */
type Event = Int32Array;
export type LongRun = { name: string; events: Event[] };

const longEvents = 20_000;

/** Each kind of tail that a run can have: who shares a delay, and how long the rare ones are. */
export function longRuns(seed: number): LongRun[] {
  const of = (name: string, eventOf: (next: Random) => number[]): LongRun => {
    const next = random(seed, name);
    return {
      name,
      events: Array.from({ length: longEvents }, () => Int32Array.from(eventOf(next)).sort()),
    };
  };
  const fanOut = (receivers: number, startUs: number, eachUs: number) =>
    Array.from({ length: receivers }, (_, i) => startUs + i * eachUs);
  return [
    of('20 receivers who share nearly all of their delay', (next) =>
      fanOut(20, 1000 + exponential(next, 3000), 40),
    ),
    of('100 receivers, each written after the other', (next) =>
      fanOut(100, 1000 + exponential(next, 1000), 50 + 50 * next()),
    ),
    of('20 receivers, and a pause that one event in fifty meets', (next) =>
      fanOut(20, 2000 + exponential(next, 500) + (next() < 0.02 ? 20_000 * next() : 0), 30),
    ),
    of('10 receivers, each with a delay of its own', (next) =>
      fanOut(10, 1000, 0).map((us) => us + exponential(next, 3000)),
    ),
    of('half of the events private, half with 10 receivers', (next) =>
      fanOut(next() < 0.5 ? 1 : 10, 1000 + exponential(next, 3000), 40),
    ),
  ];
}

export function histogramOfEvents(events: readonly Event[]): Histogram {
  const histogram = newHistogram();
  for (const receipts of events) for (const us of receipts) record(histogram, us);
  return histogram;
}

export function clustersOf(events: readonly Event[]) {
  const shared = events.filter(({ length }) => length > 1);
  return {
    kind: 'kept',
    events: shared,
    shared: shared.reduce((sum, { length }) => sum + length, 0),
  } as const;
}

export type Coverage = {
  /** Intervals of percentiles that would be shown. */
  shown: number;
  /** Of these, how many hold the long run's percentile. */
  covered: number;
  /** The same, had deliveries been taken as independent. */
  coveredByDeliveries: number;
  /** Low ends of percentiles with too few events to be shown, and how many lie at or below the truth. */
  lows: number;
  lowsRight: number;
};

/** Draws `draws` runs of `events` events each. */
export function coverageOf(
  { name, events: all }: LongRun,
  { quantile, events, draws, seed }: { quantile: number; events: number; draws: number; seed: number },
): Coverage {
  const next = random(seed, `${name} ${quantile} ${events}`);
  const truth = quantileUs(histogramOfEvents(all), quantile)!;
  const holds = ({ lowUs, highUs }: Interval) => lowUs <= truth && highUs !== null && truth <= highUs;
  const sum: Coverage = { shown: 0, covered: 0, coveredByDeliveries: 0, lows: 0, lowsRight: 0 };
  for (let i = 0; i < draws; i++) {
    const drawn = Array.from({ length: events }, () => all[Math.floor(next() * all.length)]!);
    const histogram = histogramOfEvents(drawn);
    const interval = intervalOf(histogram, quantile, clustersOf(drawn))!;
    if (!isShown(interval)) {
      if (interval.lowUs > 0) sum.lows++;
      if (interval.lowUs > 0 && interval.lowUs <= truth) sum.lowsRight++;
      continue;
    }
    sum.shown++;
    if (holds(interval)) sum.covered++;
    if (holds(intervalOf(histogram, quantile, { kind: 'single' })!)) sum.coveredByDeliveries++;
  }
  return sum;
}
