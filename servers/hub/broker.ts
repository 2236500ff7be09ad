// Defines what stands between a hub and other servers that hand out the same events. In one process nothing
// does: an event is numbered, taken and handed out in one call. The brokers are servers/brokers/.
//
// - Who numbers in a topic (`seq`): the publisher, where it gives a number; otherwise the broker where it can
//   count, or else each log, with the topic's next number.
// - Who numbers in the log (`offset`): one place for each epoch. Either the log of one server (`append`), or
//   what the servers share (a script in Redis, a stream of JetStream), and then every server, the publishing
//   one included, gets the event by `receive`, and epoch and offset mean the same on all of them.
// - When an event is taken: at each server when `append` or `receive` returns. In that call, which is one
//   turn of the event loop, the log learns of the event and every listener of its topic has been called. So a
//   cursor never lies behind an event that a subscriber here still has to get, and if a client subscribes and
//   asks for the history in one turn, it misses nothing and gets nothing twice.
// - In which order: each server takes events in the order of their offsets, and each offset once. Listeners
//   of a topic are called in the order in which they subscribed.
// - Gaps: a broker that keeps events fetches missed ones before it goes on. If it keeps none, or no longer
//   has them, the log moves on (`skipTo`) and counts them: subscribers miss these events, and a cursor from
//   before the gap is too late.
// - A new epoch (`begin`): the broker lost its data. The log forgets its events, so older cursors are too
//   late; subscribers stay.
// - What a failure means: if `publish` rejects with `broker-away`, no server has taken the event and none
//   will. If it rejects with `unknown`, the event may have been taken: publish it again with the same key,
//   and a broker that remembers keys takes it once. It always settles, within a bounded time. What has been
//   taken is never taken back.

import type { HubEvent, Place, PublishOptions, Stamps } from './event.ts';

/** An event that was numbered elsewhere. */
export type ArrivingEvent = {
  readonly offset: number;
  readonly topic: string;
  /** The topic's next number when left out. */
  readonly seq: number | undefined;
  /** The envelope's rest (`encodeRest`). */
  readonly rest: string;
};

/** A server's log, as far as a broker may change it. None that changes it may be called beside drafts. */
export type BrokeredLog = {
  epoch(): string;
  /** The offset of the newest event that was taken. */
  end(): number;
  /**
   * Numbers an event and takes it.
   * @throws TooManyTopics
   */
  append(topic: string, body: string, stamps: Stamps): HubEvent;
  /**
   * Refuses an event that would be of one topic too many.
   * @throws TooManyTopics
   */
  admit(topic: string): void;
  /** The envelope's rest of an event that is accepted now: what all servers are given. */
  encode(body: string, stamps: Stamps): string;
  /**
   * Takes an event that was numbered elsewhere. Ignores an offset that it has passed; moves on over a gap
   * before the event.
   * @returns undefined when it was ignored
   */
  receive(event: ArrivingEvent): HubEvent | undefined;
  /**
   * Goes on behind `offset` without the events up to it.
   * @param missed how many of them were events for this server, for the count
   */
  skipTo(offset: number, missed: number): void;
  /** Makes it a copy of the log that servers share in this epoch, without any event up to `offset`. */
  begin(epoch: string, offset: number): void;
  /** The number in its topic of an event that is held; undefined of another. */
  seqAt(topic: string, offset: number): number | undefined;
};

/** Where an event is that has been taken here, or the promise of it. */
export type Published = HubEvent | Promise<Place>;

/** @template P `HubEvent` where `publish` is never late, so that nobody needs to wait */
export type Broker<P extends Published = Published> = {
  /**
   * Has an event numbered and given to all servers. The promise resolves when the broker has confirmed the
   * event and, if the broker guarantees delivery, this server has taken it (or is late).
   * @throws TooManyTopics, or rejects with it or with the publisher's answer (`RequestError` 503)
   */
  publish(topic: string, body: string, stamps: Stamps, options?: PublishOptions): P;
};

/** Connects one hub. Called once, before the hub is used. */
export type ConnectBroker<P extends Published = Published> = (log: BrokeredLog) => Broker<P>;

/** The hub is the only one. */
export const inProcess: ConnectBroker<HubEvent> = ({ append }) => ({ publish: append });
