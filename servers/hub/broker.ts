// Defines what stands between a hub and other servers that hand out the same events. In one process nothing
// does: an event is numbered, taken and handed out in one call.
//
// - Who numbers: one place for each epoch. Either the log of one server (`append`), or what the servers share
//   (a script in Redis, one server that the others ask), and then every server, the publishing one included,
//   gets the event by `receive`. Hubs that share events have the same epoch.
// - When an event is taken: at each server when `append` or `receive` returns. In that call, which is one
//   turn of the event loop, the log learns of the event and every listener of its topic has been called. So a
//   cursor never lies behind an event that somebody here is still to get, and who subscribes and asks for the
//   history in one turn misses nothing and gets nothing twice.
// - In which order: each server takes all events of the log, by their offsets, from 1, without a gap. A
//   broker that missed some fetches them from where they are kept before it goes on. Listeners of a topic are
//   called in the order in which they subscribed.
// - What a failure means: when `publish` throws or rejects, no server has taken the event and none will, and
//   its number goes to the next one. A broker that does not know (the answer was lost) does not settle until
//   it does. What has been taken is never taken back.

import type { HubEvent, Stamps } from './event.ts';

/** A server's log, as far as a broker may change it. Neither may be called while there are drafts. */
export type BrokeredLog = {
  /**
   * Numbers an event and takes it.
   * @throws TooManyTopics
   */
  append(topic: string, body: string, stamps: Stamps): HubEvent;
  /**
   * Takes an event that was numbered elsewhere.
   * @throws Error when it is not the next one
   */
  receive(event: HubEvent): void;
};

/** An event that has been taken here, or the promise of it. */
export type Published = HubEvent | Promise<HubEvent>;

/** @template P `HubEvent` where `publish` is never late, so that nobody needs to wait */
export type Broker<P extends Published = Published> = {
  /**
   * Has an event numbered and given to all servers. The promise resolves when this server has taken the
   * event.
   * @throws TooManyTopics, or rejects with it or with what the publisher is to be answered (`RequestError`
   *   503)
   */
  publish(topic: string, body: string, stamps: Stamps): P;
};

/** Connects one hub. Called once, before the hub is used. */
export type ConnectBroker<P extends Published = Published> = (log: BrokeredLog) => Broker<P>;

/** The hub is the only one. */
export const inProcess: ConnectBroker<HubEvent> = ({ append }) => ({ publish: append });
