// Publishes each event of the plan at its planned time (open model), with one request of a topic under way at
// a time, so that its events keep their order; topics share connections. Targets are published to in this
// way, and our own servers in a run that has a target, so that the two compare. No pipelining: a server may
// close a connection after so many requests (nginx after 1,000), and requests sent behind the last are lost.
// An event that waits for its topic's turn waits on our side of the clock: that is publisher lag, and shown
// as such.

import { nowUs } from '../../core/base/clock.ts';
import { newCounters, type Counters } from '../../core/result/counters.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { record } from '../../core/result/histogram.ts';
import { quoteBytes } from '../../core/secrets/redact.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { createHttpClients } from '../wire/http-client.ts';
import type { DialContext } from '../wire/connection.ts';
import type { Publisher, PublisherSetup } from './contract.ts';
import type { Dialect } from './dialect.ts';
import { enter, leave, newState, unsent, type Lane, type State } from './in-turn-state.ts';
import {
  answerWithinUs,
  eventsOf,
  fillAhead,
  finish,
  isMeasured,
  limitAnswers,
  plannedUs,
  stop,
} from './publishing.ts';

const mostLanes = 32;
/** Events that wait for their turn at most, in all. */
const mostWaiting = 100_000;
const shownLength = 160;
/** Our servers' answers give the event's number within so many bytes. */
const answerRead = 1000;

/** @param dialect how the system is published to */
export function startInTurn(setup: PublisherSetup, dialect: Dialect): Publisher {
  const state: State = newState(setup, dialect, () => step(state));
  const counters = newCounters();
  return {
    ready: connect(state, counters),
    run(window) {
      state.window = window;
      if (eventsOf(state) === 0) finish(state);
      else state.pacer.wake();
      return state.done.promise;
    },
    sent: () => state.next - state.waiting,
    confirmed: () => state.confirmed,
    counters,
    close: () => close(state),
  };
}

/** Makes the lanes, whose connections are opened when there is something to send. */
async function connect(state: State, counters: Counters): Promise<void> {
  const {
    ca,
    url: { origin, protocol },
  } = state.dialect;
  const context: DialContext = {
    endpoint: { url: origin },
    counters, // its own: publishing is not part of what a pattern costs
    sourceAddress: () => '127.0.0.1',
    sink: { problem: state.problem },
    ...(protocol === 'https:' && {
      connector: (await import('../wire/secure.ts')).secureConnector(ca),
    }),
  };
  const clients = createHttpClients<Lane>(context, {
    response: (lane, { status }, bytes, from, to, atUs) =>
      takeAnswer(state, lane, status, bytes, from, to, atUs),
    failed(lane, cause) {
      fail(
        state,
        lane,
        'publish-cut',
        `the connection ended before an event was answered (${cause.message}); ` +
          `whether ${state.dialect.system} took it is not known`,
      );
    },
  });
  state.clients = clients;
  state.lanes = Array.from({ length: Math.min(mostLanes, Math.max(1, state.numbers.length)) }, () => {
    // The client needs its owner first.
    const lane = { current: -1 } as unknown as Lane;
    lane.client = clients.add(lane, 0);
    return lane;
  });
  state.idle = [...state.lanes];
}

/** Does what is due; returns when there will be more to do. */
function step(state: State): number {
  const { over, window } = state;
  if (over || !window) return Infinity;
  const events = eventsOf(state);
  for (; state.next < events && plannedUs(state, state.next) <= nowUs(); state.next++) {
    if (state.waiting >= mostWaiting || state.waitingBytes > largestQueueBytes) {
      failForBacklog(state);
      return Infinity;
    }
    queue(state, state.next);
  }
  if (state.next < events) return fillAhead(state);
  limitAnswers(state, window, () => giveUp(state));
  return Infinity;
}

function queue(state: State, i: number): void {
  const body = state.bodies.take(i);
  state.bodyOf.set(i, body);
  state.waiting++;
  state.waitingBytes += body.bytes;
  const lane = enter(state, i);
  if (lane) send(state, lane, i);
}

function failForBacklog(state: State): void {
  const message =
    `${state.dialect.system} takes events more slowly than they are published: ` +
    `${state.waiting} of them wait. Publish less, or smaller ones, or on more topics`;
  close(state);
  state.done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
}

function send(state: State, lane: Lane, i: number): void {
  state.waiting--;
  lane.current = i;
  const { plan, bodyOf, numbers, sentUs } = state;
  const { text, bytes, crc } = bodyOf.get(i)!; // set when it was queued
  state.waitingBytes -= bytes;
  bodyOf.delete(i);
  const dueUs = plannedUs(state, i);
  const atUs = nowUs();
  sentUs[i] = atUs;
  if (isMeasured(state, i)) record(state.lag, atUs - dueUs);
  const topic = plan.topic[i]!;
  const request = state.dialect.encode({
    number: i + 1,
    topic: topicName(state.topics, topic),
    seq: ++numbers[topic]!,
    plannedUs: dueUs,
    sentUs: atUs,
    crc,
    body: text,
    bytes,
  });
  state.clients!.send(lane.client, request); // a lane has its clients
}

function takeAnswer(
  state: State,
  lane: Lane,
  status: number,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): void {
  const { current: i } = lane;
  const { dialect, plan, numbers, seq } = state;
  if (!dialect.isSuccess(status)) {
    const text = quoteBytes(bytes, from, to, shownLength, dialect.secrets);
    const message = `an event was answered with status ${status}${text === '' ? '' : `: ${text}`}`;
    fail(state, lane, 'publish-refused', message);
    return;
  }
  const text = dialect.ownNumbers ? '' : bytes.toString('utf8', from, Math.min(to, from + answerRead));
  const given = dialect.numberIn(text, numbers[plan.topic[i]!]!);
  if (given === 0) {
    fail(state, lane, 'publish-answer', 'the answer to an event gives it no "seq"');
    return;
  }
  seq[i] = given;
  state.confirmed++;
  if (isMeasured(state, i)) record(state.roundTrip, atUs - state.sentUs[i]!);
  ended(state, lane);
}

function fail(state: State, lane: Lane, code: string, message: string): void {
  state.problem(code, message);
  const { dialect, plan, numbers, unconfirmed } = state;
  const topic = plan.topic[lane.current]!;
  // Its number is used up: had the target taken it after all, the next one with that
  // number would be a duplicate.
  if (dialect.ownNumbers && isMeasured(state, lane.current))
    unconfirmed.push({ topic, seq: numbers[topic]! });
  ended(state, lane);
}

function ended(state: State, lane: Lane): void {
  const next = leave(state, lane);
  state.answered++;
  if (state.answered === eventsOf(state)) finish(state);
  else if (next !== undefined && !state.over) send(state, lane, next);
}

function giveUp(state: State): void {
  for (const { current } of state.lanes) {
    if (current >= 0)
      state.problem(
        'publish-unanswered',
        `${state.dialect.system} had not answered ${answerWithinUs / 1e6} s after the last event`,
      );
  }
  for (let left = unsent(state); left > 0; left--)
    state.problem(
      'publish-unsent',
      'an event was not sent, as the one before it on its topic had no answer yet',
    );
  finish(state);
}

function close(state: State): void {
  stop(state);
  for (const { client } of state.lanes) state.clients?.drop(client);
}
