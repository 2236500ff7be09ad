// Hands events to subscribers on connections that stay open; what http-stream, sse and websocket share. Who
// comes with a cursor gets the history first and then every event; an event is framed once for all; who does
// not keep up meets the slow policy; one timer serves all heartbeats. It knows no protocol: a pattern says
// how events are framed and peers cut off.
//
// What is held for one subscriber is bounded: `slowBuffer` and one write in its outlet, `slowBuffer` and one
// event of those kept by `coalesce`. Of the history it holds the place alone; the hub holds the events.
//
// A subscriber that is fed from the history may be as far behind as the history reaches. From then on it
// may fall behind by `slowBuffer` more, as one that is live; with `slow: disconnect` it is cut off beyond
// that. The other two policies drop nothing of it while the history holds it. Whatever the policy, it is
// cut off when the history has left it behind, and when nothing leaves for it for `unreadMs` although
// something waits (unread-watch.ts).

import type { Duplex } from 'node:stream';
import { alwaysHeldBytes } from '../../core/event/body-size.ts';
import type { Framing } from './framing.ts';
import { currentState, type HubEvent } from '../hub/hub.ts';
import type { PatternContext } from '../pattern.ts';
import { takeUntil } from '../hub/replay.ts';
import { advance, beginReplay, restOf, type Replay } from '../hub/replay.ts';
import { drawShare, RequestError } from '../http/request.ts';
import { createRounds } from '../http/shared-timer.ts';
import { createUnreadWatch } from '../http/unread-watch.ts';

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

type Backlog =
  | Replay
  /** The newest event of each topic, in the order of the log. */
  | { readonly kind: 'newest'; readonly events: Map<string, HubEvent>; length: number };

