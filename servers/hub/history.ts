// Keeps the newest events: so many of each topic, and so many bytes over all topics. Each is linked with its
// neighbours in the log and in its topic, so that adding and evicting take the same time however many there
// are.

import type { HubEvent } from './event.ts';
import type { KeptEvent, Topic } from './topics.ts';

export type History = {
  /**
   * Adds the log's newest event. Evicts the topic's oldest where the topic has too many, then the log's
   * oldest until the bytes fit.
   */
  keep(event: HubEvent, topic: Topic): void;
  /** Forgets everything; the topics' part is theirs (`forgetEvents`). */
  clear(): void;
  /** What is kept: events, and the bytes of their JSON. */
  size(): { events: number; bytes: number };
};

/**
 * @param perTopic events kept of each topic
 * @param mostBytes bytes of JSON kept over all topics
 */
export function createHistory(perTopic: number, mostBytes: number): History {
  let oldest: KeptEvent | undefined;
  let newest: KeptEvent | undefined;
  let events = 0;
  let bytes = 0;

  /** Lets go of a topic's oldest event; the log's oldest is always one. */
  function evict({ event, topic, bytes: evicted, older, newer, newerInTopic }: KeptEvent): void {
    if (older) older.newer = newer;
    else oldest = newer;
    if (newer) newer.older = older;
    else newest = older;
    topic.oldest = newerInTopic;
    if (newerInTopic) newerInTopic.olderInTopic = undefined;
    else topic.newest = undefined;
    topic.count--;
    topic.evictedOffset = event.offset;
    events--;
    bytes -= evicted;
  }

  return {
    keep(event, topic) {
      const kept: KeptEvent = {
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
      events++;
      bytes += kept.bytes;
      if (topic.count > perTopic) evict(topic.oldest!); // it holds at least `kept`
      while (bytes > mostBytes) evict(oldest!); // the bytes are some event's
    },
    clear() {
      oldest = newest = undefined;
      events = bytes = 0;
    },
    size: () => ({ events, bytes }),
  };
}

/**
 * The events of the topics behind an offset, in log order.
 * @returns `lost` when some of them are no longer kept
 */
export function keptAfter(
  topics: readonly (Topic | undefined)[],
  after: number,
): { events: HubEvent[]; lost: boolean } {
  const events: HubEvent[] = [];
  let lost = false;
  for (const topic of topics) {
    if (!topic || topic.newestOffset <= after) continue;
    if (topic.evictedOffset > after) lost = true;
    // From the newest backwards: what was missed is mostly little, and the history long.
    for (let kept = topic.newest; kept && kept.event.offset > after; kept = kept.olderInTopic)
      events.push(kept.event);
  }
  if (topics.length > 1) events.sort((a, b) => a.offset - b.offset);
  else events.reverse();
  return { events, lost };
}

/** The newest kept event of each topic, in log order. */
export function newestKept(topics: readonly (Topic | undefined)[]): HubEvent[] {
  return topics.flatMap((topic) => topic?.newest?.event ?? []).sort((a, b) => a.offset - b.offset);
}
