// Decides when a client that cannot get a WebSocket goes over to SSE, and from there to long polling.
// Numbers in, a decision out.

/** What became of one connection. */
export type ConnectionEnd = {
  /** It was there and its request sent, so that whatever followed was an answer to that. */
  readonly connected: boolean;
  /** The status of an answer that was not what had been asked for; 0 where none came. */
  readonly refusedWith: number;
  /** The server asked for a wait: it cannot serve the client now, whatever the transport. */
  readonly asksToWait: boolean;
  /** How long events could come, in milliseconds; 0 where they never could. */
  readonly upMs: number;
};

/** What a client remembers. */
export type Fallback = {
  /** Its transport, by its place in the list. */
  place: number;
  /** Connections in a row that ended at once. */
  shortLived: number;
  /** This transport has worked: the client stays with it, whatever happens later. */
  worked: boolean;
  /** That a transport has worked counts only for one connection: after a later loss the client moves too. */
  readonly again: boolean;
};

/** With these statuses a client would be refused over every transport. */
const whateverTransport: ReadonlySet<number> = new Set([401, 429, 503]);

/** How long a client waits for the first sign of a stream, as new Phoenix applications do by default. */
export const firstSignWithinMs = 2500;
/** A connection that ends sooner has not worked. */
export const worksAfterMs = 1000;
/** After this many of them in a row the client moves to the next transport. */
export const mostShortLived = 3;

export function newFallback(again = false): Fallback {
  return { place: 0, shortLived: 0, worked: false, again };
}

/**
 * A connection has ended. Refusals that speak for the server (401, 429, 503, a wait that it asks for) are
 * none of the transport, and neither is a connection that never came about.
 * @param last the place of the last transport, after which there is none
 * @returns whether the client goes over to the next transport
 */
export function endsTransport(client: Fallback, end: ConnectionEnd, last: number): boolean {
  if (end.upMs >= worksAfterMs) {
    client.worked = !client.again;
    client.shortLived = 0;
    return false;
  }
  if (client.worked || client.place >= last) return false;
  if (!end.connected || end.asksToWait || whateverTransport.has(end.refusedWith)) return false;
  client.shortLived++;
  return (end.refusedWith > 0 || client.shortLived >= mostShortLived) && goOver(client);
}

/** There was no sign of the stream in time. @returns whether the client goes over to the next transport */
export function lateEndsTransport(client: Fallback, last: number): boolean {
  return !client.worked && client.place < last && goOver(client);
}

function goOver(client: Fallback): true {
  client.place++;
  client.shortLived = 0;
  return true;
}
