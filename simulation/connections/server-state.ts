// Holds what one server is while connections come and go: whether it takes them, its clients, what it knows.

import type { DrainPlan } from '../../core/policy/server/drain.ts';
import type { Server } from '../models/server.ts';
import type { Lists } from './lists.ts';
import type { Reach } from './log.ts';

export type ServerState = {
  /** From 0, as in the list that clients choose from. */
  readonly place: number;
  /** A process of it runs that no fault has ended. */
  running: boolean;
  /** It ran at some time: "restart: all" starts no server that a fault starts later for the first time. */
  begun: boolean;
  /** Which of its processes that is. */
  life: number;
  /** Connections are accepted. */
  listening: boolean;
  closing: boolean;
  /** When the process that was stopped last has ended, or will have. */
  endsUs: number;
  /** It lets its clients go. */
  draining: DrainPlan | undefined;
  /** What subscribers are served from is down. */
  down: boolean;
  /** It closes what it accepts. */
  hangsUp: boolean;
  /** How often it was told to refuse. */
  refusals: number;
  thread: Server;
  reach: Reach;
  /** Lists of its clients: those connected, and those waiting to be accepted. */
  readonly members: number;
  readonly queue: number;
  /** Called when the last member has gone. */
  emptied: (() => void) | undefined;
};

export function newServer(
  place: number,
  lists: Lists,
  { running, thread }: Pick<ServerState, 'running' | 'thread'>,
): ServerState {
  return {
    place,
    running,
    begun: running,
    life: 0,
    listening: running,
    closing: false,
    endsUs: -Infinity,
    draining: undefined,
    down: false,
    hangsUp: false,
    refusals: 0,
    thread,
    reach: { from: 0, epoch: 0 },
    members: lists.open(),
    queue: lists.open(),
    emptied: undefined,
  };
}
