// Adds up a schedule, group by group: how many events and deliveries lie in the measured phase, and what was
// asked for but lies outside of it. Refuses a schedule that would test nothing.

import { UserError } from '../base/errors.ts';
import { counted } from '../base/counted.ts';
import { formatNumber, formatUs, writeDuration, writeRate } from '../base/units.ts';
import type { NoteCode } from '../result/trial-warning.ts';
import { inAll, expectedEvents, type Trace, type Traces } from '../scenario/arrivals.ts';
import { followersOf, planTopics } from '../scenario/topics.ts';
import type { PublishPlan } from './publish-plan.ts';
import { canBeHeld, planWithTraces, scheduleOf, type ScheduledScenario, type Sources } from './schedule.ts';

/** What is to happen on the topics of one group in the measured phase. */
export type GroupTraffic = {
  name: string;
  topics: number;
  /** Events a second of all its topics together, the mean where the rate changes. */
  perS: number;
  /** Whether the scenario says the rate of each topic, and not of all together. */
  each: boolean;
  /** Topics of the group that one subscriber follows. */
  follow: number;
  events: number;
  deliveries: number;
  /** Topics that get an event at all. */
  reached: number;
  /** Events on topics that nobody follows. */
  unfollowed: number;
  /** Where the group plays a trace. */
  trace?: { file: string; timesAre: string; events: number; after: number; firstUs: number; lastUs: number };
};

export type Traffic = { groups: GroupTraffic[]; events: number; deliveries: number };

/** Something to know of a schedule that can run all the same; a sentence. */
export type TrafficNote = { code: NoteCode; message: string };

/**
 * Plans a scenario, and what its schedule comes to.
 * @throws UserError as `planPublishing`, and `schedule-empty` where a group that is to have events, or
 *   the whole, has none in the measured phase, or nobody is to get any
 */
export function planTraffic(
  scenario: ScheduledScenario,
  sources: Sources,
): { publish: PublishPlan; traffic: Traffic } {
  const { publish, traces } = planWithTraces(scenario, sources);
  const traffic = trafficOf(publish, scenario, traces);
  refuseEmpty(traffic, scenario);
  return { publish, traffic };
}

/**
 * Counts the events and deliveries of a schedule that is not kept in memory, as in a simulation: event by
 * event up to the number that a plan can hold. For a longer one it returns the mean where chance decides.
 * @throws UserError as `scheduleOf`, and `schedule-empty` as `planTraffic`
 */
export function trafficAhead(scenario: ScheduledScenario, sources: Sources): Traffic {
  const { events, traces } = scheduleOf(scenario, sources);
  const warmupUs = Math.round(scenario.phases.warmup * 1000);
  function* topics() {
    for (const { offsetUs, topic } of events) if (offsetUs >= warmupUs) yield topic;
  }
  const traffic = canBeHeld(scenario, traces)
    ? countTraffic(topics(), scenario, traces)
    : meanTraffic(scenario, traces);
  refuseEmpty(traffic, scenario);
  return traffic;
}

type Counted = Pick<ScheduledScenario, 'subscribers' | 'topics' | 'phases'>;

/**
 * What the measured part of a plan asks for: its events, and its deliveries, each event once for each
 * follower of its topic.
 */
export function trafficOf(plan: PublishPlan, scenario: Counted, traces: Traces = new Map()): Traffic {
  const warmupUs = Math.round(scenario.phases.warmup * 1000);
  function* topics() {
    for (let i = plan.offsetUs.length - 1; i >= 0 && plan.offsetUs[i]! >= warmupUs; i--) yield plan.topic[i]!;
  }
  return countTraffic(topics(), scenario, traces);
}

/** @param measured the topic of each measured event */
function countTraffic(measured: Iterable<number>, scenario: Counted, traces: Traces): Traffic {
  const groups = planTopics(scenario);
  const traffic = emptyTraffic(scenario, traces);
  const seen = new Uint8Array(groups.reduce((sum, { count }) => sum + count, 0));
  for (const topic of measured) {
    const own = traffic[groups.findIndex(({ first, count }) => topic >= first && topic < first + count)]!;
    const followers = followersOf(groups, topic, scenario.subscribers);
    own.events++;
    own.deliveries += followers;
    if (followers === 0) own.unfollowed++;
    if (seen[topic] === 0) own.reached++;
    seen[topic] = 1;
  }
  return inAllGroups(traffic);
}

/** As topics are dealt like cards, each has as many events as the others, and as many followers. */
function meanTraffic(scenario: Counted, traces: Traces): Traffic {
  const measuredS = scenario.phases.measure / 1000;
  return inAllGroups(
    emptyTraffic(scenario, traces).map((group) => {
      const { perS, topics, follow } = group;
      const events = Math.round(perS * measuredS);
      const followersOfEach = (scenario.subscribers * follow) / topics;
      return {
        ...group,
        events,
        deliveries: Math.round(events * followersOfEach),
        reached: Math.min(topics, events),
        unfollowed: Math.round(events * (1 - Math.min(1, followersOfEach))),
      };
    }),
  );
}

function inAllGroups(groups: GroupTraffic[]): Traffic {
  const sum = (of: 'events' | 'deliveries') => groups.reduce((all, group) => all + group[of], 0);
  return { groups, events: sum('events'), deliveries: sum('deliveries') };
}

