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
  const traces = tracesOf(scenario, sources);
  refuseTooLarge(scenario, traces);
  const { events, corpus } = withTraces(scenario, sources, traces);
  let plan: Columns = {
    offsetUs: new Float64Array(1024),
    topic: new Uint32Array(1024),
    body: new Int32Array(1024),
  };
  let length = 0;
  for (const { offsetUs, topic, body } of events) {
    if (length === plan.topic.length) plan = resized(plan, 2 * length);
    plan.offsetUs[length] = offsetUs;
    plan.topic[length] = topic;
    plan.body[length++] = body;
  }
  return { publish: { ...resized(plan, length), corpus }, traces };
}

type Columns = Pick<PublishPlan, 'offsetUs' | 'topic' | 'body'>;

function resized(plan: Columns, length: number): Columns {
  const own = {
    offsetUs: new Float64Array(length),
    topic: new Uint32Array(length),
    body: new Int32Array(length),
  };
  const kept = Math.min(length, plan.topic.length);
  own.offsetUs.set(plan.offsetUs.subarray(0, kept));
  own.topic.set(plan.topic.subarray(0, kept));
  own.body.set(plan.body.subarray(0, kept));
  return own;
}

/** As in a {@link PublishPlan}. */
export type ScheduledEvent = { offsetUs: number; topic: number; body: number };

export type Schedule = {
  /** The same ones each time that they are iterated, and never held: there may be any number of them. */
  events: Iterable<ScheduledEvent>;
  corpus: string[];
  traces: Traces;
};

/**
 * The events of {@link planPublishing}, one by one.
 * @throws UserError `trace-invalid` as `parseTrace`
 */
export function scheduleOf(scenario: ScheduledScenario, sources: Sources): Schedule {
  return withTraces(scenario, sources, tracesOf(scenario, sources));
}

function withTraces(scenario: ScheduledScenario, sources: Sources, traces: Traces): Schedule {
  const { warmupUs, spans } = spansOf(scenario);
  const files: Files = { ...sources, bodies: [], ranges: new Map(), traces };
  const groups = planTopics(scenario);
  // So that all corpora are read, each where it comes first.
  for (const { name } of groups) payloadOf(scenario, name, files);
  const events = {
    [Symbol.iterator]: () =>
      merged(
        groups.map((group) => eventsOfGroup(scenario, group, spans, files)),
        warmupUs,
      ),
  };
  return { events, corpus: files.bodies, traces };
}

function spansOf({ phases }: Pick<ScheduledScenario, 'phases'>): { warmupUs: number; spans: Span[] } {
  const warmupUs = Math.round(phases.warmup * 1000);
  const measured = { fromUs: 0, toUs: Math.round(phases.measure * 1000) };
  return { warmupUs, spans: [{ fromUs: -warmupUs, toUs: 0 }, measured] };
}

/** How many events each group has in the whole schedule; the mean where chance decides. */
function expectedInGroups(scenario: ScheduledScenario, traces: Traces): { name: string; events: number }[] {
  const { spans } = spansOf(scenario);
  return planTopics(scenario).map(({ name, count }) => {
    const publish = inAll(scenario.topics[name]!.publish, count);
    return { name, events: spans.reduce((sum, span) => sum + expectedEvents(publish, span, traces), 0) };
  });
}

/** Whether a schedule is short enough to be held, and to be counted event by event. */
export function canBeHeld(scenario: ScheduledScenario, traces: Traces): boolean {
  return expectedInGroups(scenario, traces).reduce((sum, { events }) => sum + events, 0) <= maxEvents;
}

function refuseTooLarge(scenario: ScheduledScenario, traces: Traces): void {
  if (canBeHeld(scenario, traces)) return;
  const perGroup = expectedInGroups(scenario, traces);
  const events = perGroup.reduce((sum, group) => sum + group.events, 0);
  const most = perGroup.reduce((a, b) => (b.events > a.events ? b : a));
  throw new UserError(
    'schedule-too-large',
    `the schedule has ${formatNumber(Math.round(events))} events, most of them of topic "${most.name}", ` +
      `where at most ${formatNumber(maxEvents)} can be planned: lower its rate, ` +
      'or shorten phases.warmup or phases.measure',
  );
}

/** Ascending; times count from the start of the measured phase. */
function* eventsOfGroup(
  scenario: ScheduledScenario,
  group: TopicGroupPlan,
  spans: Span[],
  files: Files,
): Generator<ScheduledEvent> {
  const publish = inAll(scenario.topics[group.name]!.publish, group.count);
  const context: ArrivalContext = { seed: scenario.seed, group: group.name, traces: files.traces };
  const payload = payloadOf(scenario, group.name, files);
  for (const span of spans) {
    const stream = (what: string) => random(scenario.seed, `${what}:${group.name}:${partOf(span)}`);
    const topicOf = dealer(group.count, stream('topics'));
    const bodyOf = payload(stream('bodies'));
    let i = 0;
    for (const offsetUs of arrivalTimesUs(publish, span, context))
      yield { offsetUs, topic: group.first + topicOf(), body: bodyOf(i++) };
  }
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

/** What a group's bodies are; a corpus is read at the first of its groups. */
function payloadOf(scenario: ScheduledScenario, group: string, files: Files): (next: Random) => BodyPicker {
  const { publish, payload } = scenario.topics[group]!;
  if (publish.kind === 'trace' && !payload) return () => tracedSizes(files.traces.get(publish.file)!);
  const own: Payload = payload ?? scenario.payload;
  if (own.kind === 'size') return () => () => -own.sizeBytes;
  let range = files.ranges.get(own.from);
  if (!range) {
    const bodies = files.corpusOf(own.from);
    range = { first: files.bodies.length, count: bodies.length };
    for (const body of bodies) files.bodies.push(body);
    files.ranges.set(own.from, range);
  }
  const { first, count } = range;
  return (next) => {
    const deal = dealer(count, next);
    return () => first + deal();
  };
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
function* merged(groups: Iterator<ScheduledEvent>[], warmupUs: number): Generator<ScheduledEvent> {
  const heads = groups.map((group) => group.next());
  for (;;) {
    let first = -1;
    let firstUs = Infinity;
    for (let g = 0; g < groups.length; g++) {
      const head = heads[g]!;
      if (!head.done && head.value.offsetUs < firstUs) [first, firstUs] = [g, head.value.offsetUs];
    }
    if (first < 0) return;
    const event: ScheduledEvent = heads[first]!.value;
    heads[first] = groups[first]!.next();
    event.offsetUs = firstUs + warmupUs;
    yield event;
  }
}
