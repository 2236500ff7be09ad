// Holds what there is while connections come and go: clients, the servers that they choose from, and what
// the kernel does between them.

import type { HandlerId } from '../events/events.ts';
import type { Random } from '../../core/base/random.ts';
import type { ReconnectPolicy } from '../../core/policy/client/reconnect.ts';
import type { Server } from '../models/server.ts';
import type { Account } from './account.ts';
import { createComebacks, type Comebacks } from './comebacks.ts';
import type { Deliveries } from './deliveries.ts';
import { createLists, type Lists } from './lists.ts';
import type { Log, Sharing } from './log.ts';
import type { PatternRules } from './pattern-rules.ts';
import type { Publishing } from './publishing.ts';
import type { ServerState } from './server-state.ts';
import type { SynRules } from './syn.ts';
import type { Time } from './time.ts';

/**
 * What a client does. `here`: subscribed. `waits`: for its next attempt. `asks`: its kernel asks a listener
 * that was full. `queued`: until a server gets to it. `left`: until the fault lets it come back. `gone`: it
 * has given up.
 */
export const states = { here: 0, waits: 1, asks: 2, queued: 3, left: 4, gone: 5 } as const;

export type Clients = {
  readonly count: number;
  readonly state: Uint8Array;
  /** The server that it is at, or has chosen. */
  readonly server: Uint8Array;
  /** When the client is due next; an event for another time is out of date. */
  readonly dueUs: Float64Array;
  /** 1 where it has left and was not told to come back yet. */
  readonly hasLeft: Uint8Array;
  /** The log's size when it was lost, and the epoch of the server that it was at. */
  readonly lostAt: Uint32Array;
  readonly epoch: Uint32Array;
  /** Where its cursor is until an event comes. */
  readonly joinedAt: Uint32Array;
  /** How many are subscribed. */
  here: number;
};

/** Connections that a full listener dropped at the same time, so that they are asked for again together. */
export type Batch = { server: number; sent: number; list: number };

export type World = {
  readonly time: Time;
  readonly clients: Clients;
  readonly lists: Lists;
  readonly comebacks: Comebacks;
  readonly servers: readonly ServerState[];
  readonly syn: SynRules;
  readonly policy: ReconnectPolicy;
  readonly rules: PatternRules;
  readonly account: Account;
  readonly log: Log;
  readonly sharing: Sharing;
  readonly deliveries: Deliveries;
  readonly publishing: Publishing;
  /** The thread of a process that starts. */
  readonly newThread: () => Server;
  /** How long servers take. */
  readonly ends: { readonly startUs: number; readonly stopUs: number };
  /** Servers have one core together, so one that starts takes time from those that run. */
  readonly sharesCore: boolean;
  /** Of the server's thread for a client to connect. */
  readonly connectUs: number;
  /** Streams of their own, so that what one draws leaves the others' numbers as they were. */
  readonly random: { readonly waits: Random; readonly advice: Random; readonly faults: Random };
  /** Work of a server's thread for connections. */
  worked(server: number, fromUs: number, tookUs: number): void;
  /** A handshake was asked for. */
  handshake(atUs: number, server: number): void;
  /** Clients whose connections were dropped together are one event, and not one each. */
  readonly together: boolean;
  readonly batches: Batch[];
  readonly freeBatches: number[];
  /** By server: the batch of this very moment. */
  readonly latest: { atUs: number; batch: number }[];
  readonly on: Handlers;
  nextEpoch: number;
};

export type Handlers = { attempt: HandlerId; served: HandlerId; again: HandlerId; told: HandlerId };

function newClients(count: number): Clients {
  return {
    count,
    state: new Uint8Array(count),
    server: new Uint8Array(count),
    dueUs: new Float64Array(count),
    hasLeft: new Uint8Array(count),
    lostAt: new Uint32Array(count),
    epoch: new Uint32Array(count),
    joinedAt: new Uint32Array(count),
    here: 0,
  };
}

/** Tables of clients, before any of them is connected. */
export function newTables(count: number): Pick<World, 'clients' | 'lists' | 'comebacks'> {
  return { clients: newClients(count), lists: createLists(count), comebacks: createComebacks(count) };
}
