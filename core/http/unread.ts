// Bounds the memory that a client costs an HTTP/1.1 server when it asks and does not read: one answer at a
// time on a connection, and an answer that cannot be sent is held no longer than `unreadMs`.

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * How long bytes may wait for a client that takes none. The server notices that a client reads only when a
 * third of the kernel's buffers (up to 4 MiB) is free again. So a client that reads more slowly than about
 * 16 KB/s may look like one that does not read.
 */
export const unreadMs = 120_000;

/** How many requests of a connection wait for their turn. */
const waiting = new WeakMap<Socket, number>();

/**
 * Whether an answer is next on its connection. An answer's turn comes when all before it have left.
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
    // If the timeout that is over is not ours, it is `keepAliveTimeout`: the connection is between two
    // requests.
    if (socket.writableLength > 0 || socket.timeout !== withinMs) socket.destroy();
  });
}
