// Writes events to one subscriber: each live event at once, missed events piece by piece when there is room,
// and what core/policy/server/slow-subscriber.ts decides when the subscriber does not keep up. It knows no
// other subscriber.
//
// The memory for one subscriber is limited: its outlet holds at most `slowBuffer` and one write, and
// `coalesce` keeps at most `slowBuffer` and one event. Of the history it keeps only a place; the hub keeps
// the events.
//
// A subscriber that is sent the history may be as far behind as the history reaches. Then it may fall behind
// by `slowBuffer` more, like a live one; beyond that `slow: disconnect` cuts it off. The other two policies
// drop nothing as long as the history reaches back to its place. Under every policy it is cut off when the
// history no longer does.

import { mostGrownBytes, pieceBytes, takeUntil } from '../../core/policy/server/history-pieces.ts';
import { coalesce, decideBehind, isBehind, newCoalesced } from '../../core/policy/server/slow-subscriber.ts';
import type { HubEvent } from '../hub/event.ts';
import { advance, restOf, type Replay } from '../hub/replay.ts';
import type { PatternContext } from '../pattern.ts';
import type { Peers, Subscriber } from './subscriber.ts';

export type Delivery<Peer> = {
  /** Listens for a subscriber in the hub. */
  deliver(event: HubEvent, subscriber: Subscriber<Peer>): void;
  /**
   * Writes a piece of the history. With the last one the subscriber is live, all in
   * one turn of the event loop.
   */
  replay(subscriber: Subscriber<Peer>, backlog: Replay, events: HubEvent[]): void;
  /** Ends a subscription because the subscriber does not keep up. */
  cutOff(subscriber: Subscriber<Peer>): void;
  /** Ends a subscription; nothing more is written for it. */
  retire(subscriber: Subscriber<Peer>): void;
};

export function createDelivery<Peer>(
  { hub, limits, counters }: Pick<PatternContext, 'hub' | 'limits' | 'counters'>,
  { isOpen, cut }: Pick<Peers<Peer>, 'isOpen' | 'cut'>,
): Delivery<Peer> {
  const mostGrown = mostGrownBytes(limits.slowBuffer);

  // The hot path: once for each delivery. Most of its time goes into waiting for memory, so
  // it looks at few objects.
  function deliver(event: HubEvent, subscriber: Subscriber<Peer>): void {
    if (isBehind(subscriber.backlog !== undefined, subscriber.outlet.writableLength, limits.slowBuffer))
      lag(subscriber, event);
    else if (isOpen(subscriber)) write(subscriber, subscriber.framing.one(event), 1);
  }

  function write(subscriber: Subscriber<Peer>, bytes: Buffer, events: number): boolean {
    if (subscriber.quiet) subscriber.quiet = false;
    counters.events += events;
    return subscriber.outlet.write(bytes);
  }

  function lag(subscriber: Subscriber<Peer>, event: HubEvent): void {
    if (!isOpen(subscriber)) return;
    const { backlog, outlet, framing } = subscriber;
    let grownBytes = 0;
    if (backlog?.kind === 'history') grownBytes = backlog.grownBytes += Buffer.byteLength(event.json);
    const kind = backlog?.kind ?? 'none';
    switch (decideBehind(limits.slow, kind, outlet.writableNeedDrain, grownBytes, mostGrown)) {
      case 'leave':
        return; // the hub keeps it until its turn comes
      case 'write':
        return void write(subscriber, framing.one(event), 1);
      case 'cut-off':
        return cutOff(subscriber);
      case 'drop':
        return void counters.slowDrops++;
      case 'coalesce':
        return keepNewest(subscriber, event);
    }
  }

  function keepNewest(subscriber: Subscriber<Peer>, event: HubEvent): void {
    let { backlog } = subscriber;
    if (backlog?.kind !== 'newest') {
      backlog = { kind: 'newest', ...newCoalesced<HubEvent>() };
      subscriber.backlog = backlog;
      goOnWhenDrained(subscriber);
    }
    counters.slowDrops += coalesce(backlog, event, limits.slowBuffer);
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

  function cutOff(subscriber: Subscriber<Peer>): void {
    counters.slowDisconnects++;
    retire(subscriber);
    cut(subscriber);
  }

  function retire(subscriber: Subscriber<Peer>): void {
    subscriber.unsubscribe();
    subscriber.backlog = undefined;
  }

  return { deliver, replay, cutOff, retire };
}
