// Runs subscribers of a target that ask again and again, answered at once or held: polling and long polling.
// The target file says how to read answers and how to send the place (target/cursor.ts); a subscriber's life
// is subscribers/polls.ts.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import {
  longPollAgainMs,
  longPollAnswerWithinMs,
  nextPollDueMs,
  pollAnswerWithinMs,
} from '../../core/policy/client/poll-times.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import { cookieHeader, takeCookies, type Cookies } from '../wire/cookies.ts';
import { gzipAccepted } from '../wire/gunzip.ts';
import { encodeRequest } from '../wire/http-head.ts';
import type { RunningLoad } from '../pattern.ts';
import { createPolls, type PollKind } from '../subscribers/polls.ts';
import { askFrom, createOnce, moveBy, newPlace, type Place } from './cursor.ts';
import { createLegs, type TargetContext } from './legs.ts';

type State = {
  readonly place: Place;
  /** Where every answer brings everything: whether an event has not come before. */
  readonly isNew: ((bytes: Buffer, from: number, to: number) => boolean) | undefined;
  cookies: Cookies;
};

type Pace = Pick<PollKind<State>, 'answered' | 'answerWithinMs' | 'settleMs'>;

/** A held request that was not refused within this time is taken. */
const settleMs = 250;

export function targetPolling(
  target: TargetContext,
  how: TargetSubscribe,
  options: Pick<PatternOptions<'polling'>, 'every' | 'jitter' | 'gzip' | 'connection'>,
): RunningLoad {
  const { random } = target.context;
  return startPolling(target, how, options, {
    answerWithinMs: pollAnswerWithinMs,
    answered(poller, events) {
      if (events > 0 && how.untilEmpty) return 0;
      const nowMs = performance.now();
      poller.dueMs = nextPollDueMs(poller.dueMs, nowMs, options, random);
      return poller.dueMs - nowMs;
    },
  });
}

export function targetLongPolling(
  target: TargetContext,
  how: TargetSubscribe,
  options: Pick<PatternOptions<'long-polling'>, 'gzip' | 'connection'>,
): RunningLoad {
  return startPolling(target, how, options, {
    answerWithinMs: longPollAnswerWithinMs(undefined),
    settleMs,
    answered({ answers }) {
      if (answers > 1) target.context.counters.rearms++;
      return longPollAgainMs;
    },
  });
}

function startPolling(
  target: TargetContext,
  how: TargetSubscribe,
  { gzip, connection }: Pick<PatternOptions<'long-polling'>, 'gzip' | 'connection'>,
  pace: Pace,
): RunningLoad {
  const legs = createLegs(target, how);
  const url = new URL(legs.context.endpoint.url);
  const polls = createPolls<State>(legs.context, {
    ...pace,
    finishes: false,
    newState: () => ({
      place: newPlace(),
      isNew: how.cursor === 'none' ? createOnce() : undefined,
      cookies: '',
    }),
    resumes: ({ place }) => place.since !== '',
    request({ subscriber: leg, state }) {
      const { target: path, headers } = askFrom(how.cursor, legs.target(leg), state.place);
      return encodeRequest(url, path, {
        accept: '*/*',
        ...gzipAccepted(gzip),
        ...cookieHeader(state.cookies),
        ...how.headers,
        ...headers,
        connection,
      });
    },
    setCookie({ state }, setCookie) {
      state.cookies = takeCookies(state.cookies, setCookie);
    },
    take({ subscriber: leg, state }, status, head, bytes, from, to, atUs) {
      const events = status === 'ok' ? legs.deliver(leg, bytes, from, to, atUs, state.isNew) : 0;
      if (status !== 'hold-ended') moveBy(how.cursor, state.place, head, bytes, from, to);
      return events;
    },
  });
  return legs.forSubscribers(polls);
}
