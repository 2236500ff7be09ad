// Simulates polling: clients ask once in every interval, each at a phase of its own, and an event waits for
// the next poll. The phases of a class of clients are spread evenly over the interval, so its polls are
// evenly spaced in time, and those that find an event are counted from event to event.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { answerEndsAtBytes } from '../../core/event/body-size.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import { createCosts } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import { errorsOfPart, expectedErrorAt } from '../costs/expected-error.ts';
import { fitRequestCosts } from '../costs/request-costs.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { compressed } from './compressed.ts';
import { outcomeOf } from './outcome.ts';
import { createFullPolls } from './full-polls.ts';
import { notePayloads } from './payloads.ts';
import { createPollWaits } from './poll-waits.ts';
import { pollingOneByOne } from './polling-one-by-one.ts';
import { pollSizes } from './poll-sizes.ts';
import { prepare, type Prepared } from './prepare.ts';
import { createTally, type Tally } from './tally.ts';
import { envelopeBytes, topicBytes } from './wire-sizes.ts';
import { createBudget, type Part } from './windows.ts';

type Options = PatternOptions<'polling'>;

export function polling(input: ModelInput): Simulated {
  const options = input.variant.options as Options; // by its schema
  const prepared = prepare(input);
  const { subscribers, measureUs, drainUs, measured, perS, steady } = prepared;
  const { count: servers } = input.scenario.servers;
  const costs = createCosts(measured);
  const tally = createTally(measureUs, drainUs, subscribers, servers);
  const requestsPerS = (subscribers * 1000) / options.every;
  // Points are of clients that asked at an interval of their own: as many of those ask as often as ours do.
  const measuredEveryMs = Number(measured.options['every'] ?? options.every);
  const asMany = Math.max(1, (requestsPerS * measuredEveryMs) / 1000 / servers);
  const payloadBytes = measured.points[0]!.payloadBytes;
  const answersAt = (own: number) => costs.at({ receivers: asMany, perS: Math.max(own, 1e-6), payloadBytes });
  const cluster = createCluster(input, prepared, tally, {
    answerUs: () => drawUs(answersAt(perS / servers).medianUs, 0.5),
    passing: asMany * servers,
  });
  const ownPerS = cluster.ratePerServer(perS);
  const answer = answersAt(ownPerS);
  const shifts = input.random('phases');
  const shiftOf = Float64Array.from({ length: prepared.followers.classes }, shifts);
  const randoms = cluster.randoms('latency');
  const answerUs = (server: number) =>
    drawUs(answer.medianUs, randoms[server]!()) + (cluster.front?.addsUs() ?? 0);
  const parts: Parts = { options, prepared, cluster, tally, shiftOf, jitters: shifts, answerUs };
  const payloads = notePayloads(input.events);
  const noted = { ...input, events: payloads.events };
  const counted = input.clients === 'one-by-one' ? alone(noted, parts) : grouped(noted, parts);
  const { requests, deliveries, part } = counted;
  addWork(parts, requests, deliveries);
  const kept = options.connection === 'keep-alive';
  const outside = Math.max(answer.extrapolated, payloads.outside(measured.points));
  const outcome = outcomeOf(input, prepared, tally, cluster, {
    idleShares: Array.from({ length: servers }, () => costs.idleShare(asMany)),
    extrapolated: Math.max(outside, cluster.extrapolated()),
    expectedError: expectedErrorAt(
      measured.points,
      { receivers: asMany, perS: Math.max(ownPerS, 1e-6), payloadBytes },
      outside,
    ),
    ...(!kept && { connections: 0, descriptors: (requestsPerS * drawUs(answer.medianUs, 0.5)) / 1e6 }),
    part,
    leavesOut: [
      ...compressed(options.gzip),
      'the time from the publisher to the server, in which no poll finds the event yet',
      ...notFound(input, prepared, counted),
      ...(steady ? [] : ['longer answers when many polls come at once']),
    ],
  });
  // Nearly all of the wait is the interval's, which is known; only what an answer takes may be off.
  const answersUs = (quantile: number) => drawUs(answer.medianUs, quantile);
  const expectedError = errorsOfPart(outcome.expectedError, outcome.latency.endToEnd, answersUs);
  return { ...outcome, expectedError };
}

