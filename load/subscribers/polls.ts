// Runs what the patterns that ask again and again share, for our servers and for targets: each subscriber's
// life, from its first request through answers, losses, waits and reconnections to the close. One request of
// a subscriber is under way at a time. What is asked and what an answer brings is the `PollKind`'s.

import { longestTimerMs, nowUs } from '../../core/base/clock.ts';
import { readPollStatus, type PollStatus } from '../../core/policy/client/poll-status.ts';
import { isOverdue } from '../../core/policy/client/poll-times.ts';
import { chooseServer } from '../../core/policy/client/choose-server.ts';
import { noteRetryAfter, noteSuccess, noteWindow } from '../../core/policy/client/reconnect.ts';
import type { AbsenceCause } from '../../core/result/recovery.ts';
import type { Window } from '../../core/protocol/control.ts';
import { newHistogram, record, toSparse, type Histogram } from '../../core/result/histogram.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { urlsOf, type Cause } from '../wire/connection.ts';
import { isGzip } from '../wire/gunzip.ts';
import { createHttpClients, type HttpClients } from '../wire/http-client.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import { comeBackLater } from './comeback.ts';
import { newPoller, type Poller } from './poller.ts';

export type { Poller };

export type PollKind<State> = {
  /** @param cursor where its events begin, empty for none */
  newState(subscriber: number, cursor: string): State;
  /** The request to the server at `url`. */
  request(poller: Poller<State>, url: URL): Buffer;
  /** Whether that request tells the server what the subscriber has had; never when left out. */
  resumes?(state: State): boolean;
  /** An answer, whatever its status, came with Set-Cookie. Left out where no cookies are kept. */
  setCookie?(poller: Poller<State>, setCookie: string): void;
  /**
   * Takes an answer in: bytes `from`..`to` of `bytes` are its body, valid during the call only.
   * @returns how many events it brought; undefined when it was not whole, which has been reported
   */
  take(
    poller: Poller<State>,
    status: Exclude<PollStatus, 'refused' | 'unexpected'>,
    head: ResponseHead,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
  ): number | undefined;
  /**
   * An answer with so many events was taken in.
   * @returns how long to wait before the next request, in milliseconds; at once when not above 0
   */
  answered(poller: Poller<State>, events: number): number;
  /** A request without an answer after that many milliseconds is given up and repeated. */
  answerWithinMs: number;
  /** The time from a request to its answer says something: the server does not hold it. */
  timed?: boolean;
  /** Whether `close` waits for requests that are under way: not for those the server holds on purpose. */
  finishes: boolean;
  /** Requests ask to keep the connection, so an answer that ends it is a goodbye. */
  keepsAlive?: boolean;
  /**
   * For targets that hold even a first request: it counts as accepted if it is not refused within this time,
   * and 408 or 504 may end it. Left out where the first request is answered at once.
   */
  settleMs?: number;
};

export type Polls<State> = Omit<RunningLoad, 'send'> & {
  /** The subscriber is subscribed. An answer that was taken in says so too, behind its events. */
  ready(poller: Poller<State>, atUs: number): void;
};

/** What the subscribers of a process share. */
type All<State> = {
  readonly context: LoadContext;
  readonly kind: PollKind<State>;
  readonly clients: HttpClients<Poller<State>>;
  /** Where the servers are. */
  readonly urls: readonly URL[];
  readonly pollers: Map<number, Poller<State>>;
  /** From requests to their answers, of those answered within the window. */
  readonly times: Histogram | undefined;
  window: Pick<Window, 'fromUs' | 'toUs'>;
  /** Requests that have had no answer yet. */
  underWay: number;
  /** Set when no more is asked; called when nothing is under way. */
  closing: (() => void) | undefined;
};

