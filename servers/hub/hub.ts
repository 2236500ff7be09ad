// The hub that all patterns stand on: topics, a bounded history per topic, publish and subscribe.
// It knows no protocol and does no I/O.

import { randomInt } from 'node:crypto';
import { nowUs as hostNowUs } from '../../core/base/clock.ts';
import { cursorPattern, encodeEnvelope } from '../../core/event/envelope.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';

/** One accepted event. `json` is the envelope as it stands on the wire (docs/wire.md), without a line end. */
export type HubEvent = {
  readonly id: string;
  readonly offset: number;
  readonly topic: string;
  readonly seq: number;
  readonly json: string;
};

export type Stamps = { plannedUs?: number; sentUs?: number; crc?: number };

export type Hub = {
  readonly epoch: string;
  /** Events accepted so far; a draft is none yet. */
  published(): number;
  /** Subscriptions that have not ended. */
  subscriptions(): number;
  /** The cursor of the log's end: what comes after it is new. */
  cursor(): string;
  /**
   * Takes an event, keeps it in the topic's history, and calls the topic's listeners in the order they came.
   * @throws TooManyTopics
   * @throws Error while there are drafts: events would change places
   */
  publish(topic: string, body: string, stamps: Stamps): HubEvent;
  /**
   * Numbers and encodes an event for a server that has to store it first. Nobody learns of it before `take`.
   * @param taken called once when the event is taken, before the topic's listeners
   * @throws TooManyTopics
   */
  draft(topic: string, body: string, stamps: Stamps, taken?: (event: HubEvent) => void): HubEvent;
  /** Makes events of all drafts, in their order, each as `publish` does. */
  take(): void;
  /** Forgets all drafts. Their numbers go to the next events, so nobody looks for a gap. */
  drop(): void;
  /** The subscribers of the topic, in the order they came: the `whom` that each gave to `subscribe`. */
  followers(topic: string): unknown[];
  /**
   * Calls `listener` with `whom` for each event on any of the topics from now on. It may end this or any
   * other subscription and begin new ones, but must neither throw nor publish.
   * @param whom whose subscription it is: one listener serves thousands without a closure for each, which the
   *   loop over them would have to fetch from memory
   * @returns the function that ends it
   * @throws TooManyTopics
   */
  subscribe<Whom>(
    topics: readonly string[],
    listener: (event: HubEvent, whom: Whom) => void,
    whom: Whom,
  ): () => void;
  /**
   * The events after `cursor` on the topics, in log order. `lost` when some of them are no longer held, or
   * the cursor is none of this log's; the events are then all that is still held. After `currentState` they
   * are the newest of each topic: what somebody begins with who has seen nothing yet.
   */
  since(topics: readonly string[], cursor: string): { events: HubEvent[]; lost: boolean };
  /** The cursor of the newest event on any of the topics, `EPOCH-0` when there is none. */
  newest(topics: readonly string[]): string;
};

/** In the place of a cursor: the newest event of each topic, and what follows. */
export const currentState = 'last';

/**
 * The limit `maxTopics` is reached: on topics published to, or on other topics
 * subscribed to. Answered with 503.
 */
export class TooManyTopics extends Error {
  override readonly name = 'TooManyTopics';
  readonly code = 'too-many-topics';
}

/** An event that is kept, linked with its neighbours in the log and in its topic. */
type Kept = {
  readonly event: HubEvent;
  readonly topic: Topic;
  readonly bytes: number;
  older: Kept | undefined;
  newer: Kept | undefined;
  olderInTopic: Kept | undefined;
  newerInTopic: Kept | undefined;
};

type Topic = {
  readonly name: string;
  seq: number;
  newestOffset: number;
  /** The newest event that was kept once and is no more; 0 when none was. */
  evictedOffset: number;
  oldest: Kept | undefined;
  newest: Kept | undefined;
  count: number;
  readonly listeners: Set<Subscription>;
};

type Draft = {
  readonly event: HubEvent;
  readonly topic: Topic;
  readonly taken: ((event: HubEvent) => void) | undefined;
};

/** `from` keeps a subscription that begins while an event is being handed round from getting that event. */
type Subscription = {
  readonly listener: (event: HubEvent, whom: unknown) => void;
  readonly whom: unknown;
  readonly from: number;
};

/**
 * A hub in memory. It keeps `limits.history` events of each topic and `limits.historySize` bytes of JSON over
 * all; what is too much goes oldest first: of the topic for the first limit, of the whole log for the second.
 * @param options.epoch random when left out
 * @param options.nowUs the clock of `accepted`
 */
