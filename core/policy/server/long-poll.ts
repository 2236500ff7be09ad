// Decides when a long poll is answered: at once, when there is an event, when enough were collected, or when
// the hold is over. Pure: the caller has the clock and the requests.

export type LongPollRules = {
  /** The longest time that a request without an event is held. */
  readonly holdMs: number;
  /** How long events are collected from the first on; 0 answers with the first. */
  readonly batchMs: number;
  /** So many bytes of events are not added to. */
  readonly enoughBytes: number;
};

/** What a request that names a cursor found in the history. */
export type Found = {
  readonly events: number;
  readonly bytes: number;
  /** There is more than one answer takes. */
  readonly isPart: boolean;
  /** The history has let go of some, and the client must be told. */
  readonly isLost: boolean;
};

/**
 * What becomes of a request when it comes.
 * @param askedHoldMs what the client asks for; never more than the server's own
 * @returns how long it is held at most, or that it is answered now
 */
export function decideRequest(
  { holdMs, batchMs, enoughBytes }: LongPollRules,
  askedHoldMs: number | undefined,
  { events, bytes, isPart, isLost }: Found,
): 'answer' | { readonly holdMs: number } {
  const isEnough = events > 0 && (batchMs === 0 || bytes >= enoughBytes);
  if (isPart || isLost || isEnough) return 'answer';
  return { holdMs: events > 0 ? batchMs : Math.min(askedHoldMs ?? holdMs, holdMs) };
}

/**
 * What becomes of a held request when an event has come for it.
 * @param events the events that it holds now, this one included
 * @returns `begin-batch`: hold it for `batchMs` from now on; `collect`: hold it until its time, as before
 */
export function decideEvent(
  { batchMs, enoughBytes }: LongPollRules,
  events: number,
  bytes: number,
): 'answer' | 'begin-batch' | 'collect' {
  if (batchMs === 0 || bytes >= enoughBytes) return 'answer';
  return events > 1 ? 'collect' : 'begin-batch';
}