function emptyTraffic(scenario: Counted, traces: Traces): GroupTraffic[] {
  const measureUs = Math.round(scenario.phases.measure * 1000);
  return planTopics(scenario).map(({ name, count, follow }): GroupTraffic => {
    const { publish } = scenario.topics[name]!;
    const mean = expectedEvents(inAll(publish, count), { fromUs: 0, toUs: measureUs }, traces);
    return {
      name,
      topics: count,
      perS: mean / (measureUs / 1e6),
      each: publish.each === true,
      follow,
      events: 0,
      deliveries: 0,
      reached: 0,
      unfollowed: 0,
      ...(publish.kind === 'trace' && {
        trace: traceUse(publish.file, traces.get(publish.file), measureUs),
      }),
    };
  });
}

function traceUse(file: string, trace: Trace | undefined, measureUs: number): GroupTraffic['trace'] & object {
  const { offsetUs = new Float64Array(), timesAre = '' } = trace ?? {};
  const after = offsetUs.reduce((sum, atUs) => sum + (atUs < measureUs ? 0 : 1), 0);
  return {
    file,
    timesAre,
    events: offsetUs.length,
    after,
    firstUs: offsetUs[0] ?? 0,
    lastUs: offsetUs.at(-1) ?? 0,
  };
}

function refuseEmpty({ groups, events, deliveries }: Traffic, { topics, phases }: ScheduledScenario): void {
  const phase = `the measured phase of ${writeDuration(phases.measure)}`;
  const refuse = (message: string) => {
    throw new UserError('schedule-empty', message);
  };
  for (const { name, events: own, perS, trace } of groups) {
    if (own > 0) continue;
    if (trace)
      refuse(
        `no event of the trace ${trace.file} lies in ${phase}. ` +
          `Its times were read as ${trace.timesAre}: of ${counted(trace.events, 'event')} the first comes ` +
          `${formatUs(trace.firstUs)} after the start, the last ${formatUs(trace.lastUs)} after it. ` +
          'Write times that count from the first event, or measure longer (phases.measure)',
      );
    const { publish, by } = topics[name]!;
    if (perS > 0)
      refuse(
        `no event of topic "${name}" falls into ${phase}: ` +
          (publish.kind === 'bursts'
            ? `a burst comes every ${writeDuration(publish.everyMs)}, and with this seed none comes in it`
            : `its rate of ${writeRate(perS)} makes ${formatNumber(perS * (phases.measure / 1000))} events ` +
              'in it') +
          '. Publish more often or measure longer (phases.measure); a topic that is to stay quiet has a ' +
          'rate of 0/s',
      );
    if (by === 'subscribers')
      refuse(`subscribers are to publish on topic "${name}", and its rate of 0/s lets nobody publish`);
  }
  if (events === 0) refuse(`no event falls into ${phase}. Publish more often or measure longer`);
  if (deliveries === 0)
    refuse(
      `nobody would get any of the ${counted(events, 'event')} in ${phase}: the topics that they are ` +
        'published on have no follower. Use fewer topics (count), more subscribers, or let each ' +
        'follow more (follow)',
    );
}

/** What a reader of the figures should know of the schedule. */
export function trafficNotes({ groups }: Traffic): TrafficNote[] {
  return groups.flatMap(({ name, topics, events, reached, unfollowed, each, perS, trace }) => {
    const notes: TrafficNote[] = [];
    if (trace && trace.after > 0)
      notes.push({
        code: 'trace-cut',
        message:
          `of the ${counted(trace.events, 'event')} of the trace ${trace.file}, ` +
          `${formatNumber(trace.after)} ${trace.after === 1 ? 'comes' : 'come'} after the end of the ` +
          `measured phase and will not be published: the trace lasts ${formatUs(trace.lastUs)}.`,
      });
    if (events > 0 && events < topics)
      notes.push({
        code: 'quiet-topics',
        message:
          `topic group "${name}" has ${counted(events, 'event')} for ${formatNumber(topics)} topics in the ` +
          `measured phase, so ${formatNumber(topics - reached)} of them never get one.` +
          (each || trace
            ? ''
            : ` Its rate of ${writeRate(perS)} is for all its topics together; if every topic should have ` +
              `it, write "${writeRate(perS)} each".`),
      });
    if (unfollowed > 0)
      notes.push({
        code: 'unfollowed',
        message:
          `of the ${counted(events, 'event')} of topic group "${name}", ${formatNumber(unfollowed)} ` +
          `${unfollowed === 1 ? 'goes' : 'go'} to topics that nobody follows, and so to nobody.`,
      });
    return notes;
  });
}

/** A table of the groups for people, with the notes below it. */
export function trafficLines(traffic: Traffic): string[] {
  const head = ['group', 'topics', 'rate in all', 'each topic', 'each subscriber', 'events', 'deliveries'];
  const rows = traffic.groups.map((group) => [
    group.name,
    formatNumber(group.topics),
    writeRate(group.perS),
    writeRate(group.perS / group.topics),
    writeRate((group.perS / group.topics) * group.follow),
    formatNumber(group.events),
    formatNumber(group.deliveries),
  ]);
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ');
  return [
    ...[head, ...rows].map(line),
    ...traffic.groups.flatMap(({ name, trace }) =>
      trace
        ? `${name} plays the trace ${trace.file}: ${counted(trace.events, 'event')} in ` +
          `${formatUs(trace.lastUs)}; its times were read as ${trace.timesAre}` +
          (trace.firstUs === 0 ? '' : `, the first of them ${formatUs(trace.firstUs)}`)
        : [],
    ),
    ...noteLines(traffic),
  ];
}

/** The notes as lines for people. */
export function noteLines(traffic: Traffic): string[] {
  return trafficNotes(traffic).map(({ message }) => `note: ${message}`);
}
