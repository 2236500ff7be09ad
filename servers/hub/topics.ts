// Holds what a hub knows of each topic, and limits how many topics there are: one limit is for topics with
// events, another for topics that are only followed.

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
  readonly subscriber: unknown;
  /**
   * It gets events after this offset: the log's end when it began, so that a subscriber that begins while an
   * event is handed out does not get that event; or its place from another server.
   */
  from: number;
};

export type Topic = {
  readonly name: string;
  /** The highest number of its events so far, drafts among them; 0 without one. */
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
  /** How many topics have events or drafts, and how many are only followed. */
  counts(): { published: number; followedOnly: number };
  /**
   * Refuses a topic that has no events yet when there are as many with events as may be.
   * @throws TooManyTopics
   */
  admit(name: string): void;
  /**
   * The topic, which has one event more, and the event's number.
   * @param seq its next number when left out
   */
  number(name: string, seq: number | undefined): { topic: Topic; seq: number; before: number };
  /** Takes the topic's newest number back: its highest number is `before` again. */
  unnumber(topic: Topic, before: number): void;
  /** No topic has events any more, and everybody who follows one gets every event from now on. */
  forgetEvents(): void;
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

    admit(name) {
      if (topics.get(name)?.seq || published < maxTopics) return;
      throw new TooManyTopics(
        `the server holds events of ${maxTopics} topics and takes no more; publish to one of ` +
          'them, or raise maxTopics',
      );
    },

    number(name, given) {
      const topic = topics.get(name) ?? open(name);
      const before = topic.seq;
      if (before === 0) published++;
      const seq = given ?? before + 1;
      topic.seq = Math.max(before, seq);
      return { topic, seq, before };
    },

    unnumber(topic, before) {
      topic.seq = before;
      if (before > 0) return;
      published--;
      forgetUnused(topic);
    },

    forgetEvents() {
      published = 0;
      for (const topic of topics.values()) {
        topic.seq = topic.newestOffset = topic.evictedOffset = topic.count = 0;
        topic.oldest = topic.newest = undefined;
        for (const subscription of topic.listeners) subscription.from = 0;
        forgetUnused(topic);
      }
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
