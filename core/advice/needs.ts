// Describes the needs of somebody who asks which pattern to choose, and derives from them how much there is
// to deliver, and how often a poller would have to ask.

export const receivers = ['browser', 'app', 'server'] as const;
export const holds = ['streams', 'requests', 'nothing'] as const;
export const misses = ['ok', 'catch-up', 'never'] as const;

export type Needs = {
  /** Who is told: pages of browsers, programs that people run, or other servers. */
  to: (typeof receivers)[number];
  /** Clients send as much as they are sent, and as soon. */
  bothWays: boolean;
  clients: number;
  /** Mean time between two updates of one client. */
  everyMs: number;
  /** How late an update may be; left out where it was not said. */
  withinMs?: number;
  /** All clients get the same updates, and not each its own. */
  shared: boolean;
  /** The server can call the receiver at an address of its own. */
  reachable: boolean;
  /** What may stay open between the two: streams, one request until it is answered, or nothing. */
  hold: (typeof holds)[number];
  /** Updates that a client may miss: any; none, except that those of an absence come later; none ever. */
  missed: (typeof misses)[number];
  ordered: boolean;
  /** Little to write and to run counts for more than low costs. */
  simplest: boolean;
};

const minuteMs = 60_000;
/** Nobody polls more often than this: a stream would be cheaper. */
const leastPollMs = 100;
const mostPollMs = 3_600_000;

export function deliveriesPerS({ clients, everyMs }: Needs): number {
  return (clients * 1000) / everyMs;
}

/** Events to publish, all topics together. */
export function eventsPerS(needs: Needs): number {
  return needs.shared ? 1000 / needs.everyMs : deliveriesPerS(needs);
}

/**
 * The interval of a poller: the time that an update may be late. If any delay is fine, the time between two
 * updates; half of that if updates are rare, as in the article (a poll every 30 s for an update a minute).
 */
export function pollEveryMs({ everyMs, withinMs }: Needs): number {
  const wanted = withinMs ?? (everyMs >= minuteMs ? everyMs / 2 : everyMs);
  return Math.round(Math.min(mostPollMs, Math.max(leastPollMs, wanted)));
}

/** Whether an update that is late by this much is still in time. */
export function mayBeLate({ withinMs = Infinity }: Needs, ms: number): boolean {
  return withinMs >= ms;
}
