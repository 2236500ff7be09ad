// Simulates one server of a capacity question with any number of subscribers, as short as its figures allow:
// some thousand events, or a round of polls.

import { longRandom } from '../../core/base/long-random.ts';
import type { Question } from '../../core/capacity/question.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import { scheduleOf } from '../../core/plan/schedule.ts';
import type { Profile } from '../../core/profile/profile.ts';
import { requestsOf } from '../../core/result/counters.ts';
import { quantileUs } from '../../core/result/histogram.ts';
import type { SimulatedTrial } from '../../core/result/simulated.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { Model, PlannedEvent } from '../model.ts';
import { slotUsOf } from '../models/tally.ts';

/** What one server does. */
export type Load = {
  subscribers: number;
  /** Of a core; above 1 it is asked for more than it can do. */
  cpuShare: number;
  /** Infinity where its queue grows without end. */
  latencyP50Us: number;
  latencyP99Us: number;
  connections: number;
  descriptors: number;
  memoryBytes: number;
  /** Of all its subscribers together. */
  requestsPerS: number;
  /** From server to clients, and from clients to server. */
  bytesOutPerS: number;
  bytesInPerS: number;
  rests: Pick<SimulatedTrial, 'how' | 'extrapolated' | 'expectedError' | 'leavesOut'>;
};

export type OneServer = {
  registry: PatternRegistry;
  /** A scenario with the defaults of all that a question does not say. */
  base: Scenario;
  profile: Profile;
  variant: Variant;
  model: Model;
};

/** Twenty of them are above the 99th percentile. */
const eventsWanted = 2000;
/** Of a model that computes each delivery by itself: a second or two of work, and events for a mean. */
const mostDeliveries = 60_000;
const leastEvents = 8;
/** Of such a model too, four years: its clock ends at nine (simulation/events/). */
const longestMs = 4 * 365 * 86_400_000;
/** Signs of life go out every 15 or 25 seconds; their bytes count. */
const trafficMs = 60_000;
const mostEvents = 60_000;
/** What is later than so many times its bound is just later: nothing waits for it. */
const drainBounds = 2;
const leastDrainMs = 10_000;
const seed = 1;

/** CPU and latency with so many subscribers. */
export function loadOf(question: Question, subscribers: number, of: OneServer): Load {
  const perS = perSOf(question, subscribers);
  const events = asManyOf(eventsWanted, question, subscribers, of);
  const leastMs = Math.max((events / perS) * 1000, asksEveryMs(of), 1);
  // Where clients only listen, CPU and latency do not depend on where they are in their rounds.
  const warmupEvents = of.registry[of.variant.pattern]?.fromHistory ? mostEvents : eventsWanted;
  return simulate(question, subscribers, of, { measureMs: withFewSlots(leastMs), warmupEvents });
}

/** The events that are simulated, where so many are wanted. */
function asManyOf(wanted: number, { topics }: Question, subscribers: number, { model }: OneServer): number {
  if (!model.eachDelivery) return wanted;
  const receivers = topics === 'shared' ? subscribers : 1;
  return Math.min(wanted, Math.max(leastEvents, mostDeliveries / receivers));
}

/** Each slot of time takes a histogram: somewhat longer is sooner computed where that makes slots wider. */
function withFewSlots(leastMs: number): number {
  const slots = (ms: number) => (ms * 1000) / slotUsOf(ms * 1000);
  const longer = Array.from({ length: 11 }, (_, i) => Math.ceil(leastMs * (1 + i / 10)));
  return longer.reduce((best, ms) => (slots(ms) < slots(best) * 0.7 ? ms : best));
}

/**
 * Requests and bytes, for as long as they need to repeat. With private topics those of one client are not
 * changed by others, so that fewer of them may be enough.
 */
export function trafficOf(question: Question, most: number, of: OneServer): Load {
  const everyMs = asksEveryMs(of);
  const leastMs = Math.max(trafficMs, 10 * everyMs);
  const perClient = (question.eventsPerS * leastMs) / 1000;
  const isShared = question.topics === 'shared';
  const subscribers = isShared ? most : Math.max(1, Math.min(most, Math.floor(mostEvents / perClient)));
  const perS = perSOf(question, subscribers);
  const enough = Math.min(mostEvents, Math.max(eventsWanted, (perS * leastMs) / 1000));
  const wanted = asManyOf(enough, question, subscribers, of);
  const measureMs = (wanted / perS) * 1000;
  // Whole rounds of polls.
  const wholeMs = everyMs === 0 ? measureMs : Math.ceil(measureMs / everyMs) * everyMs;
  return simulate(question, subscribers, of, { measureMs: Math.ceil(wholeMs), warmupEvents: mostEvents });
}

/** 0 of patterns that do not ask on a schedule. */
export function asksEveryMs({ registry, variant }: Pick<OneServer, 'registry' | 'variant'>): number {
  return registry[variant.pattern]?.asksEveryMs?.(variant.options) ?? 0;
}

