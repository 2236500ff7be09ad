// Simulates long polling: an event answers all requests that are held, in a fan-out; their clients ask again,
// and who is not back yet when the next event comes gets it on arrival. Classes of clients that follow the
// same topics are runs of held requests (held-requests.ts).

import { newQueue } from '../../core/base/queue.ts';
import { decideEvent } from '../../core/policy/server/long-poll.ts';
import { createCosts } from '../costs/costs.ts';
import { expectedErrorAt } from '../costs/expected-error.ts';
import type { ModelInput, PlannedEvent, Simulated } from '../model.ts';
import { createClassStates } from './class-states.ts';
import { compressed } from './compressed.ts';
import { createFanOuts, linesOf, type FanOut, type FanOuts } from './fan-out.ts';
import {
  advance,
  answerFullEnough,
  batchUsOf,
  forget,
  holdEveryUs,
  noteEvent,
  takeHeld,
  type ClassState,
  type Heard,
  type Times,
} from './held-requests.ts';
import { againAfter, createAnswers, timesOf, type Answers, type Options } from './long-poll-parts.ts';
import { longPollingOneByOne } from './long-polling-one-by-one.ts';
import { outcomeOf } from './outcome.ts';
import { createRate, prepare, receiversOf, type Prepared } from './prepare.ts';
import { createServer, type Server } from './server.ts';
import { createTally, type Tally } from './tally.ts';
import { envelopeBytes, topicBytes } from './wire-sizes.ts';
import { createBudget, type Part } from './windows.ts';

export function longPolling(input: ModelInput): Simulated {
  const options = input.variant.options as Options; // by its schema
  const prepared = prepare(input);
  const { subscribers, measureUs, drainUs, measured, followers, perS } = prepared;
  const costs = createCosts(measured);
  const tally = createTally(measureUs, drainUs, subscribers);
  const server = createServer();
  const fanOuts = createFanOuts(costs, server, tally, input.random('latency'));
  const times = timesOf(options, input, prepared, costs);
  const payloadBytes = measured.points[0]!.payloadBytes;
  const usual = Math.max(1, receiversOf(input.scenario, followers.groups));
  const answerCpuUs = costs.at({ receivers: usual, perS: Math.max(perS, 1e-6), payloadBytes }).cpuUs / usual;
  const answers = createAnswers(options, prepared, tally);
  const parts: Parts = {
    prepared,
    tally,
    fanOuts,
    times,
    answers,
    answerCpuUs,
    rateAt: createRate(prepared),
    server,
    computed: input.computed,
  };
  const events = sizedEvents(input.events, prepared);
  let computed: Computed = { untilUs: measureUs, part: 'whole' };
  if (input.clients === 'one-by-one')
    longPollingOneByOne(events, { ...parts, connectUs: connectUsOf(input) });
  else computed = grouped(events, { ...parts, connectUs: connectUsOf(input) });
  if (computed.part !== 'whole') tally.endAt(computed.untilUs);
  answers.finish();
  if (computed.part !== 'whole') tally.stretch(prepared.events);
  return outcomeOf(input, prepared, tally, {
    idleShare: costs.idleShare(subscribers),
    extrapolated: fanOuts.extrapolated(),
    expectedError: expectedErrorAt(
      measured.points,
      { receivers: usual, perS, payloadBytes },
      fanOuts.extrapolated(),
    ),
    part: computed.part,
    leavesOut: [
      ...compressed(options.gzip),
      'that requests wait for the server while it answers others on their arrival',
      ...(options.batch > 0
        ? ['what it costs the server to collect events, and timers of batches that are late']
        : []),
    ],
  });
}

export type Parts = {
  prepared: Prepared;
  tally: Tally;
  fanOuts: FanOuts;
  times: Times;
  answers: Answers;
  /** Of a request and its answer. */
  answerCpuUs: number;
  rateAt: (atUs: number) => number;
  server: Server;
  computed: ModelInput['computed'];
};

/** How much of the work on a touched class the end of a hold is. */
const restShare = 0.2;

/** Until when, and why until then. */
type Computed = { untilUs: number; part: Part };

type Sized = PlannedEvent & { bytes: number };

function connectUsOf({ scenario }: ModelInput): number {
  return Math.round(scenario.phases.connect * 1000);
}

