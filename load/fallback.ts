// Runs subscribers that begin with one transport and go over to the next where it cannot be had: WebSocket,
// SSE, long polling. Each transport is the load side of its pattern, and one has a subscriber at a time.
// When a subscriber goes over is decided in core/policy/client/fallback.ts.

import { patterns, type PatternName } from '../core/pattern/registry.ts';
import {
  endsTransport,
  firstSignWithinMs,
  lateEndsTransport,
  newFallback,
  type Fallback,
} from '../core/policy/client/fallback.ts';
import type { Handover, LoadContext, RunningLoad, Sink } from './pattern.ts';

export type Transport = {
  name: PatternName;
  start(context: LoadContext): RunningLoad | Promise<RunningLoad>;
  /** It tells by `flows` when its stream flows; otherwise that is when it is ready. */
  tells?: true;
};

/** The transport that a WebSocket falls back to, with the pattern's defaults. */
export function transportOf(name: 'sse' | 'long-polling'): Transport {
  if (name === 'sse')
    return {
      name,
      start: async (context) => (await import('./sse.ts')).sse.start(context, patterns.sse.options.parse({})),
      tells: true,
    };
  return {
    name,
    start: async (context) =>
      (await import('./long-polling.ts')).longPolling.start(
        context,
        patterns['long-polling'].options.parse({}),
      ),
  };
}

type Subscriber = Fallback & {
  /** Until the first sign of the stream must have come. */
  timer: NodeJS.Timeout | undefined;
  /** Tells that it is ready, when there is a sign of the stream that was opened. */
  tellReady: (() => void) | undefined;
};

/** What the subscribers of a process share. */
type All = {
  readonly context: LoadContext;
  readonly transports: readonly Transport[];
  readonly again: boolean;
  readonly loads: RunningLoad[];
  readonly subscribers: Map<number, Subscriber>;
  closing: boolean;
};

/**
 * @param transports in the order in which they are tried
 * @param again whether a transport that has worked may be given up after a later loss
 */
export async function startFallback(
  context: LoadContext,
  transports: readonly Transport[],
  again = false,
): Promise<RunningLoad> {
  const all: All = { context, transports, again, loads: [], subscribers: new Map(), closing: false };
  for (const [place, { start }] of transports.entries())
    all.loads.push(await start({ ...context, sink: sinkOf(all, place), handover: handoverOf(all, place) }));
  const loadOf = (subscriber: number) => all.loads[all.subscribers.get(subscriber)?.place ?? 0]!;
  return {
    open(subscriber, cursor) {
      all.subscribers.set(subscriber, { ...newFallback(again), timer: undefined, tellReady: undefined });
      all.loads[0]!.open(subscriber, cursor);
    },
    leave(subscriber) {
      clearTimeout(all.subscribers.get(subscriber)?.timer);
      loadOf(subscriber).leave?.(subscriber);
    },
    comeBack: (subscriber) => loadOf(subscriber).comeBack?.(subscriber),
    slow: (subscriber, bytesPerS) => loadOf(subscriber).slow?.(subscriber, bytesPerS),
    send: (subscriber, ...message) => loadOf(subscriber).send?.(subscriber, ...message) ?? false,
    sends: (subscriber) => loadOf(subscriber).send !== undefined,
    closed: () => ({ transports: countsOf(all) }),
    async close(graceMs) {
      all.closing = true;
      for (const { timer } of all.subscribers.values()) clearTimeout(timer);
      await Promise.all(all.loads.map((load) => load.close(graceMs)));
    },
  };
}

function countsOf({ transports, subscribers }: All): Record<string, number> {
  const counts = transports.map(() => 0);
  for (const { place } of subscribers.values()) counts[place]!++;
  return Object.fromEntries(transports.map(({ name }, i) => [name, counts[i]!]));
}

/** A stream that something between keeps back is none yet: its subscriber is ready when it flows. */
function sinkOf(all: All, place: number): Sink {
  const { sink } = all.context;
  const { tells } = all.transports[place]!;
  return {
    ...sink,
    ready(id, ...how) {
      const subscriber = all.subscribers.get(id)!; // it was opened here
      const tellReady = () => sink.ready(id, ...how);
      if (tells && subscriber.timer) {
        subscriber.tellReady = tellReady;
        return;
      }
      flows(subscriber);
      tellReady();
    },
    lost(id, ...how) {
      const subscriber = all.subscribers.get(id)!; // it was opened here
      if (!subscriber.tellReady) sink.lost(id, ...how);
      subscriber.tellReady = undefined;
    },
  };
}

function handoverOf(all: All, place: number): Handover {
  const last = all.transports.length - 1;
  return {
    began(id) {
      const subscriber = all.subscribers.get(id)!; // it was opened here
      clearTimeout(subscriber.timer);
      if (subscriber.worked || place === last) return;
      subscriber.timer = setTimeout(() => {
        subscriber.timer = undefined;
        if (!lateEndsTransport(subscriber, last)) return;
        const cursor = all.loads[place]!.release!(id); // patterns that hand over have it
        all.loads[subscriber.place]!.open(id, cursor);
      }, firstSignWithinMs);
    },
    flows(id) {
      const subscriber = all.subscribers.get(id)!; // it was opened here
      const { tellReady } = subscriber;
      flows(subscriber);
      tellReady?.();
    },
    ended(id, end, cursor) {
      const subscriber = all.subscribers.get(id)!; // it was opened here
      flows(subscriber); // nothing is waited for any more
      if (all.closing || !endsTransport(subscriber, end, last)) return false;
      all.loads[subscriber.place]!.open(id, cursor);
      return true;
    },
  };
}

function flows(subscriber: Subscriber): void {
  clearTimeout(subscriber.timer);
  subscriber.timer = undefined;
  subscriber.tellReady = undefined;
}
