// Simulates polling: clients ask once in every interval, each at a phase of its own, and an event waits for
// the next poll. The phases of a class of clients are spread evenly over the interval, so its polls are
// evenly spaced in time, and those that find an event are counted from event to event.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import { createCosts } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import { expectedErrorAt } from '../costs/expected-error.ts';
import { fitRequestCosts } from '../costs/request-costs.ts';
import { expectedEvents, inAll } from '../../core/scenario/arrivals.ts';
import { quantileUs } from '../../core/result/histogram.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { compressed } from './compressed.ts';
import { outcomeOf } from './outcome.ts';
import { createFullPolls } from './full-polls.ts';
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
  const costs = createCosts(measured);
  const tally = createTally(measureUs, drainUs, subscribers);
  const requestsPerS = (subscribers * 1000) / options.every;
  // Points are of clients that asked at an interval of their own: as many of those ask as often as ours do.
  const measuredEveryMs = Number(measured.options['every'] ?? options.every);
  const asMany = Math.max(1, (requestsPerS * measuredEveryMs) / 1000);
  const payloadBytes = measured.points[0]!.payloadBytes;
  const answer = costs.at({ receivers: asMany, perS: Math.max(perS, 1e-6), payloadBytes });
  const draw = input.random('latency');
  const shifts = input.random('phases');
  const shiftOf = Float64Array.from({ length: prepared.followers.classes }, shifts);
  const parts = { options, prepared, tally, shiftOf, jitters: shifts };
  const answerUs = () => drawUs(answer.medianUs, draw());
  const counted =
    input.clients === 'one-by-one' ? alone(input, parts, answerUs) : grouped(input, parts, answerUs);
  const { requests, deliveries, part } = counted;

  const { requestUs, deliveryUs } = fitRequestCosts(measured.points);
  tally.workedEvenly(0, measureUs, requests * requestUs);
  tally.workedByDeliveries(deliveries * deliveryUs);
  const idleShare = costs.idleShare(asMany);
  const kept = options.connection === 'keep-alive';
  const outcome = outcomeOf(input, prepared, tally, {
    idleShare,
    extrapolated: answer.extrapolated,
    expectedError: expectedErrorAt(
      measured.points,
      { receivers: asMany, perS: Math.max(perS, 1e-6), payloadBytes },
      answer.extrapolated,
    ),
    ...(!kept && { connections: 0, descriptors: (requestsPerS * drawUs(answer.medianUs, 0.5)) / 1e6 }),
    part,
    leavesOut: [
      ...compressed(options.gzip),
      'the time that the publisher takes to the server, in which no poll finds the event yet',
      ...historyTooShort(input, prepared),
      ...(steady ? [] : ['that answers take longer while more of them are asked for at once']),
    ],
  });
  // Nearly all of the wait is the interval's, which is known; only what an answer takes may be off.
  const errors = { ...outcome.expectedError };
  for (const [kind, share] of [
    ['latency.p50', 0.5],
    ['latency.p90', 0.9],
    ['latency.p99', 0.99],
  ] as const) {
    const whole = quantileUs(outcome.latency.endToEnd, share);
    const own = errors[kind];
    if (own !== null && whole !== undefined && whole > 0)
      errors[kind] = own * Math.min(1, drawUs(answer.medianUs, share) / whole);
  }
  return { ...outcome, expectedError: errors };
}

/** Of each topic so many events are kept; what comes between two polls may be more. */
function historyTooShort({ scenario, variant }: ModelInput, { followers, measureUs }: Prepared): string[] {
  const { every, jitter } = variant.options as Options; // by its schema
  const { history } = scenario.server;
  const longestUs = every * 1000 * (1 + jitter);
  const most = followers.groups.reduce((all, { name, count }) => {
    const publish = inAll(scenario.topics[name]!.publish, count);
    if (publish.kind === 'trace') return all;
    return Math.max(all, expectedEvents(publish, { fromUs: 0, toUs: measureUs }, new Map()) / count);
  }, 0);
  if ((most * longestUs) / measureUs <= history) return [];
  return [`events that are gone before a poll comes for them: the history keeps ${history} of each topic`];
}

