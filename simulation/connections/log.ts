// Holds the events that servers have accepted, in their order, and says which missed events a client still
// finds when it comes back: by the number of events kept for a topic, by the bytes kept over all, and by how
// far back its server reaches. The rules are those of servers/hub (log.ts, history.ts).

import { brokersWithOneLog, type BrokerName } from '../../core/scenario/servers.ts';
import type { Sized } from '../models/stream-kind.ts';

/** What a server process knows of the log. */
export type Reach = {
  /** Events from this number on; earlier ones it never had. */
  from: number;
  /** Cursors of processes with another epoch say nothing to it. */
  epoch: number;
};

/** What of a topic a client is sent: events `from` to `to` - 1, by their numbers within the topic. */
export type Found = { from: number; to: number; /** Of these, events that it had before. */ again: number };

export type Log = {
  size(): number;
  /** Behind all others, also in its planned time. */
  add(event: Sized): void;
  plannedUs: (event: number) => number;
  /** On the wire. */
  bytes: (event: number) => number;
  /** The events of a topic, by their numbers in the log, ascending. */
  ofTopic(topic: number): readonly number[];
  /** The events of a topic before the one with this number. */
  before(topic: number, event: number): number;
  /**
   * How many of a topic's events `from` to `to` - 1, by their numbers within the topic, were planned from
   * `fromUs` on and before `toUs`.
   */
  plannedWithin(topic: number, from: number, to: number, fromUs: number, toUs: number): number;
  /** Of a topic's events, the first that the limits leave, by its number within the topic. */
  keptFrom(topic: number): number;
};

/**
 * @param perTopic events kept of each topic
 * @param mostBytes of the kept events' JSON, over all topics
 */
export function createLog(topics: number, perTopic: number, mostBytes: number): Log {
  const plannedUs: number[] = [];
  const bytes: number[] = [];
  const jsonBytes: number[] = [];
  const topicOf: number[] = [];
  const byTopic = Array.from({ length: topics }, (): number[] => []);
  const keptFrom = new Uint32Array(topics);
  /** No event before it is kept; behind it some may be let go already. */
  let oldest = 0;
  let keptBytes = 0;

  function letGoOf(topic: number): void {
    keptBytes -= jsonBytes[byTopic[topic]![keptFrom[topic]!]!]!;
    keptFrom[topic]!++;
  }

  return {
    size: () => plannedUs.length,
    add(event) {
      const { topic } = event;
      const ofTopic = byTopic[topic]!;
      ofTopic.push(plannedUs.length);
      plannedUs.push(event.atUs);
      bytes.push(event.bytes);
      jsonBytes.push(event.jsonBytes);
      topicOf.push(topic);
      keptBytes += event.jsonBytes;
      if (ofTopic.length - keptFrom[topic]! > perTopic) letGoOf(topic);
      for (; keptBytes > mostBytes; oldest++) {
        const other = topicOf[oldest]!;
        if (byTopic[other]![keptFrom[other]!] === oldest) letGoOf(other);
      }
    },
    plannedUs: (event) => plannedUs[event]!,
    bytes: (event) => bytes[event]!,
    ofTopic: (topic) => byTopic[topic]!,
    before: (topic, event) => lowerBound(byTopic[topic]!, event),
    plannedWithin(topic, from, to, fromUs, toUs) {
      const beforeUs = (us: number) => lowerBound(byTopic[topic]!, lowerBound(plannedUs, us));
      return Math.max(0, Math.min(to, beforeUs(toUs)) - Math.max(from, beforeUs(fromUs)));
    },
    keptFrom: (topic) => keptFrom[topic]!,
  };
}

/** What a client knows as it comes back. */
export type Returning = {
  /** The log's size when the client was lost: it has all earlier events of its topics. */
  lostAt: number;
  /** The epoch of the process that it was connected to. */
  epoch: number;
  topics: readonly number[];
  /** The log's size when it joined for the first time: its cursor until an event came. */
  joinedAt: number;
};

/** Whether its cursor is too late for the server, and how much it is sent of each of its topics. */
export function resume(
  log: Log,
  { from, epoch }: Reach,
  { lostAt, epoch: own, topics, joinedAt }: Returning,
): { tooLate: boolean; found: Found[] } {
  const isOther = own !== epoch;
  let tooLate = isOther;
  let cursor = joinedAt;
  const found = topics.map((topic): Found => {
    const events = log.ofTopic(topic);
    const to = events.length;
    const had = log.before(topic, lostAt);
    if (had > 0) cursor = Math.max(cursor, events[had - 1]! + 1);
    const held = Math.max(log.keptFrom(topic), log.before(topic, from));
    const wanted = isOther ? 0 : had;
    if (to > had && held > had) tooLate = true;
    const first = Math.min(to, Math.max(wanted, held));
    return { from: first, to, again: Math.max(0, had - first) };
  });
  return { tooLate: tooLate || cursor < from, found };
}

/** How starting servers get earlier events, and whose cursors they understand. */
export type Sharing = { epochs: 'shared' | 'own'; starts: 'from the stream' | 'empty' };

export function sharingOf(broker: BrokerName): Sharing {
  const isOneLog = brokersWithOneLog.includes(broker);
  return {
    epochs: isOneLog ? 'shared' : 'own',
    starts: isOneLog && broker !== 'redis-pubsub' ? 'from the stream' : 'empty', // it keeps nothing
  };
}

function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
