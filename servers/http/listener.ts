// Closes servers, and says how long a connection may be idle: what listeners of HTTP/1.1 and HTTP/2 share.

import type { Server, Socket } from 'node:net';
import { goodbyeLimits } from '../../core/policy/server/goodbye.ts';

/** One port. */
export type Port = { server: Server; close(): Promise<void> };

/**
 * How long a connection may stand idle between requests, a session without streams: above any usual interval
 * of polling. (The load side's webhook receiver has a time of its own, for another reason.)
 */
export const idleMs = 900_000;

/** @param sockets all that are open, each a member until its 'close' event */
export async function closeServer(
  server: Server,
  sockets: readonly Socket[],
  gently: () => void,
): Promise<void> {
  if (!server.listening) return;
  const gone = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  server.close();
  gently();
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), goodbyeLimits.connectionsMs);
  await Promise.all(gone);
  clearTimeout(timer);
}