/** What requests and deliveries cost the servers, each as many subscribers as it has, and HAProxy. */
function addWork({ prepared, cluster, tally }: Parts, requests: number, deliveries: number): void {
  const { measureUs, measured, subscribers, perS } = prepared;
  const costs = fitRequestCosts(measured.points);
  const shares = tally.works.map((_, server) => cluster.sizeOf(server) / subscribers);
  const seconds = measureUs / 1e6;
  const asked = shares.map((share) => ({
    requestsPerS: (requests * share) / seconds,
    deliveriesPerS: (deliveries * share) / seconds,
    eventsPerS: cluster.ratePerServer(perS),
  }));
  for (const [server, one] of asked.entries())
    tally.works[server]!.workedEvenly(0, measureUs, (costs.requestsUs(one) + costs.eventsUs(one)) * seconds);
  const deliveriesUs = asked.reduce((sum, one) => sum + costs.deliveriesUs(one), 0);
  tally.workedByDeliveries(deliveriesUs * seconds, shares);
  cluster.front?.passedEvenly(0, measureUs, requests);
}

/** What comes between two polls may be more than the history keeps, or than an answer takes. */
function notFound(
  { scenario, variant }: ModelInput,
  { followers, groupEvents, events, subscribers, measureUs }: Prepared,
  { deliveries, bytes }: Counted,
): string[] {
  const { every, jitter } = variant.options as Options; // by its schema
  const { history, historySize, slowBuffer } = scenario.server;
  const intervals = measureUs / (every * 1000 * (1 + jitter));
  const ofTopic = Math.max(...followers.groups.map(({ count: topics }, i) => groupEvents[i]! / topics));
  const ofAllBytes = deliveries === 0 ? 0 : (events * bytes) / deliveries;
  const answerEndsAt = Math.min(slowBuffer, answerEndsAtBytes);
  const gone = (kept: string) =>
    `events that are gone before a poll comes for them: the history keeps ${kept}`;
  const full = formatBytes(answerEndsAt);
  return [
    ...(ofTopic / intervals > history ? [gone(`${formatNumber(history)} of each topic`)] : []),
    ...(ofAllBytes / intervals > historySize ? [gone(`${formatBytes(historySize)} over all topics`)] : []),
    ...(bytes / subscribers / intervals > answerEndsAt
      ? [`events that wait for another poll, because an answer ends at ${full} of events`]
      : []),
  ];
}

type Parts = {
  options: Options;
  prepared: Prepared;
  cluster: Cluster;
  tally: Tally;
  /** Of each class, where its first client's phase is: 0 to 1 of the distance of two. */
  shiftOf: Float64Array;
  jitters: () => number;
  /** By chance, of a server. */
  answerUs: (server: number) => number;
};

/** In the measured phase. `bytes`: of the events in answers. */
type Counted = { requests: number; deliveries: number; bytes: number; part: Part };

function grouped(input: ModelInput, parts: Parts): Counted {
  const { options, prepared, cluster, tally, shiftOf, jitters } = parts;
  const { followers, measureUs, steady, beginsUs } = prepared;
  const everyUs = options.every * 1000;
  const waits = createPollWaits(everyUs, options.jitter);
  const full = createFullPolls(followers, waits, {
    everyUs,
    jitter: options.jitter,
    shiftOf,
    beginsUs,
    measureUs,
  });
  const budget = createBudget(steady, { roundUs: everyUs, least: 10 }, measureUs, input.computed);
  const bytesOf = eventSizes(prepared);
  let endsUs = measureUs;
  let part: Part = 'whole';
  for (const event of input.events) {
    const { atUs, topic } = event;
    const bytes = bytesOf(event);
    const places = placesOf(parts, event);
    let all = 0;
    let [soonest, latest] = [Infinity, 0];
    for (let i = followers.from[topic]!; i < followers.from[topic + 1]!; i++) {
      const ofClass = followers.list[i]!;
      const count = followers.size(ofClass);
      if (count === 0) continue;
      all += count;
      const place = places[cluster.serverOf(ofClass)];
      if (!place) continue;
      full.happened(ofClass, place.atUs);
      const shift = options.jitter > 0 ? jitters() : full.shiftAt(ofClass, place.atUs);
      waits.lines(count, shift, (firstUs, stepUs, those) => {
        tally.delivered(atUs, firstUs + place.lateUs, stepUs, those, bytes);
        soonest = Math.min(soonest, firstUs + place.lateUs);
        latest = Math.max(latest, firstUs + stepUs * (those - 1) + place.lateUs);
      });
    }
    tally.published(atUs, all);
    if (all > 1 && latest >= soonest) tally.receivers(atUs, soonest, everyUs / 2 + meanLate(places), latest);
    part = budget(followers.from[topic + 1]! - followers.from[topic]!, atUs);
    if (part !== 'whole') {
      endsUs = atUs;
      break;
    }
  }
  const polls = full.finish(endsUs);
  if (part !== 'whole') tally.endAt(endsUs);
  const deliveries = tally.deliveries();
  const bytes = count(parts, polls.full, polls.all - polls.full);
  if (part !== 'whole') tally.stretch(prepared.events);
  const factor = measureUs / endsUs;
  return { requests: polls.all * factor, deliveries: deliveries * factor, bytes: bytes * factor, part };
}

