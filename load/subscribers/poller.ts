// What polling and long polling have in common: a subscriber that asks again and again, over
// HTTP/1.1, for what came after its cursor. One request of a subscriber is under way at a time. The
// cursor moves with a whole answer only, so a request that was cut off is repeated and neither loses
// an event nor brings one twice.
// When to ask, and with which request, is the pattern's: polling.ts, long-polling.ts.

import { longestTimerMs } from '../../core/base/clock.ts';
import { cursorPattern } from '../../core/event/envelope.ts';
import { backoffMs } from '../wire/connection.ts';
import { createHttpClients, type Client } from '../wire/http-client.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { readPollAnswer, splitEvents } from '../wire/poll-answer.ts';
import { noteRetryAfter } from './streams.ts';

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
  /** When the last poll was due, by `performance.now()`. */
  dueMs: number;
};

export type Asking = {
  /**
   * The request for what came after the poller's cursor. Asked for again when cursor or ETag have changed.
   */
  request(poller: Poller): Buffer;
  /**
   * An answer was taken in.
   * @returns how long to wait before the next request, in milliseconds; at once when not above nought
   */
  answered(poller: Poller): number;
  /** A request without an answer after that many milliseconds is given up and repeated. */
  answerWithinMs: number;
  /** Whether `close` waits for requests that are under way: not for those the server holds on purpose. */
  finishes: boolean;
};

type State = Poller & {
  client: Client<State>;
  request: Buffer | undefined;
  /** When the request under way was sent; nought when there is none. */
  askedMs: number;
  timer: NodeJS.Timeout | undefined;
  failures: number;
  /** The server asked for at least this wait before the next request. */
  leastMs: number;
  ready: boolean;
  /** It has left and will come back. */
  away: boolean;
};

export function startPollers(context: LoadContext, asking: Asking): RunningLoad {
  const { counters, sink } = context;
  const states = new Map<number, State>();
  let underWay = 0;
  let closing: (() => void) | undefined;

  const clients = createHttpClients<State>(context, { response, failed });
  // One sweep for all of them: a timer for each request would cost more than the request's bookkeeping.
  const sweep = setInterval(giveUpLate, Math.min(1000, asking.answerWithinMs / 4));

  function ask(state: State): void {
    if (closing || state.away) return;
    state.timer = undefined;
    state.askedMs = performance.now();
    underWay++;
    clients.send(state.client, (state.request ??= asking.request(state)));
  }

  function askAfter(state: State, waitMs: number): void {
    if (closing || state.away) return;
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
    over(state);
    const { status } = head;
    if (status === 200) {
      takeAnswer(state, head, bytes, from, to, atUs);
    } else if (status === 304 || status === 204) {
      takeNothing(state, head, atUs);
    } else if (status === 503) {
      counters.refusals++;
      noteRetryAfter(state, head.headers);
      retry(state);
    } else {
      sink.problem('unexpected-status', `a poll was answered with status ${status}`);
      retry(state);
    }
  }

  function takeNothing(state: State, { headers }: ResponseHead, atUs: number): void {
    const cursor = headers.get('pushbench-cursor') ?? state.cursor;
    if (!cursorPattern.test(cursor)) {
      malformed(state);
      return;
    }
    counters.emptyPolls++;
    moveTo(state, cursor, state.etag);
    answered(state, atUs);
  }

  function takeAnswer(
    state: State,
    { headers }: ResponseHead,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
  ): void {
    const answer = readPollAnswer(bytes, from, to);
    if (!answer) {
      malformed(state);
      return;
    }
    if (answer.reset) counters.resets++;
    becomeReady(state, atUs);
    let events = 0;
    const whole = splitEvents(bytes, answer.eventsFrom, to, (eventFrom, eventTo) => {
      events++;
      if (!sink.event(state.subscriber, bytes, eventFrom, eventTo, atUs))
        sink.problem('malformed-event', 'an event is no envelope');
    });
    counters.events += events;
    if (!whole) {
      malformed(state);
      return;
    }
    if (events > 0) counters.fullPolls++;
    else counters.emptyPolls++;
    moveTo(state, answer.cursor, headers.get('etag') ?? '');
    answered(state, atUs);
  }

  function moveTo(state: State, cursor: string, etag: string): void {
    if (cursor === state.cursor && etag === state.etag) return;
    state.cursor = cursor;
    state.etag = etag;
    state.request = undefined;
  }

  function answered(state: State, atUs: number): void {
    state.failures = 0;
    state.answers++;
    becomeReady(state, atUs);
    askAfter(state, asking.answered(state));
  }

  function malformed(state: State): void {
    sink.problem(
      'malformed-answer',
      'the answer to a poll is not {"cursor":"...","events":[...]}, nor an empty one with a cursor',
    );
    retry(state);
  }

  function failed(state: State): void {
    over(state);
    retry(state);
  }

  function retry(state: State): void {
    unready(state);
    const waitMs = Math.max(state.leastMs, backoffMs(context.reconnect, state.failures++, context.random));
    state.leastMs = 0;
    askAfter(state, waitMs);
  }

  function unready(state: State): void {
    if (state.ready) sink.lost(state.subscriber);
    state.ready = false;
  }

  function becomeReady(state: State, atUs: number): void {
    if (state.ready || state.away) return;
    state.ready = true;
    if (state.answers > 0) counters.reconnects++;
    sink.ready(state.subscriber, atUs);
  }

  function over(state: State): void {
    state.askedMs = 0;
    underWay--;
    if (underWay === 0) closing?.();
  }

  function giveUpLate(): void {
    const latestMs = performance.now() - asking.answerWithinMs;
    for (const state of states.values()) {
      if (state.askedMs === 0 || state.askedMs > latestMs) continue;
      sink.problem('no-answer', `a poll had no answer for ${asking.answerWithinMs / 1000} s`);
      clients.drop(state.client);
      failed(state);
    }
  }

  return {
    open(subscriber) {
      const topics = context.topicsOf(subscriber).join(',');
      const rest = {
        cursor: '',
        etag: '',
        answers: 0,
        dueMs: 0,
        request: undefined,
        askedMs: 0,
        timer: undefined,
        failures: 0,
        leastMs: 0,
        ready: false,
        away: false,
      };
      const state = { subscriber, topics, ...rest } as State; // the client needs its owner first
      state.client = clients.add(state, subscriber);
      states.set(subscriber, state);
      ask(state);
    },
    leave(subscriber) {
      const state = states.get(subscriber);
      if (!state || state.away) return;
      state.away = true;
      clearTimeout(state.timer);
      unready(state);
      if (state.askedMs > 0 && asking.finishes) return; // what comes yet is taken in
      if (state.askedMs > 0) over(state);
      clients.drop(state.client);
    },
    comeBack(subscriber) {
      const state = states.get(subscriber);
      if (!state?.away) return;
      state.away = false;
      if (state.askedMs === 0) ask(state);
    },
    async close(graceMs) {
      const drained = Promise.withResolvers<void>();
      closing = drained.resolve;
      clearInterval(sweep);
      for (const { timer } of states.values()) clearTimeout(timer);
      if (asking.finishes && underWay > 0) {
        const timer = setTimeout(closing, graceMs);
        await drained.promise;
        clearTimeout(timer);
      }
      for (const { client } of states.values()) clients.drop(client);
    },
  };
}
