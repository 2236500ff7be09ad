// Decides what a WebSocket client does when the server closes its connection: the code that it answers with,
// whether the close is worth a report, and whether and when it comes back. Numbers in, a decision out.

import { longestAskedMs, type Backoff } from './reconnect.ts';

const normal = 1000;
const goingAway = 1001;
/** What an API says where a close frame had no code; it is never sent (RFC 6455, section 7.1.5). */
const noCode = 1005;
const serviceRestart = 1012;
const tryAgainLater = 1013;

/** What a client says that leaves: as a browser does whose page is closed (RFC 6455, section 7.4.1). */
export const leavingCode = goingAway;

export type Closed = {
  /** The code of the close frame that answers. */
  answer: number;
  /** Nothing that should not happen. */
  orderly: boolean;
  comesBack: boolean;
  /** The server asks for at least this wait before the client comes back. */
  leastMs: number;
};

/**
 * Reads a close code of RFC 6455, section 7.4.1, or of the IANA registry that it began: 1012 is a restart,
 * 1013 asks a client to come back later. It does not say how much later: the longest wait of the client's
 * own.
 * @param code 1005 where the close frame had none
 * @param backoff the client's own
 * @param goneForGood whether 1001 is the end, as our servers mean it (docs/wire.md). A system of others says
 *   it too when a proxy or one of its servers is replaced, so its clients come back.
 */
export function readClose(code: number, { cap }: Backoff, goneForGood: boolean): Closed {
  return {
    answer: code === noCode ? normal : code,
    orderly: code === normal || code === noCode || code === serviceRestart,
    comesBack: !(goneForGood && code === goingAway),
    leastMs: code === tryAgainLater ? Math.min(cap, longestAskedMs) : 0,
  };
}