/** Subscribers over HTTP/1.1, each on a connection of its own. */
export function createPolls<State>(context: LoadContext, kind: PollKind<State>): Polls<State> {
  const clients = createHttpClients<Poller<State>>(context, {
    response: (poller, head, bytes, from, to, atUs) => takeResponse(all, poller, head, bytes, from, to, atUs),
    failed: (poller, cause) => takeFailure(all, poller, cause),
  });
  const all: All<State> = {
    context,
    kind,
    clients,
    urls: urlsOf(context.endpoint),
    pollers: new Map(),
    times: kind.timed ? newHistogram() : undefined,
    window: { fromUs: Infinity, toUs: Infinity },
    underWay: 0,
    closing: undefined,
  };
  // One sweep for all of them: a timer for each request would cost more than the request's bookkeeping.
  const sweep = setInterval(() => giveUpLate(all), Math.min(1000, kind.answerWithinMs / 4));
  return {
    open(subscriber, cursor = '') {
      const poller = newPoller(subscriber, kind.newState(subscriber, cursor), clients);
      poller.client.server = chooseServer(subscriber, 0, all.urls.length);
      all.pollers.set(subscriber, poller);
      ask(all, poller);
    },
    ready: (poller, atUs) => becomeReady(all, poller, atUs),
    leave: (subscriber) => leave(all, all.pollers.get(subscriber)),
    comeBack: (subscriber) => comeBack(all, all.pollers.get(subscriber)),
    setWindow: (window) => void (all.window = window),
    closed: () => (all.times ? { request: toSparse(all.times) } : {}),
    close(graceMs) {
      clearInterval(sweep);
      return close(all, graceMs);
    },
  };
}

function ask<State>(all: All<State>, poller: Poller<State>): void {
  if (all.closing || poller.away) return;
  const { clients, kind, urls } = all;
  poller.timer = undefined;
  poller.askedMs = performance.now();
  poller.resumes = kind.resumes?.(poller.state) ?? false;
  all.underWay++;
  clients.send(poller.client, kind.request(poller, urls[poller.client.server]!)); // chosen from this list
  if (kind.settleMs !== undefined && !poller.ready)
    poller.settling = setTimeout(() => becomeReady(all, poller, nowUs()), kind.settleMs);
}

function takeResponse<State>(
  all: All<State>,
  poller: Poller<State>,
  head: ResponseHead,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
): void {
  const { context, kind } = all;
  if (all.times && atUs >= all.window.fromUs && atUs < all.window.toUs)
    record(all.times, Math.max(0, Math.round((performance.now() - poller.askedMs) * 1000)));
  over(all, poller);
  const setCookie = head.headers.get('set-cookie');
  if (setCookie !== undefined) kind.setCookie?.(poller, setCookie);
  // A hold that ends with a wish for peace is a refusal.
  const endsHolds = kind.settleMs !== undefined && !head.headers.has('retry-after');
  const status = readPollStatus(head.status, endsHolds);
  if (status === 'refused' || status === 'unexpected') {
    context.connects?.refused(atUs);
    if (status === 'refused') context.counters.refusals++;
    else context.sink.problem('unexpected-status', `a poll was answered with status ${head.status}`);
    noteRetryAfter(poller, head.headers.get('retry-after'), Date.now());
    retry(all, poller);
    return;
  }
  const events = kind.take(poller, status, head, bytes, from, to, atUs);
  if (events === undefined) {
    retry(all, poller);
    return;
  }
  const window = head.headers.get('pushbench-reconnect');
  if (window !== undefined) noteWindow(poller, Number(window));
  if (events === 0) context.counters.emptyPolls++;
  else {
    context.counters.fullPolls++;
    if (isGzip(head)) context.counters.compressed++;
  }
  if (kind.keepsAlive && !head.keepAlive) goOn(all, poller);
  answered(all, poller, events, atUs);
}

function answered<State>(all: All<State>, poller: Poller<State>, events: number, atUs: number): void {
  noteSuccess(poller, performance.now());
  poller.answers++;
  becomeReady(all, poller, atUs);
  const waitMs = all.kind.answered(poller, events);
  if (all.closing || poller.away) return;
  if (waitMs > 0) poller.timer = setTimeout(ask, Math.min(waitMs, longestTimerMs), all, poller);
  else ask(all, poller);
}

