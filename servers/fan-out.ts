// What the streaming patterns share: handing each event to every subscriber of its topic, catching up from the
// history, what happens to a subscriber that is slow, and signs of life. Knows no protocol.

import { formatBytes } from '../core/units.ts';
import type { HubEvent } from './hub.ts';
import type { PatternContext } from './pattern.ts';

/** The writing end of one subscriber, as its pattern makes it. */
export type Outlet = {
  send(event: HubEvent): void;
  /** Bytes written that the kernel has not taken yet. */
  bufferedBytes(): number;
  /** Calls once when they have been taken. Never, when the connection ends first. */
  onceDrained(callback: () => void): void;
  /** Ends the connection because the subscriber is too slow. */
  cutOff(reason: string): void;
};

export type FanOut<O extends Outlet> = {
  /**
   * Begins to serve a subscriber, in one step, so that nothing is published in between: it is told where it
   * stands, gets what it missed, then what comes.
   * @param since its cursor; from now on when undefined
   * @param open is given the cursor to begin from, and whether events before it are lost
   * @throws TooManyTopics
   */
  add(outlet: O, topics: readonly string[], since: string | undefined, open: (cursor: string, reset: boolean) => void): void;
  /** Its connection is gone. */
  remove(outlet: O): void;
  readonly outlets: ReadonlySet<O>;
  /** Those that nothing was sent to since the last call. */
  quiet(): O[];
};

type Subscriber<O> = {
  readonly outlet: O;
  readonly topics: readonly string[];
  unsubscribe: () => void;
  /** While it catches up: the last event it was sent. What is published meanwhile it gets from the history. */
  behind: string | undefined;
  /** Coalescing: the newest event of each topic since it became slow. */
  pending: Map<string, HubEvent> | undefined;
  /** Nothing was sent since `quiet` was last asked. */
  quiet: boolean;
};

export function createFanOut<O extends Outlet>({ hub, limits, counters }: PatternContext): FanOut<O> {
  const subscribers = new Map<O, Subscriber<O>>();
  const outlets = new Set<O>();

  function send(subscriber: Subscriber<O>, event: HubEvent): void {
    subscriber.quiet = false;
    counters.events++;
    subscriber.outlet.send(event);
  }

  function publish(subscriber: Subscriber<O>, event: HubEvent): void {
    if (subscriber.behind !== undefined) return;
    if (subscriber.pending) coalesce(subscriber.pending, event);
    else if (subscriber.outlet.bufferedBytes() > limits.slowBuffer) meetPolicy(subscriber, event);
    else send(subscriber, event);
  }

  function meetPolicy(subscriber: Subscriber<O>, event: HubEvent): void {
    if (limits.slow === 'disconnect') {
      counters.slowDisconnects++;
      subscriber.outlet.cutOff(`more than ${formatBytes(limits.slowBuffer)} behind`);
    } else if (limits.slow === 'drop') {
      counters.slowDrops++;
    } else {
      subscriber.pending = new Map([[event.topic, event]]);
      subscriber.outlet.onceDrained(() => {
        const newest = [...subscriber.pending!.values()].sort((a, b) => a.offset - b.offset);
        subscriber.pending = undefined;
        for (const kept of newest) publish(subscriber, kept);
      });
    }
  }

  function coalesce(pending: Map<string, HubEvent>, event: HubEvent): void {
    if (pending.has(event.topic)) counters.slowDrops++;
    pending.set(event.topic, event);
  }

  /** Sends from the history as much as the connection takes, and goes on when that is through. */
  function catchUp(subscriber: Subscriber<O>, events: readonly HubEvent[]): void {
    for (const event of events) {
      send(subscriber, event);
      subscriber.behind = event.id;
      if (subscriber.outlet.bufferedBytes() > limits.slowBuffer) return subscriber.outlet.onceDrained(() => goOn(subscriber));
    }
    subscriber.behind = undefined;
  }

  function goOn(subscriber: Subscriber<O>): void {
    const { events, lost } = hub.since(subscriber.topics, subscriber.behind!); // it has been sent something
    if (lost && limits.slow === 'disconnect') {
      counters.slowDisconnects++;
      subscriber.outlet.cutOff('the history it was catching up from is gone');
    } else {
      if (lost) counters.slowDrops++;
      catchUp(subscriber, events);
    }
  }

  return {
    outlets,
    add(outlet, topics, since, open) {
      const subscriber: Subscriber<O> = { outlet, topics, unsubscribe: () => {}, behind: undefined, pending: undefined, quiet: false };
      subscriber.unsubscribe = hub.subscribe(topics, (event) => publish(subscriber, event));
      subscribers.set(outlet, subscriber);
      outlets.add(outlet);
      if (since === undefined) return open(hub.cursor(), false);
      const { events, lost } = hub.since(topics, since);
      if (lost) counters.resets++;
      open(lost ? hub.cursor() : since, lost);
      catchUp(subscriber, events);
    },
    remove(outlet) {
      subscribers.get(outlet)?.unsubscribe();
      subscribers.delete(outlet);
      outlets.delete(outlet);
    },
    quiet() {
      const silent: O[] = [];
      for (const subscriber of subscribers.values()) {
        if (subscriber.quiet && subscriber.behind === undefined) silent.push(subscriber.outlet);
        subscriber.quiet = true;
      }
      return silent;
    },
  };
}

/** Frames an event once for all subscribers that it goes to, one after the other. */
export function framedOnce<Frame>(frame: (event: HubEvent) => Frame): (event: HubEvent) => Frame {
  let last: HubEvent | undefined;
  let framed: Frame;
  return (event) => {
    if (event !== last) {
      framed = frame(event);
      last = event;
    }
    return framed;
  };
}
