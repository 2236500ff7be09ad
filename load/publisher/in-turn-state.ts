// Holds the state of a publisher that sends each topic's events in turn, and decides whose turn it is: one
// request of a topic is under way at a time, and topics share a number of connections. in-turn.ts sends.

import { newQueue, type Queue } from '../../core/base/queue.ts';
import { redact } from '../../core/secrets/redact.ts';
import { topicCount } from '../../core/scenario/topics.ts';
import type { Client, HttpClients } from '../wire/http-client.ts';
import type { Body } from './body-stock.ts';
import type { PublisherSetup } from './contract.ts';
import type { Dialect } from './dialect.ts';
import { newPublishing, type Publishing } from './publishing.ts';

/** One connection, and the event that it carries; -1 for none. */
export type Lane = { client: Client<Lane>; current: number };

export type State = Publishing & {
  readonly dialect: Dialect;
  /** The bodies of events that wait. */
  readonly bodyOf: Map<number, Body>;
  /** The last number given on each topic. */
  readonly numbers: Int32Array;
  /** Topics with an event under way or in `ready`, and the events that wait behind it. */
  readonly behind: Map<number, Queue<number>>;
  /** Events that wait for a connection alone, since their topic lets them go: one a topic. */
  readonly ready: Queue<number>;
  /** Once the connections' code has been loaded. */
  clients: HttpClients<Lane> | undefined;
  lanes: Lane[];
  /** Connections without a request; the one that was used last is used next. */
  idle: Lane[];
  answered: number;
  /** Events that wait, and the bytes of their bodies. */
  waiting: number;
  waitingBytes: number;
};

/** @param step the pacer's */
export function newState(setup: PublisherSetup, dialect: Dialect, step: () => number): State {
  const publishing = newPublishing(setup, step);
  return {
    ...publishing,
    problem: (code, message) => publishing.problem(code, redact(message, dialect.secrets)),
    dialect,
    bodyOf: new Map(),
    numbers: new Int32Array(topicCount(setup.topics)),
    behind: new Map(),
    ready: newQueue(),
    clients: undefined,
    lanes: [],
    idle: [],
    answered: 0,
    waiting: 0,
    waitingBytes: 0,
  };
}

/**
 * An event is due.
 * @returns the connection that takes it now; undefined where it waits for its topic or for a connection
 */
export function enter({ behind, ready, idle, plan }: State, i: number): Lane | undefined {
  const topic = plan.topic[i]!;
  const before = behind.get(topic);
  if (before) {
    before.push(i);
    return undefined;
  }
  behind.set(topic, newQueue());
  const lane = idle.pop();
  if (!lane) ready.push(i);
  return lane;
}

/**
 * The event of a lane has ended, and with it its topic's turn.
 * @returns what the lane carries next; undefined where nothing waits for a connection, and the lane is idle
 */
export function leave({ behind, ready, idle, plan }: State, lane: Lane): number | undefined {
  const topic = plan.topic[lane.current]!;
  lane.current = -1;
  const next = behind.get(topic)?.shift();
  if (next === undefined) behind.delete(topic);
  // Behind the other topics that wait: a busy one must not keep the connections to itself.
  else ready.push(next);
  const taken = ready.shift();
  if (taken === undefined) idle.push(lane);
  return taken;
}

/** How many events are not sent yet, though they were due. */
export function unsent({ behind, ready }: State): number {
  return [...behind.values()].reduce((sum, queue) => sum + queue.size(), ready.size());
}
