// Runs subscribers of a target that ask again and again, at once or held: polling and long polling. As
// subscribers/poller.ts, but the answers are the target's, and so is the way to say what one has had
// (target/cursor.ts).

import { longestTimerMs, nowUs } from '../../core/base/clock.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import {
  endsHold,
  isOverdue,
  longPollAgainMs,
  longPollAnswerWithinMs,
  nextPollDueMs,
  pollAnswerWithinMs,
  saysNothingNew,
} from '../../core/policy/client/poll-times.ts';
import {
  newComeback,
  noteRetryAfter,
  noteSuccess,
  type Comeback,
} from '../../core/policy/client/reconnect.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import { createHttpClients, type Client, type HttpClients } from '../wire/http-client.ts';
import { gzipAccepted } from '../wire/gunzip.ts';
import { encodeRequest, type ResponseHead } from '../wire/http-head.ts';
import type { RunningLoad } from '../pattern.ts';
import { comeBackLater } from '../subscribers/comeback.ts';
import { askFrom, createOnce, moveBy, newPlace, type Place } from './cursor.ts';
import { createLegs, type Legs, type TargetContext } from './legs.ts';

type State = Comeback & {
  readonly leg: number;
  client: Client<State>;
  place: Place;
  /** Where every answer brings everything: whether an event has not come before. */
  isNew: ((bytes: Buffer, from: number, to: number) => boolean) | undefined;
  askedMs: number;
  /** When the last planned poll was due, by `performance.now()`; undefined before the first. */
  dueMs: number | undefined;
  answers: number;
  ready: boolean;
  /** Until the next planned poll. */
  timer: NodeJS.Timeout | undefined;
  /** Ends the wait after a failure. */
  stopWaiting: (() => void) | undefined;
  /** Until a held request counts as taken. */
  settling: NodeJS.Timeout | undefined;
};

type Pace = {
  /** How long after an answer with `events` events the next request goes out, in milliseconds. */
  next(state: State, events: number): number;
  answerWithinMs: number;
  /** The target holds requests, so that no answer says nothing about whether the subscriber is subscribed. */
  held: boolean;
  gzip: boolean;
  connection: 'keep-alive' | 'close';
};

/** A held request that was not refused within this time is taken. */
const settleMs = 250;

export function targetPolling(
  target: TargetContext,
  how: TargetSubscribe,
  options: Pick<PatternOptions<'polling'>, 'every' | 'jitter' | 'gzip' | 'connection'>,
): RunningLoad {
  const { random } = target.context;
  const { gzip, connection } = options;
  return startPolling(target, how, {
    answerWithinMs: pollAnswerWithinMs,
    held: false,
    gzip,
    connection,
    next(state, events) {
      if (events > 0 && how.untilEmpty) return 0;
      const nowMs = performance.now();
      state.dueMs = nextPollDueMs(state.dueMs, nowMs, options, random);
      return state.dueMs - nowMs;
    },
  });
}

export function targetLongPolling(
  target: TargetContext,
  how: TargetSubscribe,
  { gzip, connection }: Pick<PatternOptions<'long-polling'>, 'gzip' | 'connection'>,
): RunningLoad {
  return startPolling(target, how, {
    answerWithinMs: longPollAnswerWithinMs(undefined),
    held: true,
    gzip,
    connection,
    next(state) {
      if (state.answers > 1) target.context.counters.rearms++;
      return longPollAgainMs;
    },
  });
}

/** What the legs of a process share. */
type All = {
  readonly legs: Legs;
  readonly how: TargetSubscribe;
  readonly pace: Pace;
  readonly url: URL;
  readonly clients: HttpClients<State>;
  readonly states: State[];
  closing: boolean;
};

function startPolling(target: TargetContext, how: TargetSubscribe, pace: Pace): RunningLoad {
  const legs = createLegs(target, how);
  const clients = createHttpClients<State>(legs.context, {
    response: (state, head, bytes, from, to, atUs) => takeResponse(all, state, head, bytes, from, to, atUs),
    failed: (state) => takeFailure(all, state),
  });
  const url = new URL(legs.context.endpoint.url);
  const all: All = { legs, how, pace, url, clients, states: [], closing: false };
  const sweep = setInterval(giveUpLate, 1000, all);
  return legs.forSubscribers({
    open(leg) {
      const state = newState(all, leg);
      all.states.push(state);
      ask(all, state);
    },
    close() {
      clearInterval(sweep);
      close(all);
      return Promise.resolve();
    },
  });
}

