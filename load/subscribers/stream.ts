// Holds what is known of one subscriber that keeps a connection (streams.ts).

import type { Socket } from 'node:net';
import { newComeback, type Comeback } from '../../core/policy/client/reconnect.ts';
import type { Cookies } from '../wire/cookies.ts';
import { newCursor, type Cursor } from './cursor.ts';
import type { Line } from './line.ts';

/** One subscriber. `State` is what its pattern keeps of the connection. */
export type Stream<State, L extends Line = Socket> = Comeback & {
  readonly subscriber: number;
  /** The server that it dialled last, by its place in the list. */
  server: number;
  /** Set from the moment of dialling until it is closed. */
  line: L | undefined;
  /** Made for each connection. */
  state: State;
  cursor: Cursor;
  /** Cookies that servers, or the proxy in front of them, gave it. */
  cookies: Cookies;
  /** Ends the wait after a failure. */
  stopWaiting: (() => void) | undefined;
  asked: boolean;
  /** This line was connected. */
  connected: boolean;
  /** The last request said from where. */
  resumes: boolean;
  ready: boolean;
  /** It does not reconnect: the server wants it no more, or asked it to stay away for too long. */
  stopped: boolean;
  /** It has left and will come back. */
  away: boolean;
};

export function newStream<State, L extends Line>(subscriber: number, state: State): Stream<State, L> {
  return {
    subscriber,
    server: 0,
    line: undefined,
    state,
    cursor: newCursor(),
    cookies: '',
    stopWaiting: undefined,
    asked: false,
    connected: false,
    resumes: false,
    ready: false,
    stopped: false,
    away: false,
    ...newComeback(),
  };
}
