// Ends deliveries and, with the last of them, their events in a simulation of webhooks.

import type { Deliveries } from './deliveries.ts';
import { placeOf } from './pages.ts';
import type { Published } from './published.ts';

/** `given-up`: after its last attempt, a dead letter. `dropped`: its endpoint had no room for it. */
export type Settled = 'delivered' | 'given-up' | 'cancelled' | 'dropped';

export type Settling = {
  /** Nothing more is tried for a delivery: it is forgotten. */
  settle(id: number, as: Settled): void;
  /** A breaker has. */
  opened(): void;
  /** What is still there counts as it is. */
  endAll(): void;
  counts(): Readonly<Record<Settled | 'pending' | 'opened', number>>;
};

export function createSettling(
  { pages }: Pick<Published, 'pages'>,
  deliveries: Pick<Deliveries, 'pages' | 'eventOf'>,
  account: { ended(plannedUs: number, firstUs: number, medianUs: number, lastUs: number): void },
): Settling {
  function tell(event: number): void {
    const page = pages.page(event);
    const place = placeOf(event);
    if (page.receivers[place]! < 2 || page.received[place] === 0) return;
    account.ended(
      page.plannedUs[place]!,
      page.firstUs[place]!,
      // Where most never had it, the last who had stands for the middle.
      page.received[place]! * 2 < page.receivers[place]! ? page.lastUs[place]! : page.medianUs[place]!,
      page.lastUs[place]!,
    );
  }
  const counts = { delivered: 0, 'given-up': 0, cancelled: 0, dropped: 0, opened: 0 };
  return {
    settle(id, as) {
      counts[as]++;
      const event = deliveries.eventOf(id);
      deliveries.pages.give(id);
      if (--pages.page(event).left[placeOf(event)]! > 0) return;
      tell(event);
      pages.give(event);
    },
    opened: () => void counts.opened++,
    endAll: () => pages.each(tell),
    counts: () => ({ ...counts, pending: deliveries.pages.live() }),
  };
}
