// Decides how a server that closes says goodbye: when each of its subscribers is told, how long they have to
// go, and how long the whole may take. Pure: the caller has the clock and the connections.

/** Over how long the goodbyes are spread: all are told in one turn, in the order in which they came. */
export const goodbyeSpreadMs = 0;

/** How long each part of closing may take; what is left then is cut off. */
export const goodbyeLimits = {
  /** The subscribers of a stream, from the last goodbye on. */
  streamsMs: 1000,
  /** A pattern, with all that it does. */
  patternMs: 3000,
  /** Each step of a webhook server: attempts under way, and what its store has yet to hear of them. */
  webhookStepMs: 500,
  /** What is still being written on connections. */
  connectionsMs: 500,
  /** A server process. When closing takes longer something hangs. */
  processMs: 6000,
} as const;

/** How much later than it was asked to an `EventSource` may come back to learn that the server is gone. */
const lateReturnMs = 500;
/** How long a server waits for that at most. */
const longestReturnMs = 1800;

/**
 * When the subscriber with this index is told, from the beginning of the goodbye. They are told in their
 * order, evenly over the time, the first at once.
 * @param count how many there are
 */
export function goodbyeAtMs(index: number, count: number, spreadMs = goodbyeSpreadMs): number {
  return (spreadMs * index) / count;
}

/**
 * How long an SSE server that has ended its streams waits for clients to come back and hear that it is gone
 * for good.
 * @param retryMs the reconnection time that it has told them
 */
export function returnMs(retryMs: number): number {
  return Math.min(retryMs + lateReturnMs, longestReturnMs);
}
