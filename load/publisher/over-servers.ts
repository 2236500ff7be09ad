// Sends each event of the plan at its planned time to several servers in turn (open model), pipelined on a
// connection to each. Events of one topic are at one server at a time, so that they stay in order
// (topic-queues.ts). An event whose answer does not come, because its server has gone, stands still or sends
// it away, goes to another server with the same number and Idempotency-Key, so that a broker that knows keys
// takes it once. Events wait while no server takes any. Not when a connection is tried again: that is
// server-lane.ts.

import { nowUs } from '../../core/base/clock.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { formatBytes } from '../../core/base/units.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { newCounters } from '../../core/result/counters.ts';
import { record } from '../../core/result/histogram.ts';
import { topicName } from '../../core/scenario/topics.ts';
import type { Body } from './body-stock.ts';
import type { Publisher, PublisherSetup } from './contract.ts';
import {
  answerWithinUs,
  eventsOf,
  fillAhead,
  finish,
  isMeasured,
  limitAnswers,
  newPublishing,
  plannedUs,
  seqIn,
  stop,
  type Publishing,
} from './publishing.ts';
import { createServerLane, type ServerLane } from './server-lane.ts';
import { createTopicQueues, type TopicQueues } from './topic-queues.ts';

const connectWithinUs = 5_000_000;

type State = Publishing & {
  readonly lanes: readonly ServerLane[];
  readonly ready: PromiseWithResolvers<void>;
  readonly startedUs: number;
  /** Bodies of events that are not answered yet. */
  readonly bodyOf: Map<number, Body>;
  bodyBytes: number;
  /** Events that are due and on no connection. */
  readonly waiting: TopicQueues<ServerLane>;
  /** The lane whose turn it is. */
  turn: number;
  answered: number;
};

/** @param publishUrls one for each server */
export function startOverServers(setup: PublisherSetup, publishUrls: readonly string[]): Publisher {
  const counters = newCounters();
  const state: State = {
    ...newPublishing(setup, () => step(state)),
    lanes: publishUrls.map((url, i) =>
      createServerLane(url, counters, setup.seed + i, {
        opened() {
          state.ready.resolve();
          state.pacer.wake();
        },
        answered: (event, status, text, atUs) => takeAnswer(state, event, status, text, atUs),
        returned: (events) => sendAgain(state, events),
        failed: (reason) => noServer(state, reason),
      }),
    ),
    ready: Promise.withResolvers<void>(),
    startedUs: nowUs(),
    bodyOf: new Map(),
    bodyBytes: 0,
    waiting: createTopicQueues(),
    turn: 0,
    answered: 0,
  };
  for (const lane of state.lanes) lane.dial();
  return {
    ready: state.ready.promise,
    run(window) {
      state.window = window;
      if (eventsOf(state) === 0) finish(state);
      else state.pacer.wake();
      return state.done.promise;
    },
    sent: () => state.next - state.waiting.size(),
    confirmed: () => state.confirmed,
    counters,
    close: () => close(state),
  };
}

/** Does what is due; returns when there will be more to do. */
function step(state: State): number {
  const { over, window } = state;
  if (over || !window) return Infinity;
  const events = eventsOf(state);
  for (; state.next < events && plannedUs(state, state.next) <= nowUs(); state.next++) {
    const body = state.bodies.take(state.next);
    state.bodyOf.set(state.next, body);
    state.bodyBytes += body.bytes;
    state.waiting.add(state.plan.topic[state.next]!, state.next);
  }
  if (state.bodyBytes > largestQueueBytes) {
    failForBacklog(state);
    return Infinity;
  }
  sendWaiting(state);
  if (state.next < events) return fillAhead(state, state.bodyOf.size === 0);
  limitAnswers(state, window, () => giveUp(state));
  return Infinity;
}

function sendWaiting(state: State): void {
  const choose = () => nextLane(state);
  for (let next = state.waiting.take(choose); next; next = state.waiting.take(choose))
    send(state, next.server, next.event);
}

/** The next server in turn that takes events. */
function nextLane(state: State): ServerLane | undefined {
  const { lanes } = state;
  for (let i = 0; i < lanes.length; i++) {
    const lane = lanes[(state.turn + i) % lanes.length]!;
    if (!lane.isOpen()) continue;
    state.turn = (state.turn + i + 1) % lanes.length;
    return lane;
  }
  return undefined;
}

function send(state: State, lane: ServerLane, event: number): void {
  const { plan, sentUs, topics, lag } = state;
  const dueUs = plannedUs(state, event);
  const atUs = nowUs();
  if (sentUs[event] === 0) {
    sentUs[event] = atUs;
    if (isMeasured(state, event)) record(lag, atUs - dueUs);
  }
  lane.send(event, {
    topic: topicName(topics, plan.topic[event]!),
    body: state.bodyOf.get(event)!, // until it is answered
    plannedUs: dueUs,
    sentUs: atUs,
    ...(plan.seq && { seq: plan.seq[event]! }),
  });
}

function takeAnswer(state: State, event: number, status: number, text: string, atUs: number): void {
  const seq = seqIn(text);
  if (status !== 201)
    state.problem(
      'publish-refused',
      `an event was answered with status ${status}: ${text.slice(0, 200).trim()}`,
    );
  else if (seq === 0) state.problem('publish-answer', 'the answer to an event gives it no "seq"');
  else {
    state.seq[event] = seq;
    state.confirmed++;
    if (isMeasured(state, event)) record(state.roundTrip, atUs - state.sentUs[event]!);
  }
  forget(state, event);
  state.answered++;
  state.waiting.answered(state.plan.topic[event]!);
  if (state.answered === eventsOf(state)) finish(state);
  else if (state.waiting.size() > 0) sendWaiting(state);
}

function forget(state: State, event: number): void {
  state.bodyBytes -= state.bodyOf.get(event)?.bytes ?? 0;
  state.bodyOf.delete(event);
}

function sendAgain(state: State, events: readonly number[]): void {
  if (state.over) return;
  for (const event of events) state.waiting.returned(state.plan.topic[event]!, event);
  sendWaiting(state);
}

function noServer(state: State, reason: string): void {
  if (nowUs() - state.startedUs <= connectWithinUs) return;
  const message = `cannot connect to any of ${state.lanes.length} servers to publish: ${reason}`;
  state.ready.reject(new UserError('publisher-unreachable', message, exitCodes.failed));
}

function failForBacklog(state: State): void {
  const message =
    `more than ${formatBytes(largestQueueBytes)} of events wait for a server to take them. ` +
    'Publish less, or smaller ones';
  close(state);
  state.done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
}

function giveUp(state: State): void {
  for (const event of state.bodyOf.keys())
    if (state.sentUs[event] === 0)
      state.problem('publish-unsent', 'an event was not sent, because there was no connection');
    else
      state.problem(
        'publish-unanswered',
        `no server had answered an event ${answerWithinUs / 1e6} s after the last one`,
      );
  finish(state);
}

function close(state: State): void {
  stop(state);
  for (const lane of state.lanes) lane.close();
}
