// Decides what happens to an event for a subscriber that reads more slowly than events come: it is written,
// left in the history, dropped, kept as the newest of its topic, or the subscriber is cut off. Pure: the
// caller measures how many bytes wait, and carries out the decision.

/** What a server does with those who lag behind by more than `slowBuffer`. */
export const slowPolicies = ['disconnect', 'drop', 'coalesce'] as const;
export type SlowPolicy = (typeof slowPolicies)[number];

/**
 * What a subscriber gets before the next live event: nothing, a part of the history, the newest of topics.
 */
export type BacklogKind = 'none' | 'history' | 'newest';

export type SlowDecision =
  /** Write it now. */
  | 'write'
  /** Do nothing: the subscriber reads the history and comes to this event by itself. */
  | 'leave'
  | 'drop'
  /** Keep it in place of its topic's waiting event (`coalesce`). */
  | 'coalesce'
  | 'cut-off';

/**
 * Whether a subscriber is behind, so that `decideBehind` has to decide. All others are written to. Asked once
 * for each delivery.
 * @param waitingBytes bytes that were written to its outlet and have not left
 */
export function isBehind(hasBacklog: boolean, waitingBytes: number, slowBufferBytes: number): boolean {
  return hasBacklog || waitingBytes > slowBufferBytes;
}

/**
 * What to do with an event for a subscriber that is behind.
 * @param outletFull whether the outlet asks to be left alone until it has drained. One that does not is never
 *   slow, however small `slowBuffer`: no drain would end the lag.
 * @param grownBytes for a subscriber that reads the history: bytes published since it began, including this
 *   event, minus the bytes that it has read
 * @param mostGrownBytes how much that may be (`mostGrownBytes` in history-pieces.ts)
 */
export function decideBehind(
  slow: SlowPolicy,
  backlog: BacklogKind,
  outletFull: boolean,
  grownBytes: number,
  mostGrownBytes: number,
): SlowDecision {
  if (backlog === 'history')
    return slow === 'disconnect' && grownBytes > mostGrownBytes ? 'cut-off' : 'leave';
  if (backlog === 'none' && !outletFull) return 'write';
  return slow === 'disconnect' ? 'cut-off' : slow;
}

/** The newest event of each topic, in the order of the log. */
export type Coalesced<Event> = {
  readonly events: Map<string, Event>;
  /** Of their JSON, in UTF-16 units. */
  length: number;
};

export function newCoalesced<Event>(): Coalesced<Event> {
  return { events: new Map(), length: 0 };
}

/**
 * Adds an event, which takes the place of an older one of its topic. The oldest go until the rest fits
 * `mostLength`, but the newest stays whatever its size.
 * @returns how many events were let go
 */
export function coalesce<Event extends { topic: string; json: string }>(
  coalesced: Coalesced<Event>,
  event: Event,
  mostLength: number,
): number {
  const { events } = coalesced;
  const replaced = events.get(event.topic);
  events.delete(event.topic); // so that it moves to the end
  events.set(event.topic, event);
  coalesced.length += event.json.length - (replaced?.json.length ?? 0);
  let dropped = replaced ? 1 : 0;
  for (const [topic, { json }] of events) {
    if (coalesced.length <= mostLength || events.size === 1) break;
    events.delete(topic);
    coalesced.length -= json.length;
    dropped++;
  }
  return dropped;
}
