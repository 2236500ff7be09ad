// Runs what polling and long polling have in common: a subscriber that asks again and again, over HTTP/1.1,
// for what came after its cursor. One request of a subscriber is under way at a time. The cursor moves with a
// whole answer only, so a request that was cut off is repeated and neither loses an event nor brings one
// twice. When to ask, and with which request, is the pattern's: polling.ts, long-polling.ts.

import { longestTimerMs } from '../../core/base/clock.ts';
import { cursorPattern } from '../../core/event/envelope.ts';
import { isOverdue, saysNothingNew } from '../../core/policy/client/poll-times.ts';
import {
  newComeback,
  noteRetryAfter,
  noteSuccess,
  type Comeback,
} from '../../core/policy/client/reconnect.ts';
import { createHttpClients, type Client, type HttpClients } from '../wire/http-client.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { readPollAnswer, splitEvents } from '../wire/poll-answer.ts';
import { comeBackLater } from './comeback.ts';

/** One subscriber. */
export type Poller = {
  readonly subscriber: number;
  /** Its topics, as they stand in a request. */
  readonly topics: string;
  /** The last answer's, empty before the first. */
  cursor: string;
  etag: string;
  /** Answers taken in so far. */
  answers: number;
  /** When the last planned poll was due, by `performance.now()`; undefined before the first. */
  dueMs: number | undefined;
};

export type Asking = {
  /**
   * The request for what came after the poller's cursor. Asked for again when cursor or ETag have changed.
   */
  request(poller: Poller): Buffer;
  /**
   * An answer was taken in.
   * @returns how long to wait before the next request, in milliseconds; at once when not above 0
   */
  answered(poller: Poller): number;
  /** A request without an answer after that many milliseconds is given up and repeated. */
  answerWithinMs: number;
  /** Whether `close` waits for requests that are under way: not for those the server holds on purpose. */
  finishes: boolean;
};

type State = Poller &
  Comeback & {
    client: Client<State>;
    request: Buffer | undefined;
    /** When the request under way was sent; 0 when there is none. */
    askedMs: number;
    /** Until the next planned poll. */
    timer: NodeJS.Timeout | undefined;
    /** Ends the wait after a failure. */
    stopWaiting: (() => void) | undefined;
    ready: boolean;
    /** It has left and will come back. */
    away: boolean;
    /** The server asked it to stay away for too long. */
    gaveUp: boolean;
  };

/** What the subscribers of a process share. */
type Pollers = {
  readonly context: LoadContext;
  readonly asking: Asking;
  readonly clients: HttpClients<State>;
  readonly states: Map<number, State>;
  /** Requests that have had no answer yet. */
  underWay: number;
  /** Set when no more is asked; called when nothing is under way. */
  closing: (() => void) | undefined;
};

export function startPollers(context: LoadContext, asking: Asking): RunningLoad {
  const clients = createHttpClients<State>(context, {
    response: (state, head, bytes, from, to, atUs) =>
      takeResponse(pollers, state, head, bytes, from, to, atUs),
    failed: (state) => takeFailure(pollers, state),
  });
  const pollers: Pollers = { context, asking, clients, states: new Map(), underWay: 0, closing: undefined };
  // One sweep for all of them: a timer for each request would cost more than the request's bookkeeping.
  const sweep = setInterval(giveUpLate, Math.min(1000, asking.answerWithinMs / 4), pollers);
  return {
    open(subscriber) {
      const state = newState(pollers, subscriber);
      pollers.states.set(subscriber, state);
      ask(pollers, state);
    },
    leave: (subscriber) => leave(pollers, pollers.states.get(subscriber)),
    comeBack: (subscriber) => comeBack(pollers, pollers.states.get(subscriber)),
    close(graceMs) {
      clearInterval(sweep);
      return close(pollers, graceMs);
    },
  };
}

function newState({ context, clients }: Pollers, subscriber: number): State {
  const rest = {
    cursor: '',
    etag: '',
    answers: 0,
    dueMs: undefined,
    request: undefined,
    askedMs: 0,
    timer: undefined,
    stopWaiting: undefined,
    ready: false,
    away: false,
    gaveUp: false,
  };
  const topics = context.topicsOf(subscriber).join(',');
  // The client needs its owner first.
  const state = { subscriber, topics, ...newComeback(), ...rest } as State;
  state.client = clients.add(state, subscriber);
  return state;
}

function ask(pollers: Pollers, state: State): void {
  if (pollers.closing || state.away) return;
  state.timer = undefined;
  state.askedMs = performance.now();
  pollers.underWay++;
  pollers.clients.send(state.client, (state.request ??= pollers.asking.request(state)));
}

function takeResponse(
  pollers: Pollers,
  state: State,
  head: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): void {
  over(pollers, state);
  const { status } = head;
  const taken =
    status === 200
      ? takeAnswer(pollers, state, head, bytes, from, to, atUs)
      : saysNothingNew(status, false)
        ? takeNothing(pollers, state, head)
        : takeRefusal(pollers, state, head);
  if (taken) answered(pollers, state, atUs);
  else retry(pollers, state);
}

