// Bounds what a client that asks and does not read makes a server of HTTP/1.1 hold: one answer at a time on a
// connection, and one that does not leave for no longer than `unreadMs`.

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How long bytes may wait for a client that takes none. A client is only seen to read when the kernel's
 * buffers have room again, a third of up to 4 MiB, so one that reads more slowly than about 16 KB/s may be
 * taken for one that does not.
 */
export const unreadMs = 120_000;

/** How many requests of a connection wait for their turn. */
const waiting = new WeakMap<Socket, number>();

/**
 * Whether an answer stands next on its connection. The others' turn comes when what is before them has left.
 */
export function hasTurn(response: ServerResponse): boolean {
  return response.socket !== null;
}

/**
 * Waits until an answer's turn has come.
 * @param most a connection on which more wait is cut; who counts them elsewhere leaves it out
 * @returns false when the connection is gone
 */
export function turnOf(response: ServerResponse, most = Infinity): Promise<boolean> {
  const { socket } = response.req;
  if (hasTurn(response)) return Promise.resolve(true);
  const before = waiting.get(socket) ?? 0;
  if (before >= most) socket.destroy();
  if (socket.destroyed) return Promise.resolve(false);
  waiting.set(socket, before + 1);
  return new Promise((resolve) => {
    const settle = () => {
      response.off('socket', settle).off('close', settle);
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      resolve(!socket.destroyed);
    };
    response.once('socket', settle).once('close', settle);
  });
}

/**
 * Cuts connections whose answer does not leave: nothing has come in, and nothing gone out, for so long.
 * Node's own limit on idle connections stays as it was, and connections on which nothing waits may be silent.
 * @param withinMs differs from `unreadMs` in tests alone
 */
export function cutUnread(server: Server, withinMs = unreadMs): void {
  server.setTimeout(withinMs, (socket) => {
    // Where it is not ours that is over, it is that of a connection between two requests
    // (`keepAliveTimeout`).
    if (socket.writableLength > 0 || socket.timeout !== withinMs) socket.destroy();
  });
}