function grouped(events: Iterable<Sized>, parts: Parts & { connectUs: number }): Computed {
  const { prepared, tally, fanOuts, times, rateAt, connectUs, server, computed } = parts;
  const { followers, measureUs, beginsUs, subscribers, steady, drainUs } = prepared;
  const roundUs = holdEveryUs(times);
  const states = createClassStates(followers, { beginsUs, subscribers, connectUs });
  const budget = createBudget(steady, { roundUs, least: 3 }, measureUs, computed);
  const heard = createHeard(parts);
  const batchUs = batchUsOf(times.rules);
  /** Ends of batches, in their order, as all take as long. */
  const batches = newQueue<{ atUs: number; ofClass: number }>();

  function endBatches(untilUs: number): void {
    for (let next = batches.peek(); next && next.atUs <= untilUs; next = batches.peek()) {
      batches.shift();
      const state = states.of(next.ofClass);
      advance(state, next.atUs, times, heard);
      states.keep(next.ofClass, state);
    }
  }

  const restPerUs = (restShare * followers.classes) / roundUs;
  let lastEventUs = 0;
  let untilUs = measureUs;
  let part: Part = 'whole';
  for (const { atUs, topic, bodyBytes, bytes } of events) {
    endBatches(atUs);
    const [from, to] = [followers.from[topic]!, followers.from[topic + 1]!];
    let [all, held] = [0, 0];
    const touched: { state: ClassState; count: number }[] = [];
    for (let i = from; i < to; i++) {
      const ofClass = followers.list[i]!;
      const state = states.of(ofClass);
      all += followers.size(ofClass);
      advance(state, atUs, times, heard);
      const count = takeHeld(state, atUs);
      touched.push({ state, count });
      held += count;
    }
    tally.published(atUs, all);
    const waits = decideEvent(times.rules, 1, bytes) === 'begin-batch';
    const fanOut =
      held > 0 && !waits
        ? fanOuts.of({ atUs, perS: rateAt(atUs), payloadBytes: bodyBytes, receivers: held })
        : undefined;
    if (fanOut && held > 1) tally.receivers(atUs, fanOut.firstUs, fanOut.medianUs, fanOut.lastUs);
    let before = 0;
    for (let i = from; i < to; i++) {
      const ofClass = followers.list[i]!;
      const { state, count } = touched[i - from]!;
      const seen = noteEvent(state, { atUs, bytes });
      answerFullEnough(state, atUs, times.rules);
      if (count > 0 && fanOut) {
        deliverLines(parts, fanOut, before, before + count, atUs, [{ atUs, bytes }]);
        const again = againAfter(fanOut, times.againUs);
        const run = { count, atUs: atUs + again.firstUs + before * again.stepUs, stepUs: again.stepUs };
        state.runs.push({ ...run, seen, collecting: false });
      } else if (count > 0) {
        state.runs.push({ count, atUs: atUs + batchUs, stepUs: 0, seen: seen - 1, collecting: true });
        batches.push({ atUs: atUs + batchUs, ofClass });
      }
      before += count;
      forget(state);
      states.keep(ofClass, state);
    }
    const atRest = Math.max(0, atUs - lastEventUs) * restPerUs;
    lastEventUs = atUs;
    part = budget(to - from + atRest, atUs, tally.loadAt(atUs, server.freeAtUs()));
    if (part !== 'whole') {
      untilUs = atUs;
      break;
    }
  }
  const lastUs = part === 'whole' ? measureUs + drainUs : untilUs;
  endBatches(lastUs);
  for (let i = 0; i < followers.classes; i++)
    if (followers.size(i) > 0) advance(states.of(i), lastUs, times, heard);
  return { untilUs, part };
}

function createHeard(parts: Parts): Heard {
  const { tally, answers, times, fanOuts, rateAt, answerCpuUs, prepared } = parts;
  const worked = (atUs: number, stepUs: number, count: number) => {
    const within = tally.countWithin(atUs, stepUs, count);
    if (within > 0) tally.workedEvenly(Math.max(0, atUs), Math.max(0, atUs), within * answerCpuUs);
  };
  return {
    full({ atUs, stepUs, count }, events) {
      const gotUs = atUs + times.backUs;
      answers.full(gotUs, stepUs, count);
      worked(atUs, stepUs, count);
      for (const event of events) tally.delivered(event.atUs, gotUs - event.atUs, stepUs, count, event.bytes);
    },
    together({ atUs, count }, events) {
      const payloadBytes = prepared.measured.points[0]!.payloadBytes;
      const fanOut = fanOuts.of({ atUs, perS: rateAt(atUs), payloadBytes, receivers: count });
      // The way from the publisher to the server lies behind them.
      const shifted = earlier(fanOut, times.backUs);
      deliverLines(parts, shifted, 0, count, atUs, events);
      const again = againAfter(shifted, times.againUs);
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

export function earlier(fanOut: FanOut, us: number): FanOut {
  const less = (of: number) => Math.max(0, of - us);
  return {
    ...fanOut,
    firstUs: less(fanOut.firstUs),
    medianUs: less(fanOut.medianUs),
    lastUs: less(fanOut.lastUs),
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
  { followers: { groups }, warmUpEvents }: Prepared,
): Generator<Sized> {
  const topics = groups.reduce((sum, { count }) => sum + count, 0);
  let before = warmUpEvents;
  for (const event of events) {
    const numbers = { events: before, ofTopic: Math.ceil(++before / topics) };
    yield { ...event, bytes: 1 + envelopeBytes(topicBytes(groups, event.topic), event.bodyBytes, numbers) };
  }
}
