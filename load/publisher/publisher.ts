// Sends each event of the plan at its planned time, over one pipelined HTTP/1.1 connection and without
// waiting for answers (open model). A publisher that is late sends all that is due at once and leaves nothing
// out. No event is sent twice: one whose answer is lost with its connection counts as unconfirmed.

import { nowUs } from '../../core/base/clock.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { backoffMs } from '../../core/policy/client/reconnect.ts';
import { newCounters } from '../../core/result/counters.ts';
import { record } from '../../core/result/histogram.ts';
import { random, type Random } from '../../core/base/random.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { formatBytes } from '../../core/base/units.ts';
import type { Cause } from '../wire/connection.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Publisher, PublisherSetup } from './contract.ts';
import { createPublishConnection, type PublishConnection } from './publish-connection.ts';
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

const connectWithinUs = 5_000_000;
const reconnect = { base: 20, cap: 1000 };
/**
 * Written in one turn of the event loop at most: events, and characters but for the last
 * event; then answers are read.
 */
const batchEvents = 64;
const batchLength = 256 * 1024;

type State = Publishing & {
  readonly publishUrl: string;
  readonly jitter: Random;
  readonly ready: PromiseWithResolvers<void>;
  readonly startedUs: number;
  readonly connection: PublishConnection;
  /** The oldest event that may still be answered; those below have been, or never will be. */
  oldest: number;
  /** Connections that could not be made, in a row. */
  attempts: number;
  /** There has been a connection. */
  connected: boolean;
  /** Until it connects again. */
  timer: NodeJS.Timeout | undefined;
};

export function startPublisher(setup: PublisherSetup): Publisher {
  const { publishUrl, seed } = setup;
  const counters = newCounters();
  const state: State = {
    ...newPublishing(setup, () => step(state)),
    publishUrl,
    jitter: random(seed, 'publisher-reconnect'),
    ready: Promise.withResolvers<void>(),
    startedUs: nowUs(),
    connection: createPublishConnection(publishUrl, counters, {
      opened: () => opened(state),
      answered: (status, text, atUs) => takeAnswer(state, status, text, atUs),
      closed: (cause) => closed(state, cause),
      problem: (code, message) => state.problem(code, message),
    }),
    oldest: 0,
    attempts: 0,
    connected: false,
    timer: undefined,
  };
  state.connection.dial();
  return {
    ready: state.ready.promise,
    run(window) {
      state.window = window;
      if (eventsOf(state) === 0) finish(state);
      else state.pacer.wake();
      return state.done.promise;
    },
    sent: () => state.next,
    confirmed: () => state.confirmed,
    counters,
    close: () => close(state),
  };
}

function opened(state: State): void {
  state.attempts = 0;
  state.connected = true;
  state.ready.resolve();
  state.pacer.wake();
}

function closed(state: State, cause: Cause): void {
  if (state.over) return;
  unconfirmed(
    state,
    'publish-cut',
    'the connection ended before the server had answered; whether it took the event is not known',
  );
  if (state.window && state.next === eventsOf(state)) finish(state);
  else reconnectAfter(state, cause);
}

/** Does what is due; returns when there will be more to do. */
function step(state: State): number {
  if (state.over || !state.connection.isOpen()) return Infinity;
  sendDue(state);
  const { over, window, next } = state;
  if (over) return Infinity;
  if (next < eventsOf(state) || !window) return fillAhead(state, state.oldest === next);
  limitAnswers(state, window, () => giveUp(state));
  return Infinity;
}

function sendDue(state: State): void {
  const { connection, bodies, sentUs, lag, topics, plan } = state;
  const batchTo = Math.min(eventsOf(state), state.next + batchEvents);
  if (state.next === batchTo || plannedUs(state, state.next) > nowUs()) return;
  let requests = '';
  for (; state.next < batchTo && requests.length < batchLength; state.next++) {
    const i = state.next;
    const dueUs = plannedUs(state, i);
    if (dueUs > nowUs()) break;
    const body = bodies.take(i);
    const atUs = nowUs();
    sentUs[i] = atUs;
    if (isMeasured(state, i)) record(lag, atUs - dueUs);
    const topic = topicName(topics, plan.topic[i]!);
    requests += connection.encode({ topic, body, plannedUs: dueUs, sentUs: atUs });
  }
  connection.send(requests);
  if (connection.backlogBytes() <= largestQueueBytes) return;
  const message =
    'the server takes events more slowly than they are published: more than ' +
    `${formatBytes(largestQueueBytes)} of them wait. Publish less, or smaller ones`;
  close(state);
  state.done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
}

function takeAnswer(state: State, status: number, text: string, atUs: number): void {
  if (state.oldest === state.next)
    throw new ProtocolError('publish-unasked', 'the server sent an answer that no event had asked for');
  const i = state.oldest++;
  const seq = seqIn(text);
  if (status !== 201) {
    state.problem(
      'publish-refused',
      `an event was answered with status ${status}: ${text.slice(0, 200).trim()}`,
    );
  } else if (seq === 0) {
    state.problem('publish-answer', 'the answer to an event gives it no "seq"');
  } else {
    state.seq[i] = seq;
    state.confirmed++;
    if (isMeasured(state, i)) record(state.roundTrip, atUs - state.sentUs[i]!);
  }
  if (state.oldest === eventsOf(state)) finish(state);
}

function reconnectAfter(state: State, cause: Cause): void {
  const { publishUrl, window, connection, jitter } = state;
  const lastUs = window && Math.max(plannedUs(state, eventsOf(state) - 1) + answerWithinUs, window.toUs);
  if (!state.connected && nowUs() - state.startedUs > connectWithinUs) {
    const message = `cannot connect to ${publishUrl} to publish: ${cause.message}`;
    state.ready.reject(new UserError('publisher-unreachable', message, exitCodes.failed));
  } else if (lastUs !== undefined && nowUs() > lastUs) {
    giveUp(state);
  } else {
    // At once at first: servers close idle connections, and the next event may be near.
    const waitMs = state.attempts === 0 ? 0 : backoffMs(reconnect, state.attempts, jitter);
    state.timer = setTimeout(() => {
      if (!state.over) connection.dial();
    }, waitMs);
    state.attempts++;
  }
}

function giveUp(state: State): void {
  unconfirmed(
    state,
    'publish-unanswered',
    `the server had not answered ${answerWithinUs / 1e6} s after the last event`,
  );
  for (let i = state.next; i < eventsOf(state); i++)
    state.problem('publish-unsent', 'an event was not sent, because there was no connection');
  finish(state);
}

/** No answer is to be had for what was sent. */
function unconfirmed(state: State, code: string, message: string): void {
  for (; state.oldest < state.next; state.oldest++) state.problem(code, message);
}

function close(state: State): void {
  stop(state);
  clearTimeout(state.timer);
  state.connection.close();
}
