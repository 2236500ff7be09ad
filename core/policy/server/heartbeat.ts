// Decides when a stream sends a sign of life and when it gives a peer up. Each subscriber has its turn in
// every interval (turns.ts), and what to do then is decided here. Pure.

/** Turns come twice in a heartbeat's interval, so that silence never lasts longer than one. */
export function heartbeatTurnMs(heartbeatMs: number): number {
  return heartbeatMs / 2;
}

/**
 * What a stream over HTTP does when a subscriber's turn comes.
 * @param quiet whether nothing was written to it since its turn before
 * @param open whether it may still be written to
 * @param busy whether something waits to be written, or to leave
 * @returns `end`: its client has said goodbye, but does not read the bytes still on the way
 */
export function decideHeartbeat(quiet: boolean, open: boolean, busy: boolean): 'nothing' | 'send' | 'end' {
  if (!quiet) return 'nothing';
  if (!open) return 'end';
  return busy ? 'nothing' : 'send';
}

/** Pings that may be unanswered. */
const mostUnanswered = 2;

/**
 * What a WebSocket server does when a client's turn comes. Anything that the client sends, and any bytes that
 * it is seen to read, set `unanswered` to 0.
 * @param unanswered turns since the client was last heard of
 * @param open whether it is not closing
 * @param busy whether something waits to leave: a ping would wait behind it
 * @returns `end`: its time is up. Otherwise the turn counts as unanswered, with a ping or without.
 */
export function decidePing(unanswered: number, open: boolean, busy: boolean): 'nothing' | 'send' | 'end' {
  if (unanswered >= mostUnanswered) return 'end';
  return open && !busy ? 'send' : 'nothing';
}
