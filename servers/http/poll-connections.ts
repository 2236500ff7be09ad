// Knows the connections of polling and long polling, and ends them when the server is drained: one after the
// other, the answer to the next request says `Connection: close`. Connections without a request, as in the
// pool of a proxy, are closed afterwards: a client must expect that of an idle connection at any time (RFC
// 9112, section 9.3.1).

import type { Socket } from 'node:net';
import { idleCloseMs, type DrainCount, type DrainPlan } from '../../core/policy/server/drain.ts';
import type { Request, Response } from '../pattern.ts';
import { letGo, type LettingGo } from './let-go.ts';

export type PollConnections = {
  /** Those that are open, in the order in which they came. */
  readonly sockets: ReadonlySet<Socket>;
  has(request: Request): boolean;
  add(request: Request): void;
  /** The pattern hears of this request later: its token is being looked up. */
  waits(request: Request, response: Response): void;
  /** Whether the answer to this request has to say goodbye. */
  isDue(request: Request): boolean;
  /** A request was answered with a goodbye. */
  told(request: Request): void;
  /** @param due is called for each when its time has come */
  drain(plan: DrainPlan, due?: (socket: Socket) => void): Promise<DrainCount>;
};

export function createPollConnections(): PollConnections {
  const sockets = new Set<Socket>();
  const dueSockets = new Set<Socket>();
  /** On which requests wait, and how many. */
  const waiting = new Map<Socket, number>();
  let draining: LettingGo | undefined;
  let idleAreClosed = false;

  function answered(socket: Socket): void {
    const left = waiting.get(socket)! - 1; // each was counted
    if (left > 0) return void waiting.set(socket, left);
    waiting.delete(socket);
    if (idleAreClosed) socket.destroySoon(); // one that was refused was not told to go
  }

  function closeIdle(): void {
    idleAreClosed = true;
    for (const socket of sockets) if (!waiting.has(socket)) socket.destroySoon();
  }

  return {
    sockets,
    has: ({ socket }) => sockets.has(socket),
    add({ socket }) {
      if (sockets.has(socket)) return;
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        dueSockets.delete(socket);
        draining?.gone();
      });
    },
    waits({ socket }, response) {
      if (!sockets.has(socket)) return;
      waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
      response.once('close', () => answered(socket));
    },
    isDue: ({ socket }) => dueSockets.has(socket),
    told({ socket }) {
      if (dueSockets.delete(socket)) draining?.told();
    },
    async drain(plan, due = () => {}) {
      const timer = setTimeout(closeIdle, idleCloseMs(plan));
      draining = letGo(plan, {
        members: sockets,
        due(socket) {
          dueSockets.add(socket);
          due(socket);
        },
        cut: (socket) => void socket.destroy(),
      });
      const counted = await draining.done;
      clearTimeout(timer);
      return counted;
    },
  };
}
