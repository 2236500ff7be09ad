// Reads the history for one subscriber, a piece at a time. It keeps the place up to which everything has
// been read, but no events: the hub has these, and may remove them in the meantime. That is a loss only if
// the subscriber was promised them: after a reset, all events in the history at that time; after `last`, the
// newest event of each topic and all later ones. It was told of events that were removed before it came, or
// it never asked for them.

import type { HubEvent } from './event.ts';
import { currentState, type Hub } from './hub.ts';

export type Replay = {
  readonly kind: 'history';
  readonly topics: readonly string[];
  /** Of the log when it began. */
  readonly epoch: string;
  /** Everything up to here has been read. */
  cursor: string;
  /**
   * How much further behind the subscriber is than at the beginning: bytes published since, less bytes read.
   */
  grownBytes: number;
  /** Left out where everything after the cursor was promised. */
  readonly promise: Promised | undefined;
};

type Promised = {
  /** All that was held, or the newest of each topic. */
  readonly of: 'held' | 'newest';
  /** The offset of each topic's first event among them; none of a topic that had none. */
  readonly first: ReadonlyMap<string, number>;
  /** The log's end then. */
  readonly end: number;
};

/** The events to read next; `lost` when some promised events are no longer held. */
type Rest = { events: HubEvent[]; lost: boolean };

/** @returns the replay and all that is to be read as things are; `lost` when the cursor came too late */
export function beginReplay(hub: Hub, topics: readonly string[], cursor: string): Rest & { replay: Replay } {
  const { events, lost } = hub.since(topics, cursor);
  const of = cursor === currentState ? 'newest' : lost ? 'held' : undefined;
  return {
    events,
    lost,
    replay: {
      kind: 'history',
      topics,
      epoch: hub.epoch,
      cursor,
      grownBytes: 0,
      promise: of && { of, first: firstOf(events), end: offsetIn(hub.cursor()) },
    },
  };
}

export function restOf(hub: Hub, { topics, epoch, cursor, promise }: Replay): Rest {
  if (hub.epoch !== epoch) return { events: [], lost: true };
  // What never came to this server, live subscribers lack too.
  const { events } = hub.since(topics, cursor);
  const at = offsetIn(cursor);
  if (!promise) return { events, lost: topics.some((topic) => hub.hasLetGo(topic, at)) };
  const { of, first, end } = promise;
  const rest =
    of === 'held'
      ? events
      : events.filter(({ topic, offset }) => offset > end || first.get(topic) === offset);
  return {
    events: rest,
    lost: topics.some((topic) => isLost(hub, topic, at, promise, rest)),
  };
}

/** Moves the place behind the events read, of which there is at least one. */
export function advance(replay: Replay, read: readonly HubEvent[]): void {
  replay.cursor = read.at(-1)!.id;
  for (const { json } of read) replay.grownBytes -= Buffer.byteLength(json);
}

function isLost(
  hub: Hub,
  topic: string,
  at: number,
  { of, first, end }: Promised,
  rest: readonly HubEvent[],
): boolean {
  const from = first.get(topic) ?? end + 1;
  const lostBehind = (offset: number) => hub.hasLetGo(topic, Math.max(at, offset));
  if (of === 'held') return lostBehind(from - 1);
  // A topic's newest event may go when there is a newer one.
  return lostBehind(end) || (from > at && from <= end && !rest.some((event) => event.topic === topic));
}

function firstOf(events: readonly HubEvent[]): Map<string, number> {
  const first = new Map<string, number>();
  for (const { topic, offset } of events) if (!first.has(topic)) first.set(topic, offset);
  return first;
}

function offsetIn(cursor: string): number {
  return Number(cursor.slice(cursor.lastIndexOf('-') + 1));
}
