// Subscribers of a target that ask again and again, at once or held: polling and long polling. As poller.ts,
// but the answers are the target's, and so is the way to say what one has had (target/cursor.ts).

import { longestTimerMs, nowUs } from '../../core/base/clock.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import { backoffMs } from '../wire/connection.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import { gzipAccepted } from '../wire/gunzip.ts';
import { encodeRequest, type ResponseHead } from '../wire/http-head.ts';
import type { RunningLoad } from '../pattern.ts';
import { noteRetryAfter } from '../subscribers/streams.ts';
import { askFrom, createOnce, moveBy, newPlace, type Place } from './cursor.ts';
import { createLegs, type TargetContext } from './legs.ts';

type State = {
  readonly leg: number;
  client: Client<State>;
  place: Place;
  /** Where every answer brings everything: whether an event has not come before. */
  isNew: ((bytes: Buffer, from: number, to: number) => boolean) | undefined;
  askedMs: number;
  dueMs: number;
  answers: number;
  failures: number;
  leastMs: number;
  ready: boolean;
  timer: NodeJS.Timeout | undefined;
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

const answerWithinMs = 30_000;
/** A target may hold a request for as long as a proxy lets it. */
const heldWithinMs = 120_000;
/** A held request that was not refused within this time stands. */
const settleMs = 250;

export function targetPolling(
  target: TargetContext,
  how: TargetSubscribe,
  {
    every,
    jitter,
    gzip,
    connection,
  }: Pick<PatternOptions<'polling'>, 'every' | 'jitter' | 'gzip' | 'connection'>,
): RunningLoad {
  const { random } = target.context;
  return startPolling(target, how, {
    answerWithinMs,
    held: false,
    gzip,
    connection,
    next(state, events) {
      if (events > 0 && how.untilEmpty) return 0;
      const nowMs = performance.now();
      state.dueMs =
        state.answers === 1
          ? nowMs + random() * every
          : Math.max(nowMs, state.dueMs + every * (1 + jitter * (2 * random() - 1)));
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
    answerWithinMs: heldWithinMs,
    held: true,
    gzip,
    connection,
    next(state) {
      if (state.answers > 1) target.context.counters.rearms++;
      return 0;
    },
  });
}

function startPolling(target: TargetContext, how: TargetSubscribe, pace: Pace): RunningLoad {
  const legs = createLegs(target, how);
  const { counters, sink, random, reconnect } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const states: State[] = [];
  let closing = false;
  const clients = createHttpClients<State>(legs.context, { response, failed });
  const sweep = setInterval(giveUpLate, 1000);

  function ask(state: State): void {
    if (closing) return;
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
    if (pace.held && !state.ready) state.settling = setTimeout(becomeReady, settleMs, state);
  }

  function askAfter(state: State, waitMs: number): void {
    if (closing) return;
    if (waitMs > 0) state.timer = setTimeout(ask, Math.min(waitMs, longestTimerMs), state);
    else ask(state);
  }

  function response(
    state: State,
    head: ResponseHead,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
  ): void {
    clearTimeout(state.settling);
    state.askedMs = 0;
    const { status } = head;
    // 408 and 504 are how some servers and proxies end a hold.
    const nothing = status === 304 || status === 204 || (pace.held && (status === 408 || status === 504));
    if (status !== 200 && !nothing) {
      if (status === 503 || status === 429) counters.refusals++;
      else sink.problem('unexpected-status', `a poll was answered with status ${status}`);
      noteRetryAfter(state, head.headers);
      retry(state);
      return;
    }
    const events = status === 200 ? legs.deliver(state.leg, bytes, from, to, atUs, state.isNew) : 0;
    if (status !== 408 && status !== 504) moveBy(how.cursor, state.place, head, bytes, from, to);
    if (events > 0) counters.fullPolls++;
    else counters.emptyPolls++;
    becomeReady(state);
    state.failures = 0;
    state.answers++;
    askAfter(state, pace.next(state, events));
  }

  function failed(state: State): void {
    clearTimeout(state.settling);
    state.askedMs = 0;
    retry(state);
  }

  function retry(state: State): void {
    if (state.ready) {
      state.ready = false;
      sink.lost(state.leg);
    }
    const waitMs = Math.max(state.leastMs, backoffMs(reconnect, state.failures++, random));
    state.leastMs = 0;
    askAfter(state, waitMs);
  }

  function becomeReady(state: State): void {
    if (state.ready) return;
    state.ready = true;
    if (state.answers > 0 && state.failures > 0) counters.reconnects++;
    sink.ready(state.leg, nowUs());
  }

  function giveUpLate(): void {
    const latestMs = performance.now() - pace.answerWithinMs;
    for (const state of states) {
      if (state.askedMs === 0 || state.askedMs > latestMs) continue;
      sink.problem('no-answer', `a poll had no answer for ${pace.answerWithinMs / 1000} s`);
      clients.drop(state.client);
      failed(state);
    }
  }

  return legs.forSubscribers({
    open(leg) {
      const isNew = how.cursor === 'none' ? createOnce() : undefined;
      const rest = {
        place: newPlace(),
        isNew,
        askedMs: 0,
        dueMs: 0,
        answers: 0,
        failures: 0,
        leastMs: 0,
        ready: false,
        timer: undefined,
        settling: undefined,
      };
      const state = { leg, ...rest } as State; // the client needs its owner first
      state.client = clients.add(state, leg);
      states.push(state);
      ask(state);
    },
    close() {
      closing = true;
      clearInterval(sweep);
      for (const { timer, settling, client } of states) {
        clearTimeout(timer);
        clearTimeout(settling);
        clients.drop(client);
      }
      return Promise.resolve();
    },
  });
}
