// Puts together what all patterns build on: a log of events (log.ts), the subscribers of its topics
// (subscriptions.ts), and the broker that connects it to other servers (broker.ts). It knows no protocol and
// does no I/O.

import type { ServerLimits } from '../../core/scenario/scenario.ts';
import { inProcess, type ConnectBroker, type Published } from './broker.ts';
import type { HubEvent, Listener, PublishOptions, Stamps } from './event.ts';
import { createLog, type LogOptions } from './log.ts';
import { createSubscriptions, handOut } from './subscriptions.ts';
import { createTopics, type Topic } from './topics.ts';

export type { HubEvent, Place, Stamps } from './event.ts';
export { currentState } from './log.ts';
export { TooManyTopics } from './topics.ts';

/** @template P what `publish` returns; `LocalHub` returns no promises */
export type Hub<P extends Published = Published> = {
  readonly epoch: string;
  /**
   * Events taken so far, without drafts. If servers share a log: all events of the log, including those from
   * before this server began.
   */
  published(): number;
  /** Events of the cluster that this server never received from its broker. */
  skipped(): number;
  /** Subscriptions that have not ended. */
  subscriptions(): number;
  /**
   * The cursor of the log's end: everything up to it has been handed out, what comes after it is new.
   * @param seen a subscriber's cursor, which is returned if it is later: another server was ahead
   */
  cursor(seen?: string): string;
  /** The cursor for a subscriber that came too late: everything that is held comes after it. */
  beginning(): string;
  /**
   * Takes an event: puts it into the topic's history, and calls the topic's listeners in the order in which
   * they subscribed. That is done on return, or when the promise resolves, where there is one.
   * @throws TooManyTopics, or rejects with it or with the publisher's answer (broker.ts); then there is no
   *   such event
   * @throws Error while there are drafts: events would change places
   */
  publish(topic: string, body: string, stamps: Stamps, options?: PublishOptions): P;
  /**
   * Numbers and encodes an event for a server that has to store it first. Nobody learns of it before `take`.
   * The store is what several servers share then, and no broker is asked.
   * @param taken called once when the event is taken, before the topic's listeners
   * @throws TooManyTopics
   * @throws Error when a broker numbers the events
   */
  draft(topic: string, body: string, stamps: Stamps, taken?: (event: HubEvent) => void): HubEvent;
  /** Takes all drafts, in their order, and hands each out. */
  take(): void;
  /** Forgets all drafts. Their numbers go to the next events, so nobody looks for a gap. */
  drop(): void;
  /** The subscribers of the topic, in the order they came, as each was given to `subscribe`. */
  followers(topic: string): unknown[];
  /**
   * Calls `listener` with `subscriber` for each event on any of the topics from now on. It may end this or
   * any other subscription and begin new ones, but must neither throw nor publish.
   * @param subscriber whose subscription it is: one listener serves thousands without a closure each, which
   *   the loop over them would have to fetch from memory
   * @param seen its cursor, if another server may have been ahead: it gets no event up to there again
   * @returns the function that ends it
   * @throws TooManyTopics
   */
  subscribe<Subscriber>(
    topics: readonly string[],
    listener: Listener<Subscriber>,
    subscriber: Subscriber,
    seen?: string,
  ): () => void;
  /**
   * The events after `cursor` on the topics, in log order. `lost` when some of them are no longer held, or
   * the cursor does not belong to this log; the events are then all that are still held. After `currentState`
   * they are the newest of each topic, with which a client begins that has seen nothing yet.
   */
  since(topics: readonly string[], cursor: string): { events: HubEvent[]; lost: boolean };
  /**
   * The cursor of the newest event on any of the topics; `beginning()` if that is later or there is none:
   * `EPOCH-0` unless events were missed.
   */
  newest(topics: readonly string[]): string;
  /** Whether the history has let go of an event of the topic behind an offset. */
  hasLetGo(topic: string, offset: number): boolean;
};

/** A hub whose events are taken when `publish` returns. */
export type LocalHub = Hub<HubEvent>;

/**
 * A hub in memory, the only one of its events. It keeps `limits.history` events of each topic and
 * `limits.historySize` bytes of JSON over all. The oldest events go first: of the topic for the first limit,
 * of the whole log for the second.
 */
export function createHub(limits: ServerLimits, options: LogOptions = {}): LocalHub {
  return connectHub(limits, inProcess, options);
}

/** A hub in memory that shares its events with those of other servers through a broker. */
export function connectHub<P extends Published>(
  limits: ServerLimits,
  connect: ConnectBroker<P>,
  options: LogOptions = {},
): Hub<P> {
  const topics = createTopics(limits.maxTopics);
  const log = createLog(limits, topics, options);
  const subscriptions = createSubscriptions(topics);
  const { drafts } = log;
  /** Whether its events are numbered for several servers. */
  let isShared = false;

  function take(event: HubEvent, topic: Topic, taken: ((event: HubEvent) => void) | undefined): void {
    log.keep(event, topic);
    taken?.(event);
    handOut(event, topic);
  }

  function refuseBesideDrafts(): void {
    if (drafts.count() > 0)
      throw new Error(`an event was published while ${drafts.count()} drafts wait to be stored`);
  }

  const broker = connect({
    append(name, body, stamps) {
      refuseBesideDrafts();
      const { event, topic } = log.number(name, body, stamps);
      take(event, topic, undefined);
      return event;
    },
    receive(arriving) {
      refuseBesideDrafts();
      const { offset } = arriving;
      const next = log.end() + 1;
      if (offset < next) return undefined;
      if (offset > next) log.skipTo(offset - 1, offset - next);
      const { event, topic } = log.place(arriving);
      take(event, topic, undefined);
      return event;
    },
    begin(epoch, offset) {
      refuseBesideDrafts();
      isShared = true;
      log.begin(epoch, offset);
    },
    epoch: log.epoch,
    end: log.end,
    admit: topics.admit,
    encode: log.encode,
    skipTo: log.skipTo,
    seqAt(name, offset) {
      const [found] = log.since([name], `${log.epoch()}-${offset - 1}`).events;
      return found?.offset === offset ? found.seq : undefined;
    },
  });

  return {
    get epoch() {
      return log.epoch();
    },
    published: log.end,
    skipped: log.skipped,
    beginning: log.beginning,
    subscriptions: subscriptions.count,
    cursor: log.cursor,
    publish: broker.publish,
    draft(name, body, stamps, taken) {
      if (isShared) throw new Error('a broker numbers the events of this hub; it takes no drafts');
      const draft = log.number(name, body, stamps, taken);
      drafts.add(draft);
      return draft.event;
    },
    take() {
      for (const { event, topic, taken } of drafts.takeAll()) take(event, topic, taken);
    },
    drop: drafts.drop,
    followers: (name) => Array.from(topics.find(name)?.listeners ?? [], ({ subscriber }) => subscriber),
    subscribe: (names, listener, subscriber, seen) =>
      subscriptions.begin(names, listener, subscriber, log.endFor(seen)),
    since: log.since,
    newest: log.newest,
    hasLetGo: (name, offset) => (topics.find(name)?.evictedOffset ?? 0) > offset,
  };
}
