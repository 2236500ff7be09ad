// Plans the open-model schedule: every event's due time, topic and body, fixed before the run from the
// scenario and its seed. No clock and no I/O. load/publisher/publisher.ts publishes it.

import {
  arrivalTimesUs,
  expectedEvents,
  inAll,
  partOf,
  type ArrivalContext,
  type Span,
  type Trace,
  type Traces,
} from '../scenario/arrivals.ts';
import type { PublishPlan } from './publish-plan.ts';
import { maxEvents, parseTrace } from './trace.ts';
import { UserError } from '../base/errors.ts';
import { random, type Random } from '../base/random.ts';
import type { Payload, Scenario, TopicGroup } from '../scenario/scenario.ts';
import { planTopics, type TopicGroupPlan } from '../scenario/topics.ts';
import { formatNumber } from '../base/units.ts';

/** What a schedule takes from files; the caller has read them. */
export type Sources = {
  /** The bodies of a `payload: { from }`, at least one. */
  corpusOf(from: string): readonly string[];
  /** The text of a `publish: { trace }`; see `parseTrace`. */
  traceOf(file: string): string;
};

export type ScheduledScenario = Pick<Scenario, 'seed' | 'subscribers' | 'payload' | 'phases'> & {
  topics: Record<string, Omit<TopicGroup, 'by'> & Partial<Pick<TopicGroup, 'by'>>>;
};

/**
 * Plans warm-up and measured phase. Offsets are whole microseconds from the start of the warm-up, ascending,
 * below warm-up + measure; the measured events are those from the end of the warm-up on.
 *
 * Each group's topics, and the bodies of a corpus, are dealt like cards: all of them once in a random order,
 * then again in another. So each topic gets the same number of events in a phase, to within one, each
 * subscriber has the same work, and each body of a corpus goes out before any goes out twice.
 * A trace brings its own body sizes unless its group names a payload.
 *
 * @throws UserError `schedule-too-large` when there would be more than `maxEvents`,
 *   `trace-invalid` as `parseTrace`
 */
export function planPublishing(scenario: ScheduledScenario, sources: Sources): PublishPlan {
  return planWithTraces(scenario, sources).publish;
}

/** The same, with the traces that it took events from. */
export function planWithTraces(
  scenario: ScheduledScenario,
  sources: Sources,
): { publish: PublishPlan; traces: Traces } {
  const warmupUs = Math.round(scenario.phases.warmup * 1000);
  const spans: Span[] = [
    { fromUs: -warmupUs, toUs: 0 },
    { fromUs: 0, toUs: Math.round(scenario.phases.measure * 1000) },
  ];
  const files: Files = { ...sources, bodies: [], ranges: new Map(), traces: tracesOf(scenario, sources) };
  refuseTooLarge(scenario, spans, files);
  const groups = planTopics(scenario).map((group) => planGroup(scenario, group, spans, files));
  return { publish: { ...merge(groups, warmupUs), corpus: files.bodies }, traces: files.traces };
}

function refuseTooLarge(scenario: ScheduledScenario, spans: Span[], { traces }: Files): void {
  const perGroup = planTopics(scenario).map(({ name, count }) => {
    const publish = inAll(scenario.topics[name]!.publish, count);
    return { name, events: spans.reduce((sum, span) => sum + expectedEvents(publish, span, traces), 0) };
  });
  const events = perGroup.reduce((sum, group) => sum + group.events, 0);
  if (events <= maxEvents) return;
  const most = perGroup.reduce((a, b) => (b.events > a.events ? b : a));
  throw new UserError(
    'schedule-too-large',
    `the schedule has ${formatNumber(Math.round(events))} events, most of them of topic "${most.name}", ` +
      `where at most ${formatNumber(maxEvents)} can be planned: lower its rate, ` +
      'or shorten phases.warmup or phases.measure',
  );
}

/** The events of one group, ascending; times count from the start of the measured phase. */
type GroupEvents = { atUs: number[]; topic: number[]; body: number[] };

