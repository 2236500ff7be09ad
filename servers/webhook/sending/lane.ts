// Keeps what is loaded of one endpoint's deliveries, and says which of them is next and when it may be sent.
// Whose turn it is among the endpoints, the dispatcher decides; it also asks the store for more.

import { newFifo, type Fifo } from './fifo.ts';
import type { Breaker } from './health.ts';
import type { Task } from '../store.ts';

export type LaneOptions = {
  /** Attempts under way at once. */
  concurrency: number;
  /** Attempts a second at the most, over any second and a tenth; Infinity for no limit. */
  ratePerS: number;
  fifo: boolean;
  breaker: Breaker | undefined;
};

export type Lane = LaneOptions & {
  readonly endpoint: number;
  /** Loaded and due. */
  readonly fresh: Fifo<Task>;
  readonly retries: Fifo<Task>;
  /** Loaded: due or under way. */
  readonly loaded: Set<number>;
  /** Of those, the ones that the store has under `waiting`. */
  readonly loadedWaiting: Set<number>;
  readonly underWay: Set<number>;
  /** Fresh deliveries above this id are in the store alone, if `more`. */
  freshTo: number;
  more: boolean;
  /** Deliveries with a time of their own that are not loaded. */
  waiting: number;
  /** There may be due ones among them. */
  moreDue: boolean;
  pending: number;
  bytes: number;
  /** The store could be asked for the two. */
  isCounted: boolean;
  inLine: boolean;
  wakeAtMs: number;
  cancelWake: () => void;
  /**
   * When the next attempt is within the rate (the generic cell rate algorithm's theoretical arrival time).
   */
  paceMs: number;
};

/** How far a lane may be ahead of its pace: what stood still for a moment may be caught up. */
const burstMs = 100;

/** @param still attempts under way from before the endpoint was stopped: the store has them as pending */
export function newLane(endpoint: number, options: LaneOptions, still: ReadonlySet<number>): Lane {
  return {
    ...options,
    endpoint,
    fresh: newFifo(),
    retries: newFifo(),
    loaded: new Set(still),
    loadedWaiting: new Set(),
    underWay: new Set(),
    concurrency: options.fifo ? 1 : options.concurrency,
    freshTo: 0,
    more: false,
    waiting: 0,
    moreDue: false,
    pending: 0,
    bytes: 0,
    isCounted: false,
    inLine: false,
    wakeAtMs: Infinity,
    cancelWake: () => {},
    paceMs: 0,
  };
}

/** Whether another attempt of it may be made, as far as the lane knows without asking the store. */
export function hasNext(lane: Lane): boolean {
  if (lane.underWay.size >= lane.concurrency) return false;
  if (lane.retries.size() > 0 || lane.moreDue) return true;
  return !isBlocked(lane) && (lane.fresh.size() > 0 || lane.more);
}

/** Takes the next of those that are loaded: the one that has been due for longest. */
export function takeNext(lane: Lane): Task | undefined {
  const fresh = lane.fresh.peek();
  const retry = lane.retries.peek();
  if (retry)
    return lane.fifo || !fresh || retry.dueMs <= fresh.dueMs ? lane.retries.shift() : lane.fresh.shift();
  return isBlocked(lane) ? undefined : lane.fresh.shift();
}

/** With `fifo`, all stay behind the one that failed. */
function isBlocked({ fifo, waiting }: Lane): boolean {
  return fifo && waiting > 0;
}

/**
 * When breaker and rate allow an attempt; undefined while the breaker waits for the end of
 * the attempt that decides.
 * @returns milliseconds on the clock of `nowMs`
 */
export function mayBeginAt({ breaker, paceMs }: Lane, nowMs: number): number | undefined {
  const fromMs = breaker ? breaker.fromMs(nowMs) : nowMs;
  return fromMs === undefined ? undefined : Math.max(fromMs, paceMs - burstMs);
}

/** Counts an attempt that begins: for breaker and rate. */
export function beginIn(lane: Lane, { id }: Task, nowMs: number): void {
  lane.underWay.add(id);
  if (lane.ratePerS !== Infinity) lane.paceMs = Math.max(lane.paceMs, nowMs) + 1000 / lane.ratePerS;
  lane.breaker?.begin(nowMs);
}

/** Lets go of all that is loaded. */
export function emptyLane(lane: Lane): void {
  lane.cancelWake();
  lane.loaded.clear();
  lane.loadedWaiting.clear();
  lane.fresh.drain();
  lane.retries.drain();
  lane.more = false;
}