type Parts = {
  options: Options;
  prepared: Prepared;
  tally: Tally;
  /** Of each class, where its first client's phase is: 0 to 1 of the distance of two. */
  shiftOf: Float64Array;
  jitters: () => number;
};

type Counted = { requests: number; deliveries: number; part: Part };

function grouped(input: ModelInput, parts: Parts, answerUs: () => number): Counted {
  const { options, prepared, tally, shiftOf, jitters } = parts;
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
    const lateUs = answerUs();
    let all = 0;
    let [soonest, latest] = [Infinity, 0];
    for (let i = followers.from[topic]!; i < followers.from[topic + 1]!; i++) {
      const ofClass = followers.list[i]!;
      const count = followers.size(ofClass);
      if (count === 0) continue;
      all += count;
      full.happened(ofClass, atUs);
      const shift = options.jitter > 0 ? jitters() : full.shiftAt(ofClass, atUs);
      waits.lines(count, shift, (firstUs, stepUs, those) => {
        tally.delivered(atUs, firstUs + lateUs, stepUs, those, bytes);
        soonest = Math.min(soonest, firstUs);
        latest = Math.max(latest, firstUs + stepUs * (those - 1));
      });
    }
    tally.published(atUs, all);
    if (all > 1) tally.receivers(atUs, soonest + lateUs, everyUs / 2 + lateUs, latest + lateUs);
    part = budget(followers.from[topic + 1]! - followers.from[topic]!, atUs);
    if (part !== 'whole') {
      endsUs = atUs;
      break;
    }
  }
  const polls = full.finish(endsUs);
  if (part !== 'whole') tally.endAt(endsUs);
  const deliveries = tally.deliveries();
  count(parts, polls.full, polls.all - polls.full);
  if (part !== 'whole') tally.stretch(prepared.events);
  const factor = measureUs / endsUs;
  return { requests: polls.all * factor, deliveries: deliveries * factor, part };
}

function alone(input: ModelInput, parts: Parts, answerUs: () => number): Counted {
  const { options, prepared, tally, shiftOf } = parts;
  const polls = pollingOneByOne(input.events, {
    subscribers: prepared.subscribers,
    groups: prepared.followers.groups,
    classes: prepared.followers.classes,
    beginsUs: prepared.beginsUs,
    pace: options,
    shiftOf,
    random: input.random('jitter'),
    bytesOf: eventSizes(prepared),
    answerUs,
    tally,
    computed: input.computed,
  });
  count(parts, polls.full, polls.empty);
  return { requests: polls.full + polls.empty, deliveries: polls.deliveries, part: 'whole' };
}

/** An event in an answer, with the comma before it. */
function eventSizes({ followers: { groups } }: Prepared): (event: PlannedEvent) => number {
  const topics = groups.reduce((sum, { count: topicsOfGroup }) => sum + topicsOfGroup, 0);
  let before = 0;
  return ({ topic, bodyBytes }) => {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    return 1 + envelopeBytes(topicBytes(groups, topic), bodyBytes, numbers);
  };
}

function count({ options, prepared, tally }: Parts, full: number, empty: number): void {
  const { measureUs, topicListBytes, perS } = prepared;
  const sizes = pollSizes(options, topicListBytes, (perS * measureUs) / 2e6);
  tally.add('fullPolls', full);
  tally.add('emptyPolls', empty);
  tally.add('bytesIn', (full + empty) * sizes.requestBytes);
  // Between the events of an answer are commas, and before the first none.
  const heads = full === 0 ? 0 : full * (sizes.fullBytes(tally.bytesOut() / full) - 1);
  tally.addOut(heads + empty * sizes.emptyBytes);
  tally.requested(full + empty);
  if (options.connection === 'close') {
    tally.add('connectionsOpened', full + empty);
    tally.add('connectionsClosed', full + empty);
  }
}
