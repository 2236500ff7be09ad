// Sends each event of the plan at its planned time, over one pipelined HTTP/1.1 connection and without
// waiting for answers (open model). A publisher that is late sends all that is due at once and leaves nothing
// out. No event is sent twice: one whose answer is lost with its connection counts as unconfirmed.

import { later, nowUs } from '../../core/base/clock.ts';
import type { Window } from '../../core/protocol/control.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { backoffMs } from '../../core/policy/client/reconnect.ts';
import { newHistogram, record, type Histogram } from '../../core/result/histogram.ts';
import { random, type Random } from '../../core/base/random.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { formatBytes } from '../../core/base/units.ts';
import { createBodyStock, type BodyStock } from './body-stock.ts';
import type { Cause } from '../wire/connection.ts';
import { startPacer, type Pacer } from './pacer.ts';
import { createProblemLog, type ProblemLog } from '../account/problems.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Published, Publisher, PublisherSetup } from './contract.ts';
import { createPublishConnection, type PublishConnection } from './publish-connection.ts';

const connectWithinUs = 5_000_000;
const answerWithinUs = 5_000_000;
const reconnect = { base: 20, cap: 1000 };
/**
 * Written in one turn of the event loop at the most: events, and characters but for the last
 * event; then answers are read.
 */
const batchEvents = 64;
const batchLength = 256 * 1024;
/**
 * Bodies are made ahead for at most `fillUs` in `fillEveryUs`, and not in the last `clearUs` before an event.
 */
const fillUs = 300;
const fillEveryUs = 5000;
const clearUs = 1000;

/** What a publisher knows, but for what the plan says. */
type State = {
  readonly setup: PublisherSetup;
  readonly seq: Int32Array;
  readonly lag: Histogram;
  readonly roundTrip: Histogram;
  readonly problems: ProblemLog;
  readonly sentUs: Float64Array;
  readonly bodies: BodyStock;
  readonly jitter: Random;
  readonly ready: PromiseWithResolvers<void>;
  readonly done: PromiseWithResolvers<Published>;
  readonly startedUs: number;
  readonly connection: PublishConnection;
  readonly pacer: Pacer;
  window: Window | undefined;
  /** The next event to send. */
  next: number;
  /** The oldest event that may still be answered; those below have been, or never will be. */
  oldest: number;
  confirmed: number;
  /** Connections that could not be made, in a row. */
  attempts: number;
  /** There has been a connection. */
  connected: boolean;
  over: boolean;
  timer: NodeJS.Timeout | undefined;
  /** Takes the limit on the wait for answers away. */
  clearLimit(): void;
};

export function startPublisher(setup: PublisherSetup): Publisher {
  const state: State = newState(
    setup,
    createPublishConnection(setup.publishUrl, {
      opened: () => opened(state),
      answered: (status, text, atUs) => takeAnswer(state, status, text, atUs),
      closed: (cause) => closed(state, cause),
      problem: (code, message) => state.problems.add(code, message),
    }),
    startPacer(() => step(state)),
  );
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
    close: () => close(state),
  };
}

function newState(setup: PublisherSetup, connection: PublishConnection, pacer: Pacer): State {
  const { plan, seed } = setup;
  const events = plan.offsetUs.length;
  return {
    setup,
    connection,
    pacer,
    seq: new Int32Array(events),
    lag: newHistogram(),
    roundTrip: newHistogram(),
    problems: createProblemLog(),
    sentUs: new Float64Array(events),
    bodies: createBodyStock(plan, seed),
    jitter: random(seed, 'publisher-reconnect'),
    ready: Promise.withResolvers<void>(),
    done: Promise.withResolvers<Published>(),
    startedUs: nowUs(),
    window: undefined,
    next: 0,
    oldest: 0,
    confirmed: 0,
    attempts: 0,
    connected: false,
    over: false,
    timer: undefined,
    clearLimit() {},
  };
}

function eventsOf({ setup }: State): number {
  return setup.plan.offsetUs.length;
}

function plannedUs({ window, setup }: State, i: number): number {
  return window ? window.warmupFromUs + setup.plan.offsetUs[i]! : Infinity;
}

function isMeasured(state: State, i: number): boolean {
  return state.window !== undefined && plannedUs(state, i) >= state.window.fromUs;
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
  const { over, window, next, bodies } = state;
  if (over) return Infinity;
  if (next === eventsOf(state) && window) {
    state.clearLimit();
    const limitUs = Math.max(answerWithinUs, window.toUs - nowUs());
    state.clearLimit = later(limitUs / 1000, () => giveUp(state));
    return Infinity;
  }
  const dueUs = plannedUs(state, next);
  // While no answer is awaited, the time until the next event is free, also for a large body.
  const freeUntilUs = state.oldest === next ? dueUs - clearUs : 0;
  const full = bodies.fill(Math.min(nowUs() + fillUs, dueUs - clearUs), freeUntilUs);
  return full ? dueUs : Math.min(dueUs, nowUs() + fillEveryUs);
}

function sendDue(state: State): void {
  const { connection, bodies, sentUs, lag } = state;
  const { topics, plan } = state.setup;
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
    requests += connection.encode(topicName(topics, plan.topic[i]!), body, dueUs, atUs);
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
  const seq = Number(/"seq":([1-9]\d{0,8})\b/.exec(text)?.[1] ?? 0);
  if (status !== 201) {
    state.problems.add(
      'publish-refused',
      `an event was answered with status ${status}: ${text.slice(0, 200).trim()}`,
    );
  } else if (seq === 0) {
    state.problems.add('publish-answer', 'the answer to an event gives it no "seq"');
  } else {
    state.seq[i] = seq;
    state.confirmed++;
    if (isMeasured(state, i)) record(state.roundTrip, atUs - state.sentUs[i]!);
  }
  if (state.oldest === eventsOf(state)) finish(state);
}

function reconnectAfter(state: State, cause: Cause): void {
  const { setup, window, connection, jitter } = state;
  const lastUs = window && Math.max(plannedUs(state, eventsOf(state) - 1) + answerWithinUs, window.toUs);
  if (!state.connected && nowUs() - state.startedUs > connectWithinUs) {
    const message = `cannot connect to ${setup.publishUrl} to publish: ${cause.message}`;
    state.ready.reject(new UserError('publisher-unreachable', message, exitCodes.failed));
  } else if (lastUs !== undefined && nowUs() > lastUs) {
    giveUp(state);
  } else {
    // At once at first: servers close idle connections, and the next event may be near.
    const waitMs = state.attempts === 0 ? 0 : backoffMs(reconnect, state.attempts, jitter);
    state.timer = setTimeout(connection.dial, waitMs);
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
    state.problems.add('publish-unsent', 'an event was not sent, for want of a connection');
  finish(state);
}

/** No answer is to be had for what was sent. */
function unconfirmed(state: State, code: string, message: string): void {
  for (; state.oldest < state.next; state.oldest++) state.problems.add(code, message);
}

function finish(state: State): void {
  if (state.over) return;
  state.over = true;
  clearTimeout(state.timer);
  state.clearLimit();
  const { seq, lag, roundTrip, problems, done } = state;
  done.resolve({ seq, lag, roundTrip, problems: problems.list() });
}

function close(state: State): void {
  state.over = true;
  clearTimeout(state.timer);
  state.clearLimit();
  state.pacer.stop();
  state.connection.close();
}
