// Lets subscribers leave and come back: pages closed and opened again, phones in a tunnel.

import type { LoadCommand } from '../../core/protocol/control.ts';
import { drawShare, random } from '../../core/base/random.ts';
import type { RunningLoad } from '../pattern.ts';

export type Leaving = {
  /** This share of the subscribers that are there, drawn from the seed, leaves for a while. */
  begin(share: number, forMs: number): void;
  /** Nobody comes back any more. */
  stop(): void;
};

export function createLeaving(
  { first, count, seed }: Pick<Extract<LoadCommand, { kind: 'start' }>, 'first' | 'count' | 'seed'>,
  running: RunningLoad,
): Leaving {
  const next = random(seed, `leave:${first}`);
  const away = new Set<number>();
  const timers = new Set<NodeJS.Timeout>();
  return {
    begin(share, forMs) {
      const there = Array.from({ length: count }, (_, i) => first + i).filter(
        (subscriber) => !away.has(subscriber),
      );
      const leaving = drawShare(there, share, next);
      for (const subscriber of leaving) {
        away.add(subscriber);
        running.leave?.(subscriber);
      }
      const timer = setTimeout(() => {
        timers.delete(timer);
        for (const subscriber of leaving) {
          away.delete(subscriber);
          running.comeBack?.(subscriber);
        }
      }, forMs);
      timers.add(timer);
    },
    stop: () => timers.forEach((timer) => clearTimeout(timer)),
  };
}
