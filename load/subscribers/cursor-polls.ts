// Runs what polling and long polling of our servers have in common: a request for the events after a cursor,
// and answers as in docs/wire.md. The cursor moves with a whole answer only, so a request that was cut off is
// repeated and neither loses an event nor brings one twice. polling.ts and long-polling.ts decide when to
// ask, and with which request.

import { cursorPattern } from '../../core/event/envelope.ts';
import { takeCookies, type Cookies } from '../wire/cookies.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { readPollAnswer, splitEvents } from '../wire/poll-answer.ts';
import { createPolls, type Poller } from './polls.ts';
import { tokenFields } from './token.ts';

/** What a subscriber has had. */
export type Place = {
  /** Its topics, as they are written in a request. */
  readonly topics: string;
  /** Fields of all its requests: its token. */
  readonly fields: Readonly<Record<string, string>>;
  /** The last answer's, empty before the first. */
  cursor: string;
  etag: string;
  /** Cookies that servers, or the proxy in front of them, gave it. */
  cookies: Cookies;
  /** The server that `request` is for. */
  url: URL | undefined;
  /** The request for events after `cursor`, made again when cursor, ETag, cookies or server change. */
  request: Buffer | undefined;
  /** The wait that the last answer advised, in milliseconds: the server is drained. */
  waitMs: number;
};

export type Asking = {
  /** The request for the events after a place. Called again when the place or the server has changed. */
  request(place: Place, url: URL): Buffer;
  /** As `PollKind` has them. */
  answered(poller: Poller<Place>): number;
  answerWithinMs: number;
  timed?: boolean;
  finishes: boolean;
  keepsAlive?: boolean;
};

export function startPollers(context: LoadContext, asking: Asking): RunningLoad {
  const { counters, sink } = context;

  /** @returns undefined when the answer was not whole */
  function takeAnswer(
    poller: Poller<Place>,
    { headers }: ResponseHead,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
  ): number | undefined {
    const answer = readPollAnswer(bytes, from, to);
    if (!answer) return malformed();
    if (answer.reset) {
      counters.resets++;
      sink.reset(poller.subscriber);
    }
    polls.ready(poller, atUs); // before its events, which the reconnection brought
    let events = 0;
    const whole = splitEvents(bytes, answer.eventsFrom, to, (eventFrom, eventTo) => {
      events++;
      if (!sink.event(poller.subscriber, bytes, eventFrom, eventTo, atUs))
        sink.problem('malformed-event', 'an event is not an envelope');
    });
    counters.events += events;
    if (!whole) return malformed();
    moveTo(poller.state, answer.cursor, headers.get('etag') ?? '');
    return events;
  }

  function takeNothing({ state }: Poller<Place>, { headers }: ResponseHead): number | undefined {
    const cursor = headers.get('pushbench-cursor') ?? state.cursor;
    if (!cursorPattern.test(cursor)) return malformed();
    moveTo(state, cursor, state.etag);
    return 0;
  }

  function malformed(): undefined {
    sink.problem(
      'malformed-answer',
      'the answer to a poll is not {"cursor":"...","events":[...]}, nor an empty one with a cursor',
    );
  }

  const { answered, answerWithinMs, timed = false, finishes, keepsAlive = false } = asking;
  const fieldsOf = tokenFields(context.endpoint);
  const polls = createPolls<Place>(context, {
    newState: (subscriber, cursor) => ({
      fields: fieldsOf(subscriber),
      topics: context.topicsOf(subscriber).join(','),
      cursor,
      etag: '',
      cookies: '',
      url: undefined,
      request: undefined,
      waitMs: 0,
    }),
    request({ state }, url) {
      if (state.url !== url) state.request = undefined;
      state.url = url;
      return (state.request ??= asking.request(state, url));
    },
    resumes: ({ cursor }) => cursor !== '',
    setCookie({ state }, setCookie) {
      state.cookies = takeCookies(state.cookies, setCookie);
      state.request = undefined;
    },
    take(poller, status, head, bytes, from, to, atUs) {
      poller.state.waitMs = Number(head.headers.get('pushbench-wait')) || 0;
      return status === 'ok' ? takeAnswer(poller, head, bytes, from, to, atUs) : takeNothing(poller, head);
    },
    answered,
    answerWithinMs,
    timed,
    finishes,
    keepsAlive,
  });
  return polls;
}

function moveTo(place: Place, cursor: string, etag: string): void {
  if (cursor === place.cursor && etag === place.etag) return;
  place.cursor = cursor;
  place.etag = etag;
  place.request = undefined;
}