/** @returns whether the answer was whole; what was not is reported */
function takeAnswer(
  pollers: Pollers,
  state: State,
  { headers }: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): boolean {
  const { counters, sink } = pollers.context;
  const answer = readPollAnswer(bytes, from, to);
  if (!answer) return malformed(pollers);
  if (answer.reset) counters.resets++;
  becomeReady(pollers, state, atUs);
  let events = 0;
  const whole = splitEvents(bytes, answer.eventsFrom, to, (eventFrom, eventTo) => {
    events++;
    if (!sink.event(state.subscriber, bytes, eventFrom, eventTo, atUs))
      sink.problem('malformed-event', 'an event is no envelope');
  });
  counters.events += events;
  if (!whole) return malformed(pollers);
  if (events > 0) counters.fullPolls++;
  else counters.emptyPolls++;
  moveTo(state, answer.cursor, headers.get('etag') ?? '');
  return true;
}

function takeNothing(pollers: Pollers, state: State, { headers }: ResponseHead): boolean {
  const cursor = headers.get('pushbench-cursor') ?? state.cursor;
  if (!cursorPattern.test(cursor)) return malformed(pollers);
  pollers.context.counters.emptyPolls++;
  moveTo(state, cursor, state.etag);
  return true;
}

function takeRefusal({ context }: Pollers, state: State, { status, headers }: ResponseHead): boolean {
  if (status === 503) context.counters.refusals++;
  else context.sink.problem('unexpected-status', `a poll was answered with status ${status}`);
  noteRetryAfter(state, headers.get('retry-after'), Date.now());
  return false;
}

function malformed({ context }: Pollers): boolean {
  context.sink.problem(
    'malformed-answer',
    'the answer to a poll is not {"cursor":"...","events":[...]}, nor an empty one with a cursor',
  );
  return false;
}

function moveTo(state: State, cursor: string, etag: string): void {
  if (cursor === state.cursor && etag === state.etag) return;
  state.cursor = cursor;
  state.etag = etag;
  state.request = undefined;
}

function answered(pollers: Pollers, state: State, atUs: number): void {
  noteSuccess(state);
  state.answers++;
  becomeReady(pollers, state, atUs);
  const waitMs = pollers.asking.answered(state);
  if (pollers.closing || state.away) return;
  if (waitMs > 0) state.timer = setTimeout(ask, Math.min(waitMs, longestTimerMs), pollers, state);
  else ask(pollers, state);
}

function takeFailure(pollers: Pollers, state: State): void {
  over(pollers, state);
  retry(pollers, state);
}

/** Also for one that is away: it comes back no earlier for that. */
function retry(pollers: Pollers, state: State): void {
  unready(pollers, state);
  if (pollers.closing) return;
  state.stopWaiting = comeBackLater(pollers.context, state, () => {
    state.stopWaiting = undefined;
    ask(pollers, state);
  });
  state.gaveUp = !state.stopWaiting;
}

function unready({ context }: Pollers, state: State): void {
  if (state.ready) context.sink.lost(state.subscriber);
  state.ready = false;
}

function becomeReady({ context }: Pollers, state: State, atUs: number): void {
  if (state.ready || state.away) return;
  state.ready = true;
  if (state.answers > 0) context.counters.reconnects++;
  context.sink.ready(state.subscriber, atUs);
}

function over(pollers: Pollers, state: State): void {
  state.askedMs = 0;
  pollers.underWay--;
  if (pollers.underWay === 0) pollers.closing?.();
}

function giveUpLate(pollers: Pollers): void {
  const { states, asking, clients, context } = pollers;
  const nowMs = performance.now();
  for (const state of states.values()) {
    if (state.askedMs === 0 || !isOverdue(state.askedMs, nowMs, asking.answerWithinMs)) continue;
    context.sink.problem('no-answer', `a poll had no answer for ${asking.answerWithinMs / 1000} s`);
    clients.drop(state.client);
    takeFailure(pollers, state);
  }
}

function leave(pollers: Pollers, state: State | undefined): void {
  if (!state || state.away || state.gaveUp) return;
  state.away = true;
  clearTimeout(state.timer);
  unready(pollers, state);
  if (state.askedMs > 0 && pollers.asking.finishes) return; // what comes yet is taken in
  if (state.askedMs > 0) over(pollers, state);
  pollers.clients.drop(state.client);
}

function comeBack(pollers: Pollers, state: State | undefined): void {
  if (!state?.away) return;
  state.away = false;
  // Else it goes on when its wait is over, or its request.
  if (state.askedMs === 0 && !state.stopWaiting && !state.gaveUp) ask(pollers, state);
}

async function close(pollers: Pollers, graceMs: number): Promise<void> {
  const { states, asking, clients } = pollers;
  const drained = Promise.withResolvers<void>();
  pollers.closing = drained.resolve;
  for (const { timer, stopWaiting } of states.values()) {
    clearTimeout(timer);
    stopWaiting?.();
  }
  if (asking.finishes && pollers.underWay > 0) {
    const timer = setTimeout(drained.resolve, graceMs);
    await drained.promise;
    clearTimeout(timer);
  }
  for (const { client } of states.values()) clients.drop(client);
}
