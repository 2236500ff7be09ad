// Computes when the events of one topic group are due: arrival processes as pure functions. No clock and no
// I/O. Which topic and body an event gets is plan/schedule.ts.
//
// Time counts from the start of the measured phase, as faults do; the warm-up lies below zero. Stages and
// traces begin at zero. Before it, stages hold their first rate, and a trace plays its beginning once.

import { exponential, random } from '../base/random.ts';
import type { Arrivals, TopicGroup } from './scenario.ts';

/** A recorded sequence of events, ascending in time. */
export type Trace = {
  /** Microseconds from the start of the recording. */
  offsetUs: Float64Array;
  sizeBytes: Int32Array;
  /** What the times in the file were read as: `seconds since 1970`. */
  timesAre: string;
};

/** The traces of a scenario by file name. */
export type Traces = ReadonlyMap<string, Trace>;

/**
 * A stretch of the run, in microseconds from the start of the measured phase: from, up
 * to and not including to.
 */
export type Span = { fromUs: number; toUs: number };

/** What arrivals need besides their own numbers. */
export type ArrivalContext = {
  seed: number;
  /**
   * The name of the group: each has random numbers of its own, so that changing one leaves
   * the others as they were.
   */
  group: string;
  traces: Traces;
};

/**
 * The arrivals of all topics of a group together, whether its scenario says them so or of each topic. What is
 * said of each is dealt over the topics like the rest: each has as many events as the others, to within one.
 * @param topics how many the group has
 */
export function inAll(publish: TopicGroup['publish'], topics: number): Arrivals {
  const { each, ...arrivals } = publish;
  if (!each) return arrivals;
  // A sixtieth of a second is not an exact number; twelve digits give 1/m each of 1,200 topics back as 20/s.
  const times = (one: number) => Number((one * topics).toPrecision(12));
  switch (arrivals.kind) {
    case 'constant':
    case 'poisson':
      return { ...arrivals, perS: times(arrivals.perS) };
    case 'stages': {
      const stages = arrivals.stages.map(({ rate, to, for: lengthMs }) => ({
        rate: times(rate),
        ...(to !== undefined && { to: times(to) }),
        for: lengthMs,
      }));
      return { ...arrivals, stages };
    }
    case 'bursts':
      return { ...arrivals, size: arrivals.size * topics };
    case 'trace':
      return arrivals; // its file lists every event
  }
}

/**
 * How many events arrivals make in a span; the mean where chance decides (Poisson), and within one of the
 * number where a seeded phase does.
 */
export function expectedEvents(publish: Arrivals, { fromUs, toUs }: Span, traces: Traces): number {
  switch (publish.kind) {
    case 'constant':
    case 'poisson':
      return (publish.perS * (toUs - fromUs)) / 1e6;
    case 'bursts':
      return (publish.size * (toUs - fromUs)) / (publish.everyMs * 1000);
    case 'stages': {
      const ramps = rampsOf(publish.stages);
      return eventsUntil(ramps, toUs) - eventsUntil(ramps, fromUs);
    }
    case 'trace':
      return traceTimes(traces.get(publish.file)!, { fromUs, toUs }).length;
  }
}

/**
 * The due times of a span that does not reach across zero: whole microseconds,
 * ascending, counted as the span is.
 *
 * Constant rates, stages and bursts are spaced exactly; where the spacing starts is drawn from the seed, so
 * that groups of one rate do not march in step. Each phase gets rate x time of them (to within one where that
 * is not a whole number), whatever the length of the other phase. Poisson draws independent exponential gaps.
 *
 * They are computed as they are asked for, so that a schedule of any length takes no memory.
 */
export function arrivalTimesUs(publish: Arrivals, span: Span, context: ArrivalContext): Iterable<number> {
  const { seed, group } = context;
  const phase = random(seed, `phase:${group}`)();
  switch (publish.kind) {
    case 'constant':
      return spaced(constant(publish.perS), span, phase);
    case 'stages':
      return spaced(rampsOf(publish.stages), span, phase);
    case 'bursts':
      return bursts(spaced(constant(1000 / publish.everyMs), span, phase), publish.size);
    case 'poisson':
      return poisson(publish.perS, span, random(seed, `arrivals:${group}:${partOf(span)}`));
    case 'trace':
      return traceTimes(context.traces.get(publish.file)!, span);
  }
}