/** After which something comes again for each client. */
function roundMs({ registry, variant }: Pick<OneServer, 'registry' | 'variant'>): number {
  return registry[variant.pattern]?.meetsEveryMs?.(variant.options) ?? 0;
}

type Span = {
  measureMs: number;
  /** Before it, at most. */
  warmupEvents: number;
};

/**
 * Clients are somewhere in their rounds when the measured phase begins: they connect over a whole one. The
 * warm-up of clients that ask on a schedule is a round. Of others it takes no longer than a round, than two
 * events of each client take in the mean, and than so many events take in all.
 */
function phasesOf(
  question: Question,
  subscribers: number,
  of: OneServer,
  { measureMs: measure, warmupEvents }: Span,
) {
  const connect = roundMs(of);
  const everyMs = asksEveryMs(of);
  const eventsMs = Math.min(2 / question.eventsPerS, warmupEvents / perSOf(question, subscribers)) * 1000;
  const warmup = everyMs > 0 ? everyMs : Math.ceil(Math.min(connect, eventsMs));
  const drain = Math.ceil(Math.max(leastDrainMs, (drainBounds * question.latencyP99Us) / 1000, 2 * everyMs));
  return { connect, warmup, measure, drain };
}

/** Events of all topics on a server. */
function perSOf({ topics, eventsPerS }: Question, subscribers: number): number {
  return topics === 'shared' ? eventsPerS : eventsPerS * subscribers;
}

function simulate(question: Question, subscribers: number, of: OneServer, span: Span): Load {
  const { profile, variant, model } = of;
  const measureMs = model.eachDelivery ? Math.min(span.measureMs, longestMs) : span.measureMs;
  const phases = phasesOf(question, subscribers, of, { ...span, measureMs });
  const scenario = scenarioOf(question, subscribers, of, phases);
  const simulated = model({
    scenario,
    variant,
    profile,
    events: { [Symbol.iterator]: () => eventsOf(scenario) },
    random: (stream) => longRandom(seed, stream),
    clients: 'groups',
  });
  const { server, counters, latency, ledger, saturated, connections } = simulated;
  // Few events are by chance too many or too few for their time; the work for each of them is not.
  const seconds =
    model.eachDelivery && ledger.published > 0
      ? ledger.published / perSOf(question, subscribers)
      : measureMs / 1000;
  // What has not come by the end of the drain is later than all that has, and is work for the server too.
  const ofDelivered = ledger.expected / Math.max(1, ledger.delivered);
  const share = (server.cpuUs / 1e6 / seconds) * (model.eachDelivery ? ofDelivered : 1);
  const isFull = saturated && share > nearlyFull;
  const atUs = (quantile: number) =>
    isFull || quantile * ofDelivered > 1
      ? Infinity
      : (quantileUs(latency.endToEnd, quantile * ofDelivered) ?? Infinity);
  return {
    subscribers,
    cpuShare: isFull ? Math.max(share, server.askedShare) : share,
    latencyP50Us: atUs(0.5),
    latencyP99Us: atUs(0.99),
    connections,
    descriptors: server.descriptors,
    memoryBytes: server.rssBytes + server.kernelSocketBytes,
    requestsPerS: requestsOf(counters) / seconds,
    bytesOutPerS: counters.bytesIn / seconds,
    bytesInPerS: counters.bytesOut / seconds,
    rests: {
      how: simulated.how,
      extrapolated: Math.max(1, simulated.extrapolated),
      expectedError: simulated.expectedError,
      leavesOut: simulated.leavesOut,
    },
  };
}

/** A slot may ask for more than there is time for; a server that nearly all of the time is busy is full. */
const nearlyFull = 0.95;

function scenarioOf(
  { topics, eventsPerS, payloadBytes }: Question,
  subscribers: number,
  { base, variant }: OneServer,
  phases: Scenario['phases'],
): Scenario {
  const isShared = topics === 'shared';
  return {
    ...base,
    seed,
    subscribers,
    topics: {
      updates: {
        publish: { kind: 'poisson', perS: eventsPerS, ...(!isShared && { each: true }) },
        by: 'publisher',
        count: isShared ? 1 : 'per-subscriber',
        follow: 1,
      },
    },
    payload: { kind: 'size', sizeBytes: payloadBytes },
    phases,
    variants: [variant],
  };
}

function* eventsOf(scenario: Scenario): Generator<PlannedEvent> {
  const { warmup } = scenario.phases;
  for (const { offsetUs, topic, body } of scheduleOf(scenario, noFiles).events)
    yield { atUs: offsetUs - Math.round(warmup * 1000), topic, bodyBytes: -body };
}

const noFiles = {
  corpusOf: () => [],
  traceOf: () => '',
};