function newState({ how, clients }: All, leg: number): State {
  const rest = {
    place: newPlace(),
    isNew: how.cursor === 'none' ? createOnce() : undefined,
    askedMs: 0,
    dueMs: undefined,
    answers: 0,
    ready: false,
    timer: undefined,
    stopWaiting: undefined,
    settling: undefined,
  };
  const state = { leg, ...newComeback(), ...rest } as State; // the client needs its owner first
  state.client = clients.add(state, leg);
  return state;
}

function ask(all: All, state: State): void {
  const { legs, how, pace, url, clients } = all;
  if (all.closing) return;
  state.timer = undefined;
  state.askedMs = performance.now();
  const { target: path, headers } = askFrom(how.cursor, legs.target(state.leg), state.place);
  clients.send(
    state.client,
    encodeRequest(url, path, {
      accept: '*/*',
      ...gzipAccepted(pace.gzip),
      ...how.headers,
      ...headers,
      connection: pace.connection,
    }),
  );
  if (pace.held && !state.ready) state.settling = setTimeout(becomeReady, settleMs, all, state);
}

function takeResponse(
  all: All,
  state: State,
  head: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): void {
  const { legs, how, pace } = all;
  const { counters, sink } = legs.context;
  clearTimeout(state.settling);
  state.askedMs = 0;
  const { status } = head;
  // A hold that ends with a wish for peace is a refusal.
  const held = pace.held && !head.headers.has('retry-after');
  if (status !== 200 && !saysNothingNew(status, held)) {
    if (status === 503 || status === 429) counters.refusals++;
    else sink.problem('unexpected-status', `a poll was answered with status ${status}`);
    noteRetryAfter(state, head.headers.get('retry-after'), Date.now());
    retry(all, state);
    return;
  }
  const events = status === 200 ? legs.deliver(state.leg, bytes, from, to, atUs, state.isNew) : 0;
  if (!endsHold(status)) moveBy(how.cursor, state.place, head, bytes, from, to);
  if (events > 0) counters.fullPolls++;
  else counters.emptyPolls++;
  becomeReady(all, state);
  noteSuccess(state);
  state.answers++;
  const waitMs = pace.next(state, events);
  if (all.closing) return;
  if (waitMs > 0) state.timer = setTimeout(ask, Math.min(waitMs, longestTimerMs), all, state);
  else ask(all, state);
}

function takeFailure(all: All, state: State): void {
  clearTimeout(state.settling);
  state.askedMs = 0;
  retry(all, state);
}

function retry(all: All, state: State): void {
  const { context } = all.legs;
  if (state.ready) {
    state.ready = false;
    context.sink.lost(state.leg);
  }
  if (all.closing) return;
  state.stopWaiting = comeBackLater(context, state, () => {
    state.stopWaiting = undefined;
    ask(all, state);
  });
}

function becomeReady({ legs }: All, state: State): void {
  const { counters, sink } = legs.context;
  if (state.ready) return;
  state.ready = true;
  if (state.answers > 0 && state.failures > 0) counters.reconnects++;
  sink.ready(state.leg, nowUs());
}

function giveUpLate(all: All): void {
  const { states, pace, clients, legs } = all;
  const nowMs = performance.now();
  for (const state of states) {
    if (state.askedMs === 0 || !isOverdue(state.askedMs, nowMs, pace.answerWithinMs)) continue;
    legs.context.sink.problem('no-answer', `a poll had no answer for ${pace.answerWithinMs / 1000} s`);
    clients.drop(state.client);
    takeFailure(all, state);
  }
}

function close(all: All): void {
  all.closing = true;
  for (const { timer, stopWaiting, settling, client } of all.states) {
    clearTimeout(timer);
    stopWaiting?.();
    clearTimeout(settling);
    all.clients.drop(client);
  }
}
