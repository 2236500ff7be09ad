// Holds what a hub knows of each topic, and limits how many topics there are: those with events, and on their
// own those that are only followed.

import type { HubEvent, Listener } from './event.ts';

/**
 * The limit `maxTopics` is reached: on topics published to, or on other topics
 * subscribed to. Answered with 503.
 */
export class TooManyTopics extends Error {
  override readonly name = 'TooManyTopics';
  readonly code = 'too-many-topics';
}

/** An event in the history, linked with its neighbours in the log and in its topic. */
export type KeptEvent = {
  readonly event: HubEvent;
  readonly topic: Topic;
  readonly bytes: number;
  older: KeptEvent | undefined;
  newer: KeptEvent | undefined;
  olderInTopic: KeptEvent | undefined;
  newerInTopic: KeptEvent | undefined;
};

export type Subscription = {
  readonly listener: Listener<unknown>;
  readonly whom: unknown;
  /**
   * The log's end when it began: one that begins while an event is handed out does not get that event.
   */
  readonly from: number;
};

export type Topic = {
  readonly name: string;
  /** Events numbered so far, drafts among them. */
  seq: number;
  /** Of the newest event that was taken, 0 without one. */
  newestOffset: number;
  /** Of the newest event that the history has let go, 0 without one. */
  evictedOffset: number;
  oldest: KeptEvent | undefined;
  newest: KeptEvent | undefined;
  /** Events in the history. */
  count: number;
  /** In the order in which they subscribed. */
  readonly listeners: Set<Subscription>;
};

export type Topics = {
  find(name: string): Topic | undefined;
  /** Topics with events or drafts, and those that are only followed. */
  counts(): { published: number; followedOnly: number };
  /**
   * The topic, which counts one event more.
   * @throws TooManyTopics when it has none yet and there are as many topics with events as may be
   */
  number(name: string): Topic;
  /**
   * The same for an event that another log has numbered, and within that log's limit on topics.
   * @throws Error when `seq` is not the topic's next number
   */
  numberedElsewhere(name: string, seq: number): Topic;
  /** Takes back the topic's newest number. */
  unnumber(topic: Topic): void;
  /**
   * The topics of these names, each once, to be followed.
   * @throws TooManyTopics when there are as many topics without events as may be; none was added then
   */
  follow(names: readonly string[]): Topic[];
  /** Forgets a topic that has neither events nor listeners. */
  forgetUnused(topic: Topic): void;
};

export function createTopics(maxTopics: number): Topics {
  const topics = new Map<string, Topic>();
  let published = 0;

  function open(name: string): Topic {
    const topic: Topic = {
      name,
      seq: 0,
      newestOffset: 0,
      evictedOffset: 0,
      oldest: undefined,
      newest: undefined,
      count: 0,
      listeners: new Set(),
    };
    topics.set(name, topic);
    return topic;
  }

  function forgetUnused(topic: Topic): void {
    if (topic.seq === 0 && topic.listeners.size === 0) topics.delete(topic.name);
  }

  return {
    find: (name) => topics.get(name),
    counts: () => ({ published, followedOnly: topics.size - published }),

    number(name) {
      const known = topics.get(name);
      if (!known?.seq) {
        if (published >= maxTopics) {
          throw new TooManyTopics(
            `the server holds events of ${maxTopics} topics and takes no more; publish to one of ` +
              'them, or raise maxTopics',
          );
        }
        published++;
      }
      const topic = known ?? open(name);
      topic.seq++;
      return topic;
    },

    numberedElsewhere(name, seq) {
      const known = topics.get(name);
      const last = known?.seq ?? 0;
      if (seq !== last + 1) throw new Error(`event ${seq} of topic ${name} came behind its event ${last}`);
      const topic = known ?? open(name);
      if (last === 0) published++;
      topic.seq = seq;
      return topic;
    },

    unnumber(topic) {
      topic.seq--;
      if (topic.seq > 0) return;
      published--;
      forgetUnused(topic);
    },

    follow(names) {
      const unique = [...new Set(names)];
      let added = 0;
      for (const name of unique) if (!topics.has(name)) added++;
      if (added > 0 && topics.size - published + added > maxTopics) {
        throw new TooManyTopics(
          `subscribers follow ${maxTopics} topics that have no events yet, and there is no room ` +
            'for more; raise maxTopics',
        );
      }
      return unique.map((name) => topics.get(name) ?? open(name));
    },
    forgetUnused,
  };
}
