// Prepares what every model needs of its input: what the profile knows of the variant, who follows what, the
// rate at each moment; and says what no model of one server computes.

import { warmUpDeliveries } from '../../core/plan/warm-up.ts';
import { expectedEvents, inAll, type Traces } from '../../core/scenario/arrivals.ts';
import { bareEnvelopeBytes, cursorOf, topicBytes, usualClockUs } from './wire-sizes.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { UserError } from '../../core/base/errors.ts';
import { chooseVariant } from '../costs/chosen-variant.ts';
import type { ProfileVariant } from '../../core/profile/profile.ts';
import type { ModelInput } from '../model.ts';
import { partFollowers, type Followers } from './followers.ts';

export type Prepared = {
  measured: ProfileVariant;
  followers: Followers;
  subscribers: number;
  measureUs: number;
  drainUs: number;
  /** When the first subscribers connect. */
  beginsUs: number;
  /** Of all topics together, the mean of the measured phase. */
  perS: number;
  /** Of the measured phase; the mean where chance decides. */
  events: number;
  /** The same by group of topics, not rounded. */
  groupEvents: readonly number[];
  /** Followers of the topic that an event is on, the mean over events. */
  receivers: number;
  /** About as many as those events ask for. */
  deliveries: number;
  /** Of the cursor that the server has in the middle of the phase. */
  cursorBytes: number;
  /** Every part of the time is like any other: a part of it can stand for the rest. */
  steady: boolean;
  /** Events that warm the server up before the first one of the schedule, where they are answered at once. */
  warmUpEvents: number;
  /** Of an envelope without topic, body and the digits of its numbers. */
  bareBytes: number;
  /** Bytes of the topics' names in a request, the mean over subscribers. */
  topicListBytes: number;
  leavesOut: string[];
};

const noTraces: Traces = new Map();

/** @throws UserError `not-calibrated` */
export function prepare(input: ModelInput): Prepared {
  const { scenario, variant, profile, traces = noTraces, clockUs = usualClockUs } = input;
  const chosen = chooseVariant(profile, variant);
  if (!chosen) {
    throw new UserError(
      'not-calibrated',
      `the profile "${profile.name}" has no figures of ${variant.pattern}: calibrate it with that pattern`,
    );
  }
  const { connect, warmup, measure, drain } = scenario.phases;
  const measureUs = Math.round(measure * 1000);
  const followers = partFollowers(scenario, scenario.servers.count);
  const publishing = followers.groups.map(({ name, count }) => inAll(scenario.topics[name]!.publish, count));
  const steady = publishing.every(({ kind }) => kind === 'constant' || kind === 'poisson');
  const span = { fromUs: 0, toUs: measureUs };
  const groupEvents = publishing.map((publish) => expectedEvents(publish, span, traces));
  const events = groupEvents.reduce((sum, some) => sum + some, 0);
  const receivers = receiversOf(scenario, followers.groups, groupEvents);
  const warmUpEvents = Math.ceil(warmUpDeliveries / Math.max(1, receivers));
  return {
    measured: chosen.measured,
    followers,
    subscribers: scenario.subscribers,
    measureUs,
    drainUs: Math.round(drain * 1000),
    beginsUs: -Math.round((connect + warmup) * 1000),
    perS: (events * 1e6) / measureUs,
    events: Math.round(events),
    groupEvents,
    receivers,
    deliveries: events * receivers,
    steady: steady && scenario.faults.length === 0,
    warmUpEvents,
    cursorBytes: cursorOf(warmUpEvents + events / 2).length,
    bareBytes: bareEnvelopeBytes(Math.round(clockUs)),
    topicListBytes: topicListBytes(followers),
    leavesOut: [...(chosen.differs === undefined ? [] : [chosen.differs]), ...notComputed(scenario)],
  };
}

function receiversOf(
  { topics, subscribers, phases }: Pick<Scenario, 'topics' | 'subscribers' | 'phases'>,
  groups: Followers['groups'],
  groupEvents: readonly number[],
): number {
  let [events, deliveries] = [0, 0];
  for (const [i, { name, count, follow }] of groups.entries()) {
    const publish = inAll(topics[name]!.publish, count);
    // One second is like any other, except where the rate changes.
    const perS =
      publish.kind === 'stages' || publish.kind === 'trace'
        ? (groupEvents[i]! * 1000) / phases.measure
        : expectedEvents(publish, { fromUs: 0, toUs: 1e6 }, noTraces);
    events += perS;
    deliveries += (perS * subscribers * follow) / count;
  }
  return events === 0 ? 0 : deliveries / events;
}

/** A thousand classes are enough for a mean. */
const mostAsked = 1000;

function topicListBytes(followers: Followers): number {
  const { classes, groups } = followers;
  const step = Math.max(1, Math.floor(classes / mostAsked));
  let [bytes, asked] = [0, 0];
  for (let i = 0; i < classes; i += step) {
    const topics = followers.topicsOf(i);
    const names = topics.reduce((sum, topic) => sum + topicBytes(groups, topic), 0);
    bytes += (names + topics.length - 1) * followers.size(i);
    asked += followers.size(i);
  }
  return bytes / asked;
}

/** What a scenario says, nothing refuses and models do not compute (simulation/refusals.ts has the rest). */
function notComputed({ server }: Scenario): string[] {
  return [
    ...(server.announce > 0 ? ['the bytes of what the server announces (server.announce)'] : []),
    'garbage collection and other programs, except as far as they were measured with the profile',
  ];
}

/** Says at which rate events come: the planned one where it is steady, else that of the last events. */
export function createRate({ steady, perS }: Pick<Prepared, 'steady' | 'perS'>): (atUs: number) => number {
  if (steady) return () => perS;
  const lastUs = new Float64Array(remembered);
  let seen = 0;
  return (atUs) => {
    const oldestUs = seen < remembered ? lastUs[0]! : lastUs[seen % remembered]!;
    const events = Math.min(seen, remembered);
    lastUs[seen % remembered] = atUs;
    seen++;
    const sinceUs = atUs - oldestUs;
    if (events < 2 || sinceUs <= 0) return Math.max(perS, 1e-6);
    // In steps of a tenth or so, as a place costs time to compute.
    return Math.exp(Math.round(Math.log((events * 1e6) / sinceUs) * 10) / 10);
  };
}

const remembered = 64;
