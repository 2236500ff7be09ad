// Bounds the connections of a listener that have not sent a whole request yet: how many there are, and how
// long one may stay. Clients that open connections and say nothing, or half of something, shut nobody else
// out.

import type { Server, Socket } from 'node:net';
import { descriptorLimit } from '../base/descriptor-limit.ts';
import { listenBacklog } from '../base/listen-backlog.ts';

export type HalfOpen = {
  /** It has sent a whole request and is bounded by other rules from now on. */
  settled(socket: Socket): void;
  /** It has said enough to stay, though it may still be the first to go when there is no room. */
  greeted(socket: Socket): void;
};

export type HalfOpenRules = {
  /** How long a connection may take for its first words. */
  withinMs: number;
  /** `mostHalfOpen` when left out. */
  most?: number;
  /** Its time is up: say so where that is possible, and close it. */
  expired(socket: Socket): void;
};

/** How long a request's head may take from its first byte to its last; later it is answered 408. */
export const headMs = 10_000;
/**
 * How long a connection may say nothing at all: a publisher connects early and has nothing to send for a
 * while.
 */
export const silentMs = 300_000;

/** A crowd that comes at once must all get in: as many as may wait in the kernel to be accepted. */
export const mostHalfOpen = listenBacklog;
/** Descriptors left to the process for whatever else it opens; a scenario's preflight leaves 64. */
const reserve = 16;
const longestSweepMs = 1000;

/**
 * Watches the connections of `server`. Where there are more than `most` of them that have not sent a whole
 * request, or the process has fewer than 16 descriptors left, each new connection closes the oldest of them.
 */
export function boundHalfOpen(
  server: Server,
  { withinMs, most = mostHalfOpen, expired }: HalfOpenRules,
): HalfOpen {
  /** In the order in which they came, with the time by which they must have spoken. */
  const waiting = new Map<Socket, number>();
  const highest = (descriptorLimit('self') ?? Infinity) - reserve;
  /**
   * How many may wait, as far as the descriptors go. Found out when they are used up, and again a moment
   * later.
   */
  let room = Infinity;

  server.on('connection', (socket: Socket) => {
    const nowMs = performance.now();
    if (!timer) arm(nowMs);
    waiting.set(socket, nowMs + withinMs);
    socket.once('close', () => waiting.delete(socket));
    const above = descriptorOf(socket) - highest;
    if (above >= 0) room = Math.max(1, waiting.size - 1 - above);
    const allowed = Math.min(most, room);
    for (const oldest of waiting.keys()) {
      if (waiting.size <= allowed) break;
      waiting.delete(oldest);
      oldest.destroy(); // its descriptor is free at once
    }
  });

  const sweepMs = Math.min(withinMs, longestSweepMs);
  let timer: NodeJS.Timeout | undefined;
  let armedMs = 0;

  // Only while somebody waits: a server that nobody disturbs is not to wake up.
  function arm(nowMs: number): void {
    armedMs = nowMs;
    timer = setTimeout(sweep, sweepMs).unref();
  }

  function sweep(): void {
    const nowMs = performance.now();
    room = Infinity;
    // A process that was stopped, or busy, has read nothing meanwhile, so that time is not the clients'.
    const lateMs = Math.max(0, nowMs - armedMs - 2 * sweepMs);
    for (const [socket, untilMs] of waiting) {
      if (untilMs + lateMs > nowMs) {
        if (lateMs > 0) waiting.set(socket, untilMs + lateMs);
      } else {
        waiting.delete(socket);
        expired(socket);
      }
    }
    timer = undefined;
    if (waiting.size > 0) arm(nowMs);
  }

  return {
    settled: (socket) => void waiting.delete(socket),
    greeted(socket) {
      if (waiting.has(socket)) waiting.set(socket, Infinity);
    },
  };
}

/**
 * Whether this `clientError` of an HTTP/1.1 server is about a connection that has sent nothing, and is no
 * error yet. Node counts the time for a head (`headersTimeout`) from the connection on, and says once that it
 * is over. It starts the clock again with the first byte of a request; until then `boundHalfOpen` bounds the
 * silence.
 */
export function isSilence({ code }: NodeJS.ErrnoException, socket: Socket): boolean {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
}

/**
 * The number of a socket's descriptor. A new one gets the lowest that is free (POSIX, `accept`), so this
 * tells how many the process has without counting them. -1 where Node does not say.
 */
function descriptorOf(socket: Socket): number {
  // Not in Node's types: the handle under a socket, which has its descriptor on all systems but Windows.
  const { _handle: handle } = socket as Socket & { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' ? handle.fd : -1;
}