/** At each server: when an event is there, and how long after its planned time and the wait it is had. */
type Place = { atUs: number; lateUs: number };

function placesOf({ cluster, tally, answerUs }: Parts, { atUs, topic }: PlannedEvent): (Place | undefined)[] {
  const places: (Place | undefined)[] = Array.from({ length: cluster.count });
  for (const one of cluster.arrivals.of({ atUs, topic })) {
    places[one.server] = { atUs: one.atUs, lateUs: answerUs(one.server) + (one.atUs - atUs) };
    if (one.furtherUs <= 0) continue;
    tally.works[one.server]!.asked(one.atUs, one.furtherUs);
    tally.works[one.server]!.worked(one.atUs, one.furtherUs);
  }
  return places;
}

function meanLate(places: readonly (Place | undefined)[]): number {
  const those = places.flatMap((place) => (place ? [place.lateUs] : []));
  return those.reduce((sum, us) => sum + us, 0) / those.length;
}

function alone(input: ModelInput, parts: Parts): Counted {
  const { options, prepared, cluster, tally, shiftOf } = parts;
  const bytesOf = eventSizes(prepared);
  const polls = pollingOneByOne(
    Array.from(input.events, (event) => ({
      ...event,
      bytes: bytesOf(event),
      places: placesOf(parts, event),
    })),
    {
      subscribers: prepared.subscribers,
      groups: prepared.followers.groups,
      classes: prepared.followers.classes,
      serverOf: cluster.serverOf,
      beginsUs: prepared.beginsUs,
      pace: options,
      shiftOf,
      random: input.random('jitter'),
      tally,
      computed: input.computed,
    },
  );
  const bytes = count(parts, polls.full, polls.empty);
  return { requests: polls.full + polls.empty, deliveries: polls.deliveries, bytes, part: 'whole' };
}

/** An event in an answer, with the comma before it. */
function eventSizes({ followers: { groups }, bareBytes }: Prepared): (event: PlannedEvent) => number {
  const topics = topicCount(groups);
  let before = 0;
  return ({ topic, bodyBytes }) => {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    return 1 + envelopeBytes(bareBytes, topicBytes(groups, topic), bodyBytes, numbers);
  };
}

/** @returns the bytes of the events in answers */
function count({ options, prepared, tally }: Parts, full: number, empty: number): number {
  const { measureUs, topicListBytes, perS } = prepared;
  const sizes = pollSizes(options, topicListBytes, (perS * measureUs) / 2e6);
  tally.add('fullPolls', full);
  tally.add('emptyPolls', empty);
  tally.add('bytesIn', (full + empty) * sizes.requestBytes);
  // Between the events of an answer are commas, and before the first none.
  const eventBytes = tally.bytesOut();
  const heads = full === 0 ? 0 : full * (sizes.fullBytes(eventBytes / full) - 1);
  tally.addOut(heads + empty * sizes.emptyBytes);
  tally.requested(full + empty);
  if (options.connection === 'close') {
    tally.add('connectionsOpened', full + empty);
    tally.add('connectionsClosed', full + empty);
  }
  return eventBytes;
}