/** A name for the phase that a span lies in, for its random numbers. */
export function partOf(span: Span): string {
  return span.fromUs < 0 ? 'warmup' : 'measure';
}

/**
 * A stretch whose rate changes in a straight line, seen from one point of it, the anchor: there the rate is
 * `perUs`, and `anchorEvents` have passed since zero. It ends where `untilEvents` have.
 */
type Ramp = {
  anchorUs: number;
  anchorEvents: number;
  perUs: number;
  slope: number;
  untilUs: number;
  untilEvents: number;
};

type Stages = Extract<Arrivals, { kind: 'stages' }>['stages'];

/** The stages, after an endless lead-in at the first rate and before an endless run-out at the last. */
function rampsOf(stages: Stages): Ramp[] {
  let perUs = stages[0]!.rate / 1e6;
  let anchorUs = 0;
  let anchorEvents = 0;
  const ramps: Ramp[] = [{ anchorUs, anchorEvents, perUs, slope: 0, untilUs: 0, untilEvents: 0 }];
  for (const { rate, to = rate, for: lengthMs } of stages) {
    const lengthUs = lengthMs * 1000;
    const untilUs = anchorUs + lengthUs;
    const untilEvents = anchorEvents + ((rate + to) / 2e6) * lengthUs;
    ramps.push({
      anchorUs,
      anchorEvents,
      perUs: rate / 1e6,
      slope: (to - rate) / 1e6 / lengthUs,
      untilUs,
      untilEvents,
    });
    [perUs, anchorUs, anchorEvents] = [to / 1e6, untilUs, untilEvents];
  }
  ramps.push({ anchorUs, anchorEvents, perUs, slope: 0, untilUs: Infinity, untilEvents: Infinity });
  return ramps;
}

function constant(perS: number): Ramp[] {
  return rampsOf([{ rate: perS, for: 0 }]);
}

/** The integral of the rate from zero to `atUs`; negative below zero. */
function eventsUntil(ramps: Ramp[], atUs: number): number {
  // The last one is endless.
  const { anchorUs, anchorEvents, perUs, slope } = ramps.find(({ untilUs }) => atUs < untilUs)!;
  const t = atUs - anchorUs;
  return anchorEvents + perUs * t + (slope / 2) * t * t;
}

/**
 * The times at which the integral of the rate passes `phase`, and each whole number from
 * there in both directions.
 */
function* spaced(ramps: Ramp[], { fromUs, toUs }: Span, phase: number): Generator<number> {
  let at = 0;
  for (let n = Math.ceil(eventsUntil(ramps, fromUs) - phase); ; n++) {
    while (n + phase >= ramps[at]!.untilEvents) at++;
    const atUs = Math.floor(whenUs(ramps[at]!, n + phase));
    if (!(atUs < toUs)) return; // at a rate of 0 the next event is never due
    yield atUs;
  }
}

function* bursts(times: Iterable<number>, size: number): Generator<number> {
  for (const atUs of times) for (let i = 0; i < size; i++) yield atUs;
}

/**
 * The root of perUs * t + slope / 2 * t^2 = events since the anchor, in the form that loses no
 * digits when slope is small.
 */
function whenUs({ anchorUs, anchorEvents, perUs, slope }: Ramp, events: number): number {
  const since = events - anchorEvents;
  if (since === 0) return anchorUs;
  return anchorUs + (2 * since) / (perUs + Math.sqrt(Math.max(0, perUs * perUs + 2 * slope * since)));
}

function* poisson(perS: number, { fromUs, toUs }: Span, next: () => number): Generator<number> {
  if (perS === 0) return;
  const meanUs = 1e6 / perS;
  for (let atUs = fromUs + exponential(next, meanUs); atUs < toUs; atUs += exponential(next, meanUs))
    yield Math.floor(atUs);
}

function traceTimes({ offsetUs }: Trace, { fromUs, toUs }: Span): number[] {
  return Array.from(
    offsetUs.filter((sinceStartUs) => fromUs + sinceStartUs < toUs),
    (sinceStartUs) => fromUs + sinceStartUs,
  );
}