function planGroup(
  scenario: ScheduledScenario,
  group: TopicGroupPlan,
  spans: Span[],
  files: Files,
): GroupEvents {
  const { publish: said, payload } = scenario.topics[group.name]!;
  const publish = inAll(said, group.count);
  const context: ArrivalContext = { seed: scenario.seed, group: group.name, traces: files.traces };
  const events: GroupEvents = { atUs: [], topic: [], body: [] };
  for (const span of spans) {
    const stream = (what: string) => random(scenario.seed, `${what}:${group.name}:${partOf(span)}`);
    const topicOf = dealer(group.count, stream('topics'));
    const bodyOf =
      publish.kind === 'trace' && !payload
        ? tracedSizes(files.traces.get(publish.file)!)
        : payloads(payload ?? scenario.payload, files, stream('bodies'));
    for (const [i, atUs] of arrivalTimesUs(publish, span, context).entries()) {
      events.atUs.push(atUs);
      events.topic.push(group.first + topicOf());
      events.body.push(bodyOf(i));
    }
  }
  return events;
}

/** What has been read so far: all traces, and the bodies of the corpora in a row, with where each begins. */
type Files = Pick<Sources, 'corpusOf'> & {
  traces: Traces;
  bodies: string[];
  ranges: Map<string, { first: number; count: number }>;
};

function tracesOf({ topics }: ScheduledScenario, { traceOf }: Sources): Traces {
  const files = Object.values(topics).flatMap(({ publish }) =>
    publish.kind === 'trace' ? [publish.file] : [],
  );
  return new Map([...new Set(files)].map((file) => [file, parseTrace(traceOf(file), file)]));
}

/** What stands in `PublishPlan.body` for the span's event `i`. */
type BodyPicker = (i: number) => number;

function payloads(payload: Payload, files: Files, next: Random): BodyPicker {
  if (payload.kind === 'size') return () => -payload.sizeBytes;
  let range = files.ranges.get(payload.from);
  if (!range) {
    const bodies = files.corpusOf(payload.from);
    range = { first: files.bodies.length, count: bodies.length };
    for (const body of bodies) files.bodies.push(body);
    files.ranges.set(payload.from, range);
  }
  const { first, count } = range;
  const deal = dealer(count, next);
  return () => first + deal();
}

/** Each span plays its trace from the first event on. */
function tracedSizes({ sizeBytes }: Trace): BodyPicker {
  return (i) => -sizeBytes[i]!;
}

/** Deals 0..count-1 in a random order, then again in another (Fisher and Yates' shuffle, a step a card). */
function dealer(count: number, next: Random): () => number {
  const deck = Uint32Array.from({ length: count }, (_, i) => i);
  let at = 0;
  return () => {
    const other = at + Math.floor(next() * (count - at));
    const card = deck[other]!;
    deck[other] = deck[at]!;
    deck[at] = card;
    at = (at + 1) % count;
    return card;
  };
}

/** One ascending sequence; at equal times the groups keep their order in the scenario. */
function merge(groups: GroupEvents[], warmupUs: number): Omit<PublishPlan, 'corpus'> {
  const length = groups.reduce((sum, { atUs }) => sum + atUs.length, 0);
  const plan = {
    offsetUs: new Float64Array(length),
    topic: new Uint32Array(length),
    body: new Int32Array(length),
  };
  const heads = groups.map(() => 0);
  for (let i = 0; i < length; i++) {
    let first = -1;
    let firstUs = Infinity;
    for (let g = 0; g < groups.length; g++) {
      const atUs = groups[g]!.atUs[heads[g]!] ?? Infinity;
      if (atUs < firstUs) [first, firstUs] = [g, atUs];
    }
    const { topic, body } = groups[first]!;
    const head = heads[first]!++;
    plan.offsetUs[i] = firstUs + warmupUs;
    plan.topic[i] = topic[head]!;
    plan.body[i] = body[head]!;
  }
  return plan;
}