function takeFailure<State>(all: All<State>, poller: Poller<State>, cause?: Cause): void {
  over(all, poller);
  if (!all.closing && !poller.away && (!poller.ready || cause?.code === 'ECONNREFUSED'))
    all.context.connects?.refused(nowUs());
  retry(all, poller);
}

/** Also for a subscriber that is away: it does not come back earlier because of this. */
function retry<State>(all: All<State>, poller: Poller<State>): void {
  unready(all, poller);
  if (all.closing) return;
  poller.stopWaiting = comeBackLater(all.context, poller, () => {
    poller.stopWaiting = undefined;
    goTo(all, poller);
    ask(all, poller);
  });
  poller.gaveUp = !poller.stopWaiting;
  if (poller.gaveUp) all.context.sink.gone(poller.subscriber);
}

/** The server lets it go in order, with a whole answer: the next poll goes to another one, if there is. */
function goOn<State>(all: All<State>, poller: Poller<State>): void {
  poller.turns++;
  goTo(all, poller);
}

function goTo<State>({ urls }: All<State>, poller: Poller<State>): void {
  poller.client.server = chooseServer(poller.subscriber, poller.turns, urls.length);
}

function unready<State>({ context }: All<State>, poller: Poller<State>, cause: AbsenceCause = 'cut'): void {
  if (poller.ready) context.sink.lost(poller.subscriber, nowUs(), cause);
  poller.ready = false;
}

/** A poller that is subscribed again has reconnected, after a failure or because it had left. */
function becomeReady<State>({ context }: All<State>, poller: Poller<State>, atUs: number): void {
  if (poller.ready || poller.away) return;
  if (poller.wasReady) context.counters.reconnects++;
  poller.ready = poller.wasReady = true;
  context.sink.ready(poller.subscriber, atUs, poller.resumes);
}

/** The request under way is under way no longer. */
function over<State>(all: All<State>, poller: Poller<State>): void {
  clearTimeout(poller.settling);
  poller.askedMs = 0;
  all.underWay--;
  if (all.underWay === 0) all.closing?.();
}

function giveUpLate<State>(all: All<State>): void {
  const { pollers, kind, clients, context } = all;
  const nowMs = performance.now();
  for (const poller of pollers.values()) {
    if (poller.askedMs === 0 || !isOverdue(poller.askedMs, nowMs, kind.answerWithinMs)) continue;
    context.sink.problem('no-answer', `a poll had no answer for ${kind.answerWithinMs / 1000} s`);
    clients.drop(poller.client);
    takeFailure(all, poller);
  }
}

function leave<State>(all: All<State>, poller: Poller<State> | undefined): void {
  if (!poller || poller.away || poller.gaveUp) return;
  poller.away = true;
  clearTimeout(poller.timer);
  unready(all, poller, 'left');
  if (poller.askedMs > 0 && all.kind.finishes) return; // what comes yet is taken in
  if (poller.askedMs > 0) over(all, poller);
  all.clients.drop(poller.client);
}

function comeBack<State>(all: All<State>, poller: Poller<State> | undefined): void {
  if (!poller?.away) return;
  poller.away = false;
  // Else it goes on when its wait is over, or its request.
  if (poller.askedMs === 0 && !poller.stopWaiting && !poller.gaveUp) ask(all, poller);
}

async function close<State>(all: All<State>, graceMs: number): Promise<void> {
  const { pollers, kind, clients } = all;
  const drained = Promise.withResolvers<void>();
  all.closing = drained.resolve;
  for (const { timer, settling, stopWaiting } of pollers.values()) {
    clearTimeout(timer);
    clearTimeout(settling);
    stopWaiting?.();
  }
  if (kind.finishes && all.underWay > 0) {
    const timer = setTimeout(drained.resolve, graceMs);
    await drained.promise;
    clearTimeout(timer);
  }
  for (const { client } of pollers.values()) clients.drop(client);
}
