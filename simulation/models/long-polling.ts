// Simulates long polling: an event answers all requests that are held, in a fan-out; their clients ask again,
// and who is not back yet when the next event comes gets it on arrival. Classes of clients that follow the
// same topics are runs of held requests (held-requests.ts).

import { newQueue } from '../../core/base/queue.ts';
import { decideEvent } from '../../core/policy/server/long-poll.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import { createCosts } from '../costs/costs.ts';
import { drawUs } from '../costs/distribution.ts';
import { expectedErrorAt } from '../costs/expected-error.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { createClassStates } from './class-states.ts';
import { compressed } from './compressed.ts';
import { createCluster } from './cluster.ts';
import { linesOf, type FanOut } from './fan-out.ts';
import {
  advance,
  answerFullEnough,
  batchUsOf,
  forget,
  holdEveryUs,
  noteEvent,
  onTheWay,
  takeHeld,
  type ClassState,
  type Heard,
} from './held-requests.ts';
import {
  againAfter,
  answerTogether,
  createAnswers,
  timesOf,
  type Computed,
  type Options,
  type Parts,
} from './long-poll-parts.ts';
import { longPollingOneByOne } from './long-polling-one-by-one.ts';
import { outcomeOf } from './outcome.ts';
import { notePayloads } from './payloads.ts';
import { prepare, type Prepared } from './prepare.ts';
import { createServerFanOuts, noteReceivers } from './server-fan-outs.ts';
import { createTally } from './tally.ts';
import { envelopeBytes, topicBytes } from './wire-sizes.ts';
import { createBudget, type Part } from './windows.ts';

export function longPolling(input: ModelInput): Simulated {
  const options = input.variant.options as Options; // by its schema
  const prepared = prepare(input);
  const { subscribers, receivers, measureUs, drainUs, measured, perS } = prepared;
  const { count } = input.scenario.servers;
  const costs = createCosts(measured);
  const tally = createTally(measureUs, drainUs, subscribers, count);
  const payloadBytes = measured.points[0]!.payloadBytes;
  const usual = Math.max(1, receivers / count);
  const cluster = createCluster(input, prepared, tally, {
    answerUs: () => {
      const at = { receivers: usual, perS: Math.max(perS, 1e-6), payloadBytes };
      return drawUs(costs.at(at).firstUs, 0.5);
    },
    passing: receivers,
  });
  const ownPerS = cluster.ratePerServer(Math.max(perS, 1e-6));
  const fanOuts = createServerFanOuts(costs, cluster, tally.works, prepared);
  const times = timesOf(options, input, prepared, costs, cluster.front?.usuallyAddsUs ?? 0);
  const answerCpuUs = costs.at({ receivers: usual, perS: ownPerS, payloadBytes }).cpuUs / usual;
  const answers = createAnswers(options, prepared, tally);
  const connectUs = Math.round(input.scenario.phases.connect * 1000);
  const parts: Parts = {
    prepared,
    cluster,
    tally,
    fanOuts,
    times,
    answers,
    answerCpuUs,
    connectUs,
    computed: input.computed,
  };
  const payloads = notePayloads(input.events);
  const events = sizedEvents(payloads.events, prepared);
  const computed =
    input.clients === 'one-by-one' ? longPollingOneByOne(events, parts) : grouped(events, parts);
  if (computed.part !== 'whole') tally.endAt(computed.untilUs, computed.onTheWay);
  answers.finish();
  if (computed.part !== 'whole') tally.stretch(prepared.events);
  const outside = Math.max(fanOuts.extrapolated(), payloads.outside(measured.points));
  return outcomeOf(input, prepared, tally, cluster, {
    idleShares: Array.from({ length: count }, (_, i) => costs.idleShare(cluster.sizeOf(i))),
    extrapolated: Math.max(outside, cluster.extrapolated()),
    expectedError: expectedErrorAt(
      measured.points,
      { receivers: usual, perS: cluster.ratePerServer(perS), payloadBytes },
      outside,
    ),
    part: computed.part,
    leavesOut: [
      ...compressed(options.gzip),
      'how long a request waits while the server answers others that have arrived',
      'that a busy server collects events for such requests: it carries more events a second than computed',
      ...(options.batch > 0 ? ["the server's cost of collecting events, and late timers of batches"] : []),
    ],
  });
}

