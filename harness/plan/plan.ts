// Makes a scenario ready to run: topics, schedule, split over load processes, widths of the time axis. The
// plan is the same for every variant and trial, so that all of them meet one and the same event stream.

import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import type { Sources } from '../../core/plan/schedule.ts';
import { frontNotes } from '../../core/scenario/front-notes.ts';
import { planTraffic, trafficNotes, type TrafficNote } from '../../core/plan/traffic.ts';
import { planWarmUp } from '../../core/plan/warm-up.ts';
import { numbered } from '../../core/plan/numbering.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { areApart, isCluster } from '../../core/scenario/servers.ts';
import { planSenders, type Senders } from './senders.ts';
import { planTopics, topicCount, type TopicGroupPlan } from '../../core/scenario/topics.ts';

export type TrialPlan = {
  scenario: Scenario;
  topics: TopicGroupPlan[];
  topicTotal: number;
  /** The events of all senders. */
  publish: PublishPlan;
  /** Who sends what, where that is not the publisher alone. */
  senders: Senders | undefined;
  /**
   * The run has targets, so whatever is done to them is done to our servers too: one request of a topic at a
   * time.
   */
  besideTargets: boolean;
  /**
   * The events that bursts publish before the warm-up, to make our servers warm. There are none where the
   * scenario asks for no warm-up; in a run with targets, which get nothing faster than the scenario says;
   * where webhook endpoints misbehave, as failed deliveries are tried again later; and for several servers
   * without a broker, where most of a burst reaches nobody by design.
   */
  warmUp: PublishPlan | undefined;
  /** Subscribers `first` up to, not including, `first + count`, for each load process. */
  loads: { first: number; count: number }[];
  /** That a subscriber holds, at most. */
  connectionsEach: number;
  /** Of this machine: server, publisher and load processes share them. */
  cores: number;
  /** What a CPU quota leaves of them, where there is one. */
  quotaCores?: number;
  /** Width of a slot of the time series. */
  slotMs: number;
  /** Every how many events of a shared topic all receivers' latencies are kept. */
  fanoutEvery: number;
  /** Measured events in the schedule, and the deliveries they ask for. */
  events: number;
  deliveries: number;
  /** What to know of the schedule and its faults; every trial of it says so. */
  notes: TrafficNote[];
};

/** What is known of a trial before it begins, whether it is run or simulated. */
export type PlannedTrial = Pick<
  TrialPlan,
  'scenario' | 'topics' | 'topicTotal' | 'besideTargets' | 'events' | 'deliveries' | 'notes'
>;

/** Receivers' latencies kept per trial at most, 4 bytes each. */
const fanoutKept = 4_000_000;

/**
 * @param cores of this machine, and what a quota leaves of them
 * @param besideTargets the run has targets
 * @throws UserError as `planTraffic`
 */
export function planTrial(
  scenario: Scenario,
  loadProcesses: number,
  sources: Sources,
  {
    cores,
    quotaCores,
    besideTargets = false,
    connectionsEach = 1,
  }: Pick<TrialPlan, 'cores'> &
    Partial<Pick<TrialPlan, 'besideTargets' | 'connectionsEach'>> & { quotaCores?: number | undefined },
): TrialPlan {
  const topics = planTopics(scenario);
  const topicTotal = topicCount(topics);
  const { publish: unnumbered, traffic } = planTraffic(scenario, sources);
  const loads = split(scenario.subscribers, loadProcesses);
  const { events, deliveries } = traffic;
  const isWarmedUp =
    scenario.phases.warmup > 0 &&
    !besideTargets &&
    scenario.endpoints.length === 0 &&
    !areApart(scenario.servers);
  const bursts = isWarmedUp
    ? planWarmUp(unnumbered, unnumbered.topic.length - events, deliveries)
    : undefined;
  const { publish, warmUp } = isCluster(scenario.servers)
    ? numbered(unnumbered, bursts, topicTotal)
    : { publish: unnumbered, warmUp: bursts };
  return {
    scenario,
    topics,
    topicTotal,
    publish,
    senders: planSenders(publish, topics, scenario, loads),
    besideTargets,
    warmUp,
    loads,
    connectionsEach,
    cores,
    ...(quotaCores !== undefined && { quotaCores }),
    slotMs: slotWidthMs(scenario),
    fanoutEvery: Math.max(1, Math.ceil(deliveries / fanoutKept)),
    events,
    deliveries,
    notes: [...trafficNotes(traffic), ...frontNotes(scenario)],
  };
}

function split(subscribers: number, processes: number): TrialPlan['loads'] {
  return Array.from({ length: processes }, (_, i) => {
    const first = Math.floor((subscribers * i) / processes);
    return { first, count: Math.floor((subscribers * (i + 1)) / processes) - first };
  });
}

const slotWidthsMs = [250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 300_000];
/** A slot that holds whole periods may be so many times wider than the narrowest that will do. */
const widerMost = 4;

/**
 * About forty slots; at least a second wide where reading thousands of sockets costs milliseconds. Where
 * events come at even distances a slot holds a whole number of them, if a width near that does: 250 ms hold
 * two or three of ten a second, in turns, and every rate would go up and down with them.
 */
export function slotWidthMs({
  phases: { measure },
  subscribers,
  topics,
}: Pick<Scenario, 'phases' | 'subscribers' | 'topics'>): number {
  const least = Math.max(measure / 40, subscribers > 2000 ? 1000 : 0);
  const narrowest = slotWidthsMs.find((width) => width >= least) ?? measure / 40;
  const periodsMs = Object.values(topics).flatMap(({ publish }) =>
    publish.kind === 'constant' ? [1000 / publish.perS] : publish.kind === 'bursts' ? [publish.everyMs] : [],
  );
  const holdsWhole = (width: number) =>
    periodsMs.every((period) => {
      const periods = width / period;
      return periods > 0.5 && Math.abs(periods - Math.round(periods)) < 1e-6;
    });
  const wider = slotWidthsMs.filter((width) => width >= narrowest && width <= narrowest * widerMost);
  return wider.find(holdsWhole) ?? narrowest;
}
