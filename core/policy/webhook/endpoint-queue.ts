// Holds the loaded deliveries of one endpoint, and decides which is next and when it may be sent: by the
// endpoint's concurrency, its rate, its circuit breaker and, with `fifo`, its order. dispatch.ts decides
// which endpoint has its turn, and loads more. Pure: state and functions, times are given.

import { newQueue, type Queue } from '../../base/queue.ts';
import { beginInBreaker, breakerAllowsAtMs, type Breaker } from './breaker.ts';
import type { Task } from './delivery.ts';

export type EndpointLimits = {
  /** Attempts under way at once. */
  readonly concurrency: number;
  /** Attempts a second at most, over any second and a tenth; Infinity for no limit. */
  readonly ratePerS: number;
  /** One attempt at a time, and a failed delivery keeps all later ones waiting until it is settled. */
  readonly fifo: boolean;
  readonly breaker: Breaker | undefined;
};

export type EndpointQueue = EndpointLimits & {
  readonly endpoint: number;
  /** Loaded and due: never tried, and to be tried again. */
  readonly fresh: Queue<Task>;
  readonly retries: Queue<Task>;
  /** Ids that are loaded: due or under way. */
  readonly loaded: Set<number>;
  /** Of those, the ones that the source has under `waiting`. */
  readonly loadedWaiting: Set<number>;
  readonly underWay: Set<number>;
  /** Fresh deliveries above this id are in the source alone, if `more`. */
  freshTo: number;
  more: boolean;
  /** Deliveries with a time of their own that are not loaded. */
  waiting: number;
  /** There may be due ones among them. */
  moreDue: boolean;
  /** All that is pending for the endpoint, and the bytes of its events. */
  pending: number;
  bytes: number;
  /** The source could be asked for the two. */
  isCounted: boolean;
  /** It waits for its turn. */
  inLine: boolean;
  /** When it is looked at again; Infinity when nothing is due at a time of its own. */
  wakeAtMs: number;
  /**
   * When the next attempt is within the rate (the generic cell rate algorithm's theoretical arrival time).
   */
  paceMs: number;
};

/** Attempts under way of an endpoint that was stopped: the source has them as pending. */
export type StillUnderWay = Pick<EndpointQueue, 'underWay' | 'loadedWaiting'>;

/** How far an endpoint may be ahead of its pace: what stood still for a moment may be caught up. */
const burstMs = 100;

/** What a server is told of all its endpoints. */
export type LimitOptions = {
  concurrency: number;
  endpointConcurrency: 'auto' | number;
  endpointRate: 'unlimited' | number;
  fifo: boolean;
  /** How fast the clock of the rate runs. */
  timeScale: number;
};

/**
 * Attempts that an endpoint may have under way. One that never answers costs the
 * others an eighth, and no more.
 */
export function endpointConcurrency({
  endpointConcurrency: given,
  concurrency,
}: Pick<LimitOptions, 'endpointConcurrency' | 'concurrency'>): number {
  return given === 'auto' ? Math.max(1, Math.floor(concurrency / 8)) : given;
}

export function endpointLimits(options: LimitOptions): Omit<EndpointLimits, 'breaker'> {
  const { endpointRate, timeScale, fifo } = options;
  return {
    concurrency: endpointConcurrency(options),
    ratePerS: endpointRate === 'unlimited' ? Infinity : endpointRate * timeScale,
    fifo,
  };
}

/** @param still attempts under way from before the endpoint was stopped */
export function newEndpointQueue(
  endpoint: number,
  limits: EndpointLimits,
  still?: StillUnderWay,
): EndpointQueue {
  const underWay = still?.underWay ?? new Set<number>();
  return {
    ...limits,
    endpoint,
    fresh: newQueue(),
    retries: newQueue(),
    loaded: new Set(underWay),
    loadedWaiting: still?.loadedWaiting ?? new Set(),
    underWay,
    concurrency: limits.fifo ? 1 : limits.concurrency,
    freshTo: 0,
    more: false,
    waiting: 0,
    moreDue: false,
    pending: 0,
    bytes: 0,
    isCounted: false,
    inLine: false,
    wakeAtMs: Infinity,
    paceMs: 0,
  };
}

/** Whether another attempt may be made, as far as is known without asking the source. */
export function hasNext(queue: EndpointQueue): boolean {
  if (queue.underWay.size >= queue.concurrency) return false;
  if (queue.retries.size() > 0 || queue.moreDue) return true;
  return !isBlocked(queue) && (queue.fresh.size() > 0 || queue.more);
}

/** Takes the loaded delivery that has been due for longest. */
export function takeNext(queue: EndpointQueue): Task | undefined {
  const fresh = queue.fresh.peek();
  const retry = queue.retries.peek();
  if (retry)
    return queue.fifo || !fresh || retry.dueMs <= fresh.dueMs ? queue.retries.shift() : queue.fresh.shift();
  return isBlocked(queue) ? undefined : queue.fresh.shift();
}

/** With `fifo`, all later deliveries wait behind a failed one. */
function isBlocked({ fifo, waiting }: EndpointQueue): boolean {
  return fifo && waiting > 0;
}

/**
 * When breaker and rate allow an attempt, on the clock of `nowMs`; undefined while the breaker waits for the
 * end of the attempt that decides.
 */
export function allowedAtMs({ breaker, paceMs }: EndpointQueue, nowMs: number): number | undefined {
  const fromMs = breaker ? breakerAllowsAtMs(breaker, nowMs) : nowMs;
  return fromMs === undefined ? undefined : Math.max(fromMs, paceMs - burstMs);
}

/** Counts an attempt that begins: for concurrency, breaker and rate. */
export function countBegun(queue: EndpointQueue, { id }: Task, nowMs: number): void {
  queue.underWay.add(id);
  if (queue.ratePerS !== Infinity) queue.paceMs = Math.max(queue.paceMs, nowMs) + 1000 / queue.ratePerS;
  if (queue.breaker) beginInBreaker(queue.breaker);
}

/** Lets go of all loaded deliveries. @returns the attempts under way, which go on */
export function emptyQueue(queue: EndpointQueue): StillUnderWay {
  const { underWay, loadedWaiting } = queue;
  queue.loaded.clear();
  queue.fresh.drain();
  queue.retries.drain();
  queue.more = false;
  queue.moreDue = false;
  return { underWay, loadedWaiting: new Set([...underWay].filter((id) => loadedWaiting.has(id))) };
}