/** How much of the work on a touched class the end of a hold is. */
const restShare = 0.2;

type Sized = PlannedEvent & { bytes: number };

function grouped(events: Iterable<Sized>, parts: Parts): Computed {
  const { prepared, cluster, tally, fanOuts, times, computed, connectUs } = parts;
  const { followers, measureUs, beginsUs, subscribers, steady, drainUs } = prepared;
  const { count, serverOf } = cluster;
  const states = createClassStates(followers, { beginsUs, subscribers, connectUs });
  const roundUs = holdEveryUs(times);
  const budget = createBudget(steady, { roundUs, least: 3 }, measureUs, computed);
  const heard = Array.from({ length: count }, (_, server) => createHeard(parts, server));
  const batchUs = batchUsOf(times.rules);
  /** Ends of batches of each server, in their order, as all take as long. */
  const batches = Array.from({ length: count }, () => newQueue<{ atUs: number; ofClass: number }>());

  function endBatches(server: number, untilUs: number): void {
    const own = batches[server]!;
    for (let next = own.peek(); next && next.atUs <= untilUs; next = own.peek()) {
      own.shift();
      const state = states.of(next.ofClass);
      advance(state, next.atUs, times, heard[server]!);
      states.keep(next.ofClass, state);
    }
  }

  const restPerUs = (restShare * followers.classes) / roundUs;
  let lastEventUs = 0;
  let untilUs = measureUs;
  let part: Part = 'whole';
  const held = Array.from({ length: count }, () => 0);
  const before = Array.from({ length: count }, () => 0);
  for (const { atUs, topic, bodyBytes, bytes } of events) {
    const arrivals = cluster.arrivals.of({ atUs, topic });
    for (const one of arrivals) endBatches(one.server, one.atUs);
    const arrivalAt = (server: number) =>
      arrivals.length === count ? arrivals[server] : arrivals.find((one) => one.server === server);
    const [from, to] = [followers.from[topic]!, followers.from[topic + 1]!];
    let all = 0;
    held.fill(0);
    before.fill(0);
    const touched: ({ state: ClassState; own: number } | undefined)[] = [];
    for (let i = from; i < to; i++) {
      const ofClass = followers.list[i]!;
      const server = serverOf(ofClass);
      const arrival = arrivalAt(server);
      all += followers.size(ofClass);
      if (!arrival) {
        touched.push(undefined);
        continue;
      }
      const state = states.of(ofClass);
      advance(state, arrival.atUs, times, heard[server]!);
      const own = takeHeld(state, arrival.atUs);
      touched.push({ state, own });
      held[server]! += own;
    }
    tally.published(atUs, all);
    const waits = decideEvent(times.rules, 1, bytes) === 'begin-batch';
    const answering = waits ? [] : arrivals.filter((one) => held[one.server]! > 0);
    const those = fanOuts.of(answering, { atUs, bodyBytes, receivers: held });
    noteReceivers(tally, atUs, those);
    const fanOutOf = new Map(answering.map((one, k) => [one.server, those[k]!]));
    fanOuts.takenOnly(arrivals.filter((one) => !fanOutOf.has(one.server)));
    for (let i = from; i < to; i++) {
      const ofClass = followers.list[i]!;
      const server = serverOf(ofClass);
      const arrival = arrivalAt(server);
      const one = touched[i - from];
      if (!arrival || !one) continue;
      const { state, own } = one;
      const fanOut = fanOutOf.get(server);
      const seen = noteEvent(state, { atUs, bytes });
      answerFullEnough(state, arrival.atUs, times.rules);
      if (own > 0 && fanOut) {
        const first = before[server]!;
        deliverLines(parts, fanOut, first, first + own, atUs, [{ atUs, bytes }]);
        const again = againAfter(fanOut, times.againUs);
        const run = { count: own, atUs: atUs + again.firstUs + first * again.stepUs, stepUs: again.stepUs };
        state.runs.push({ ...run, seen, collecting: false });
      } else if (own > 0) {
        const endUs = arrival.atUs + batchUs;
        state.runs.push({ count: own, atUs: endUs, stepUs: 0, seen: seen - 1, collecting: true });
        batches[server]!.push({ atUs: endUs, ofClass });
      }
      before[server]! += own;
      forget(state);
      states.keep(ofClass, state);
    }
    const atRest = Math.max(0, atUs - lastEventUs) * restPerUs;
    lastEventUs = atUs;
    part = budget(to - from + count - 1 + atRest, atUs, fanOuts.loadsAt(atUs));
    if (part !== 'whole') {
      untilUs = atUs;
      break;
    }
  }
  const lastUs = part === 'whole' ? measureUs + drainUs : untilUs;
  for (let server = 0; server < count; server++) endBatches(server, lastUs);
  let stillToCome = 0;
  for (let i = 0; i < followers.classes; i++) {
    if (followers.size(i) === 0) continue;
    const state = states.of(i);
    advance(state, lastUs, times, heard[serverOf(i)]!);
    stillToCome += onTheWay(state);
  }
  return { untilUs, part, onTheWay: stillToCome };
}

