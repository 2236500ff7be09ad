// Publishes to a target that is not ours: each event of the plan at its planned time (open model), as our
// envelope inside whatever body the target wants, numbered here, since a target numbers nothing. One request
// of a topic is under way at a time, so that its events keep their order; topics are spread over connections.
// No pipelining: a server may close a connection after so many requests (nginx after 1,000), and what was
// sent behind is lost. An event that waits for its topic's turn waits on our side of the clock: that is
// publisher lag, and shown as such.

import { nowUs } from '../../core/base/clock.ts';
import { newCounters, type Counters } from '../../core/result/counters.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { largestQueueBytes } from '../../core/event/body-size.ts';
import { record } from '../../core/result/histogram.ts';
import { quoteBytes } from '../../core/secrets/redact.ts';
import type { TargetAccess } from '../../core/target/access.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { createHttpClients } from '../wire/http-client.ts';
import type { DialContext } from '../wire/connection.ts';
import type { Publisher, PublisherSetup } from '../publisher/contract.ts';
import {
  answerWithinUs,
  eventsOf,
  fillAhead,
  finish,
  isMeasured,
  limitAnswers,
  plannedUs,
  stop,
} from '../publisher/publishing.ts';
import { newState, type Lane, type State } from './publisher-state.ts';

const mostLanes = 32;
/** Events that wait for their lane at the most, in all. */
const mostWaiting = 100_000;
const shownLength = 160;

export function startTargetPublisher(setup: PublisherSetup & { target: TargetAccess }): Publisher {
  const state: State = newState(setup, () => step(state));
  const counters = newCounters();
  return {
    ready: connect(state, setup.target, counters),
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
async function connect(state: State, target: TargetAccess, counters: Counters): Promise<void> {
  const { origin, protocol } = state.requests.url;
  const context: DialContext = {
    endpoint: { url: origin },
    counters, // its own: publishing is no part of what a pattern costs
    sourceAddress: () => '127.0.0.1',
    sink: { problem: state.problem },
    ...(protocol === 'https:' && {
      connector: (await import('../wire/secure.ts')).secureConnector(target.ca),
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
          'whether the target took it is not known',
      );
    },
  });
  state.clients = clients;
  state.lanes = Array.from({ length: Math.min(mostLanes, Math.max(1, state.numbers.length)) }, () => {
    // The client needs its owner first.
    const lane = { waiting: [], head: 0, current: -1 } as unknown as Lane;
    lane.client = clients.add(lane, 0);
    return lane;
  });
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
  const { lanes, plan } = state;
  const lane = lanes[plan.topic[i]! % lanes.length]!;
  const body = state.bodies.take(i);
  state.bodyOf.set(i, body);
  lane.waiting.push(i);
  state.waiting++;
  state.waitingBytes += body.bytes;
  if (lane.current < 0) sendNext(state, lane);
}

function failForBacklog(state: State): void {
  const message =
    `the target takes events more slowly than they are published: ${state.waiting} of them wait. ` +
    'Publish less, or smaller ones, or on more topics';
  close(state);
  state.done.reject(new UserError('publisher-backlog', message, exitCodes.failed));
}

function sendNext(state: State, lane: Lane): void {
  const i = lane.waiting[lane.head];
  if (i === undefined || state.over) return;
  if (++lane.head === lane.waiting.length) {
    lane.waiting = [];
    lane.head = 0;
  }
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
  const request = state.requests.encode({
    number: i + 1,
    topic: topicName(state.topics, topic),
    seq: ++numbers[topic]!,
    plannedUs: dueUs,
    sentUs: atUs,
    crc,
    body: text,
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
  const i = lane.current;
  if (status < 200 || status > 299) {
    const text = quoteBytes(bytes, from, to, shownLength, state.secrets);
    const message = `an event was answered with status ${status}${text === '' ? '' : `: ${text}`}`;
    fail(state, lane, 'publish-refused', message);
    return;
  }
  state.seq[i] = state.numbers[state.plan.topic[i]!]!;
  state.confirmed++;
  if (isMeasured(state, i)) record(state.roundTrip, atUs - state.sentUs[i]!);
  ended(state, lane);
}

function fail(state: State, lane: Lane, code: string, message: string): void {
  state.problem(code, message);
  const topic = state.plan.topic[lane.current]!;
  // Its number is used up: had the target taken it after all, the next one with that
  // number would be a duplicate.
  if (isMeasured(state, lane.current)) state.unconfirmed.push({ topic, seq: state.numbers[topic]! });
  ended(state, lane);
}

function ended(state: State, lane: Lane): void {
  lane.current = -1;
  state.answered++;
  if (state.answered === eventsOf(state)) finish(state);
  else sendNext(state, lane);
}

function giveUp(state: State): void {
  for (const { current, waiting, head } of state.lanes) {
    if (current >= 0)
      state.problem(
        'publish-unanswered',
        `the target had not answered ${answerWithinUs / 1e6} s after the last event`,
      );
    for (let i = head; i < waiting.length; i++)
      state.problem(
        'publish-unsent',
        'an event was not sent, as the one before it on its topic had no answer yet',
      );
  }
  finish(state);
}

function close(state: State): void {
  stop(state);
  for (const { client } of state.lanes) state.clients?.drop(client);
}
