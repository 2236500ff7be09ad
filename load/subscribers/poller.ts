// Holds what is known of one subscriber that asks again and again (polls.ts).

import { newComeback, type Comeback } from '../../core/policy/client/reconnect.ts';
import type { Client, HttpClients } from '../wire/http-client.ts';

/** One subscriber. `State` is what its pattern keeps. */
export type Poller<State> = Comeback & {
  readonly subscriber: number;
  readonly state: State;
  client: Client<Poller<State>>;
  /** Answers taken in so far. */
  answers: number;
  /** When the last planned poll was due, by `performance.now()`; undefined before the first. */
  dueMs: number | undefined;
  /** When the request under way was sent; 0 when there is none. */
  askedMs: number;
  /** Until the next planned poll. */
  timer: NodeJS.Timeout | undefined;
  /** Until the request under way, which is held, counts as taken. */
  settling: NodeJS.Timeout | undefined;
  /** Ends the wait after a failure. */
  stopWaiting: (() => void) | undefined;
  ready: boolean;
  /** The request under way says from where. */
  resumes: boolean;
  /** It has been ready before. */
  wasReady: boolean;
  /** It has left and will come back. */
  away: boolean;
  /** The server asked it to stay away for too long. */
  gaveUp: boolean;
};

export function newPoller<State>(
  subscriber: number,
  state: State,
  clients: HttpClients<Poller<State>>,
): Poller<State> {
  const rest = {
    answers: 0,
    dueMs: undefined,
    askedMs: 0,
    timer: undefined,
    settling: undefined,
    stopWaiting: undefined,
    ready: false,
    resumes: false,
    wasReady: false,
    away: false,
    gaveUp: false,
  };
  // The client needs its owner first.
  const poller = { subscriber, state, ...newComeback(), ...rest } as Poller<State>;
  poller.client = clients.add(poller, subscriber);
  return poller;
}