/** What a pattern gives. */
export type Peers<Peer> = {
  /** Whether events may still be written. */
  isOpen(subscriber: Subscriber<Peer>): boolean;
  /** Cuts off one that is too slow. */
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

export type FanOut<Peer> = {
  size(): number;
  /**
   * Takes a subscriber until its outlet closes. Nothing has been written when it throws.
   * @throws RequestError 503 when there are too many
   * @throws TooManyTopics
   */
  join(joining: Joining<Peer>): Subscriber<Peer>;
  /** Ends a subscription because the subscriber does not keep up. */
  cutOff(subscriber: Subscriber<Peer>): void;
  /** Cuts this share of the connections without a goodbye. */
  disconnect(share: number): void;
  /**
   * Ends all subscriptions, says goodbye, and resolves when every outlet has closed,
   * those left over by force.
   */
  end(goodbye: (subscriber: Subscriber<Peer>) => void): Promise<void>;
};

/**
 * History is written in pieces of about this size, each when the one before has left: few
 * system calls, little memory.
 */
const pieceBytes = alwaysHeldBytes;

const goodbyeMs = 1000;

export function createFanOut<Peer>(
  { hub, limits, counters, random }: PatternContext,
  { isOpen, cut, beat, beatMs }: Peers<Peer>,
): FanOut<Peer> {
  const members = new Set<Subscriber<Peer>>();
  const rounds = createRounds<Subscriber<Peer>>(beatMs, beat);
  const unread = createUnreadWatch<Subscriber<Peer>>((subscriber) => {
    if (isOpen(subscriber)) cutOff(subscriber);
  });
  /** Less than a piece of the history is no lag, however small `slowBuffer`: so much is written at once. */
  const mostGrownBytes = Math.max(limits.slowBuffer, pieceBytes);
  let emptied = () => {};

  // The hot path: once for each delivery. Most of its time goes into waiting for memory, so
  // it looks at few objects.
  function deliver(event: HubEvent, subscriber: Subscriber<Peer>): void {
    if (subscriber.backlog || subscriber.outlet.writableLength > limits.slowBuffer) lag(subscriber, event);
    else if (isOpen(subscriber)) write(subscriber, subscriber.framing.one(event), 1);
  }

  function write(subscriber: Subscriber<Peer>, bytes: Buffer, events: number): boolean {
    if (subscriber.quiet) subscriber.quiet = false;
    counters.events += events;
    return subscriber.outlet.write(bytes);
  }

  function lag(subscriber: Subscriber<Peer>, event: HubEvent): void {
    const { backlog, outlet, framing } = subscriber;
    if (!isOpen(subscriber)) return;
    if (backlog?.kind === 'history') {
      // The hub keeps it until its turn comes.
      backlog.grownBytes += Buffer.byteLength(event.json);
      if (limits.slow === 'disconnect' && backlog.grownBytes > mostGrownBytes) cutOff(subscriber);
    } else if (!backlog && !outlet.writableNeedDrain) {
      // Less than the outlet's own buffer (64 KiB) is no lag, however small `slowBuffer`:
      // no 'drain' would end it.
      write(subscriber, framing.one(event), 1);
    } else if (limits.slow === 'disconnect') {
      cutOff(subscriber);
    } else if (limits.slow === 'drop') {
      counters.slowDrops++;
    } else {
      keepNewest(subscriber, event);
    }
  }

  function keepNewest(subscriber: Subscriber<Peer>, event: HubEvent): void {
    let { backlog } = subscriber;
    if (backlog?.kind !== 'newest') {
      backlog = { kind: 'newest', events: new Map(), length: 0 };
      subscriber.backlog = backlog;
      goOnWhenDrained(subscriber);
    }
    const { events } = backlog;
    const replaced = events.get(event.topic);
    events.delete(event.topic); // so that it moves to the end
    events.set(event.topic, event);
    backlog.length += event.json.length - (replaced?.json.length ?? 0);
    if (replaced) counters.slowDrops++;
    for (const [topic, { json }] of events) {
      if (backlog.length <= limits.slowBuffer || events.size === 1) break;
      events.delete(topic);
      backlog.length -= json.length;
      counters.slowDrops++;
    }
  }

  function cutOff(subscriber: Subscriber<Peer>): void {
    counters.slowDisconnects++;
    retire(subscriber);
    cut(subscriber);
  }

  function goOnWhenDrained(subscriber: Subscriber<Peer>): void {
    subscriber.outlet.once('drain', () => goOn(subscriber));
  }

  function goOn(subscriber: Subscriber<Peer>): void {
    const { backlog, framing } = subscriber;
    subscriber.unanswered = 0; // what was written before has left: it reads
    if (!backlog || !isOpen(subscriber)) return;
    if (backlog.kind === 'newest') {
      subscriber.backlog = undefined;
      write(subscriber, framing.many([...backlog.events.values()]), backlog.events.size);
      return;
    }
    const { events, lost } = restOf(hub, backlog);
    // The history has left it behind. Whatever the policy, it must know; when it comes
    // back it is told (reset).
    if (lost) cutOff(subscriber);
    else replay(subscriber, backlog, events);
  }

  /**
   * Writes a piece of the history. With the last one the subscriber is live, all in
   * one turn of the event loop.
   */
  function replay(subscriber: Subscriber<Peer>, backlog: Replay, events: HubEvent[]): void {
    subscriber.backlog = undefined;
    if (events.length === 0) return;
    const piece = takeUntil(events, pieceBytes);
    const more = write(subscriber, subscriber.framing.many(piece), piece.length);
    if (piece.length === events.length) return;
    advance(backlog, piece);
    subscriber.backlog = backlog;
    if (more) goOn(subscriber);
    else goOnWhenDrained(subscriber);
  }

  function retire(subscriber: Subscriber<Peer>): void {
    subscriber.unsubscribe();
    subscriber.backlog = undefined;
  }

  // In a function of its own, so that what lives as long as the subscriber holds on to
  // nothing but the subscriber.
  function admit(subscriber: Subscriber<Peer>, topics: readonly string[]): void {
    subscriber.unsubscribe = hub.subscribe(topics, deliver, subscriber);
    members.add(subscriber);
    rounds.add(subscriber);
    unread.add(subscriber);
    subscriber.outlet.once('close', () => {
      retire(subscriber);
      members.delete(subscriber);
      rounds.delete(subscriber);
      unread.delete(subscriber);
      if (members.size === 0) emptied();
    });
  }

  /**
   * The place behind which everything comes. One that is cut off before the current state
   * came asks for it by this.
   */
  function beginningOf(since: string | undefined, first: HubEvent | undefined): string {
    if (since !== undefined && since !== currentState) return since;
    return since === currentState && first ? `${hub.epoch}-${first.offset - 1}` : hub.cursor();
  }

  return {
    size: () => members.size,
    join({ peer, outlet, framing, topics, since, open }) {
      if (members.size >= limits.maxSubscribers) {
        throw new RequestError(
          503,
          'too-many-subscribers',
          `the server has ${limits.maxSubscribers} subscribers, which is the limit`,
        );
      }
      const fresh = { quiet: false, unanswered: 0, waited: 0, backlog: undefined, unsubscribe() {} };
      const subscriber: Subscriber<Peer> = { peer, outlet, framing, ...fresh };
      // Subscribed and asked for the history in one turn: nothing falls between the
      // two, and nothing into both.
      admit(subscriber, topics);
      const missed = since === undefined ? undefined : beginReplay(hub, topics, since);
      open(missed?.lost ? `${hub.epoch}-0` : beginningOf(since, missed?.events[0]), missed?.lost ?? false);
      if (missed?.lost) counters.resets++;
      if (missed) replay(subscriber, missed.replay, missed.events);
      return subscriber;
    },
    cutOff,
    disconnect(share) {
      for (const { outlet } of drawShare(members, share, random)) outlet.destroy();
    },
    async end(goodbye) {
      rounds.stop();
      unread.stop();
      if (members.size === 0) return;
      const empty = new Promise<void>((resolve) => (emptied = resolve));
      for (const subscriber of members) {
        retire(subscriber);
        if (!subscriber.outlet.destroyed) goodbye(subscriber);
      }
      const timer = setTimeout(() => members.forEach(({ outlet }) => outlet.destroy()), goodbyeMs);
      await empty;
      clearTimeout(timer);
    },
  };
}
