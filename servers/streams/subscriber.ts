// Defines a subscriber on a connection that stays open, and what a pattern provides and receives for it.

import type { Duplex } from 'node:stream';
import type { Coalesced } from '../../core/policy/server/slow-subscriber.ts';
import type { HubEvent } from '../hub/event.ts';
import type { Replay } from '../hub/replay.ts';
import type { Framing } from './framing.ts';

export type Subscriber<Peer> = {
  readonly peer: Peer;
  /** What is written to: a TCP socket, or a stream of an HTTP/2 connection. */
  readonly outlet: Duplex;
  readonly framing: Framing;
  /** Nothing has been written since this was set. */
  quiet: boolean;
  /** Pings since it was last heard of or seen to read, of a pattern that pings. */
  unanswered: number;
  /** Looks since which the same bytes wait (unread-watch.ts). */
  waited: number;
  /** What comes before the next live event. */
  backlog: Backlog | undefined;
  unsubscribe: () => void;
};

export type Backlog = Replay | ({ readonly kind: 'newest' } & Coalesced<HubEvent>);

/** What a pattern gives. */
export type Peers<Peer> = {
  /** Whether events may still be written. */
  isOpen(subscriber: Subscriber<Peer>): boolean;
  /** Cuts off a subscriber that is too slow. */
  cut(subscriber: Subscriber<Peer>): void;
  /** Is called for each subscriber once in every `beatMs`. */
  beat(subscriber: Subscriber<Peer>): void;
  beatMs: number;
};

export type Joining<Peer> = Pick<Subscriber<Peer>, 'peer' | 'outlet' | 'framing'> & {
  topics: readonly string[];
  /** What came after this cursor comes first; undefined for "from now". */
  since: string | undefined;
  /**
   * Writes what comes before all events.
   * @param cursor the place from which the subscriber gets everything
   * @param reset whether that is not the place it asked for, which came too late
   */
  open(cursor: string, reset: boolean): void;
};