function createHeard(parts: Parts, server: number): Heard {
  const { tally, answers, times, answerCpuUs, cluster } = parts;
  const worked = (atUs: number, stepUs: number, count: number) => {
    const within = tally.countWithin(atUs, stepUs, count);
    if (within === 0) return;
    tally.works[server]!.workedEvenly(Math.max(0, atUs), Math.max(0, atUs), within * answerCpuUs);
    cluster.front?.passed(atUs, within);
  };
  return {
    full({ atUs, stepUs, count }, events) {
      const gotUs = atUs + times.backUs;
      answers.full(gotUs, stepUs, count);
      worked(atUs, stepUs, count);
      for (const event of events) tally.delivered(event.atUs, gotUs - event.atUs, stepUs, count, event.bytes);
    },
    together(run, events) {
      const { atUs, count } = run;
      const fanOut = answerTogether(parts, server, run);
      deliverLines(parts, fanOut, 0, count, atUs, events);
      const again = againAfter(fanOut, times.againUs);
      return { atUs: atUs + again.firstUs, stepUs: again.stepUs };
    },
    empty({ atUs, stepUs, count }, ends, everyUs) {
      for (let i = 0; i < ends; i++) {
        const endUs = atUs + times.rules.holdMs * 1000 + i * everyUs;
        answers.empty(endUs + times.backUs, stepUs, count);
        worked(endUs, stepUs, count);
      }
    },
  };
}

/** Receivers `from` up to `to` of a fan-out that begins at `atUs` get these events, in an answer each. */
function deliverLines(
  { tally, answers }: Parts,
  fanOut: FanOut,
  from: number,
  to: number,
  atUs: number,
  events: readonly { atUs: number; bytes: number }[],
): void {
  linesOf(fanOut, from, to, (firstUs, stepUs, count) => {
    answers.full(atUs + firstUs, stepUs, count);
    for (const event of events)
      tally.delivered(event.atUs, atUs + firstUs - event.atUs, stepUs, count, event.bytes);
  });
}

/** An event in an answer, with the comma before it. */
function* sizedEvents(
  events: Iterable<PlannedEvent>,
  { followers: { groups }, warmUpEvents, bareBytes }: Prepared,
): Generator<Sized> {
  const topics = topicCount(groups);
  let before = warmUpEvents;
  for (const event of events) {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    const nameBytes = topicBytes(groups, event.topic);
    yield { ...event, bytes: 1 + envelopeBytes(bareBytes, nameBytes, event.bodyBytes, numbers) };
  }
}