export function createHub(limits: ServerLimits, options: { epoch?: string; nowUs?: () => number } = {}): Hub {
  const epoch = options.epoch ?? randomEpoch();
  const nowUs = options.nowUs ?? hostNowUs;
  const topics = new Map<string, Topic>();
  let publishedTopics = 0;
  let subscriptionCount = 0;
  /** Of the newest event that was taken. Drafts have the numbers after it. */
  let offset = 0;
  let drafts: Draft[] = [];
  let oldest: Kept | undefined;
  let newest: Kept | undefined;
  let keptBytes = 0;

  function topicOf(name: string): Topic {
    let topic = topics.get(name);
    if (!topic) {
      topic = {
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
    }
    return topic;
  }

  function keep(event: HubEvent, topic: Topic): void {
    const kept: Kept = {
      event,
      topic,
      bytes: Buffer.byteLength(event.json),
      older: newest,
      newer: undefined,
      olderInTopic: topic.newest,
      newerInTopic: undefined,
    };
    if (newest) newest.newer = kept;
    else oldest = kept;
    newest = kept;
    if (topic.newest) topic.newest.newerInTopic = kept;
    else topic.oldest = kept;
    topic.newest = kept;
    topic.count++;
    keptBytes += kept.bytes;
    if (topic.count > limits.history) evict(topic.oldest!); // it holds at least `kept`
    while (keptBytes > limits.historySize) evict(oldest!); // bytes above nought are some event's
  }

  /** Lets go of a topic's oldest event; the log's oldest is always one. */
  function evict({ event, topic, bytes, older, newer, newerInTopic }: Kept): void {
    if (older) older.newer = newer;
    else oldest = newer;
    if (newer) newer.older = older;
    else newest = older;
    topic.oldest = newerInTopic;
    if (newerInTopic) newerInTopic.olderInTopic = undefined;
    else topic.newest = undefined;
    topic.count--;
    topic.evictedOffset = event.offset;
    keptBytes -= bytes;
  }

  function number(name: string, body: string, stamps: Stamps, taken: Draft['taken']): Draft {
    if (!topics.get(name)?.seq) {
      if (publishedTopics >= limits.maxTopics) {
        throw new TooManyTopics(
          `the server holds events of ${limits.maxTopics} topics and takes no more; publish to one of ` +
            'them, or raise maxTopics',
        );
      }
      publishedTopics++;
    }
    const topic = topicOf(name);
    const acceptedUs = nowUs();
    const { sentUs = acceptedUs, plannedUs = sentUs, crc } = stamps;
    const seq = ++topic.seq;
    const at = offset + drafts.length + 1;
    const id = `${epoch}-${at}`;
    const json = encodeEnvelope({
      id,
      topic: name,
      seq,
      plannedUs,
      sentUs,
      acceptedUs,
      body,
      ...(crc === undefined ? {} : { crc }),
    });
    return { event: { id, offset: at, topic: name, seq, json }, topic, taken };
  }

  function admit({ event, topic, taken }: Draft): void {
    offset = event.offset;
    topic.newestOffset = offset;
    keep(event, topic);
    taken?.(event);
    for (const { listener, whom, from } of topic.listeners) {
      if (from < event.offset) listener(event, whom);
    }
  }

  /** Where the cursor stands in this log; undefined when it is none of its places. */
  function offsetOf(cursor: string): number | undefined {
    const match = cursorPattern.exec(cursor);
    const at = Number(match?.[2]);
    return match?.[1] === epoch && at <= offset ? at : undefined;
  }

  return {
    epoch,
    published: () => offset,
    subscriptions: () => subscriptionCount,
    cursor: () => `${epoch}-${offset}`,

    publish(name, body, stamps) {
      if (drafts.length > 0)
        throw new Error(`an event was published while ${drafts.length} drafts wait to be stored`);
      const draft = number(name, body, stamps, undefined);
      admit(draft);
      return draft.event;
    },

    draft(name, body, stamps, taken) {
      const draft = number(name, body, stamps, taken);
      drafts.push(draft);
      return draft.event;
    },
    take() {
      const all = drafts;
      drafts = [];
      for (const draft of all) admit(draft);
    },
    drop() {
      for (const { topic } of drafts) {
        topic.seq--;
        if (topic.seq > 0) continue;
        publishedTopics--;
        if (topic.listeners.size === 0) topics.delete(topic.name);
      }
      drafts = [];
    },
    followers: (name) => Array.from(topics.get(name)?.listeners ?? [], ({ whom }) => whom),

    subscribe<Whom>(names: readonly string[], listener: (event: HubEvent, whom: Whom) => void, whom: Whom) {
      const unique = new Set(names);
      let added = 0;
      for (const name of unique) if (!topics.has(name)) added++;
      if (added > 0 && topics.size - publishedTopics + added > limits.maxTopics) {
        throw new TooManyTopics(
          `subscribers follow ${limits.maxTopics} topics that have no events yet, and there is no room ` +
            'for more; raise maxTopics',
        );
      }
      const subscription: Subscription = {
        listener: listener as Subscription['listener'],
        whom,
        from: offset,
      }; // the two stay together
      for (const name of unique) topicOf(name).listeners.add(subscription);
      subscriptionCount++;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        subscriptionCount--;
        for (const name of unique) {
          const topic = topics.get(name)!; // a topic with listeners stays
          topic.listeners.delete(subscription);
          if (topic.seq === 0 && topic.listeners.size === 0) topics.delete(name);
        }
      };
    },

    since(names, cursor) {
      if (cursor === currentState) {
        const events = [...new Set(names)].flatMap((name) => topics.get(name)?.newest?.event ?? []);
        return { events: events.sort((a, b) => a.offset - b.offset), lost: false };
      }
      const known = offsetOf(cursor);
      const after = known ?? 0;
      let lost = known === undefined;
      const events: HubEvent[] = [];
      const unique = names.length > 1 ? new Set(names) : names;
      for (const name of unique) {
        const topic = topics.get(name);
        if (!topic || topic.newestOffset <= after) continue;
        if (topic.evictedOffset > after) lost = true;
        // From the newest backwards: what was missed is mostly little, and the history long.
        for (let kept = topic.newest; kept && kept.event.offset > after; kept = kept.olderInTopic)
          events.push(kept.event);
      }
      if (names.length > 1) events.sort((a, b) => a.offset - b.offset);
      else events.reverse();
      return { events, lost };
    },

    newest(names) {
      let at = 0;
      for (const name of names) at = Math.max(at, topics.get(name)?.newestOffset ?? 0);
      return `${epoch}-${at}`;
    },
  };
}

function randomEpoch(): string {
  return Array.from({ length: 6 }, () => randomInt(36).toString(36)).join('');
}
