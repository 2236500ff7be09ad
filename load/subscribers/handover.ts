// Tells what decides on transports (load/fallback.ts) how a subscriber's connection ended.

import type { Comeback } from '../../core/policy/client/reconnect.ts';
import type { LoadContext } from '../pattern.ts';
import { cursorText, type Cursor } from './cursor.ts';

type Ended = Comeback & {
  readonly subscriber: number;
  readonly connected: boolean;
  readonly away: boolean;
  readonly cursor: Cursor;
};

/** Whether another transport takes the subscriber, now that its connection has ended. */
export function isTakenOver({ handover }: Pick<LoadContext, 'handover'>, stream: Ended): boolean {
  if (!handover || stream.away) return false;
  const { subscriber, connected, refusedWith, leastMs, openMs, cursor } = stream;
  const upMs = openMs < 0 ? 0 : performance.now() - openMs;
  const end = { connected, refusedWith, asksToWait: leastMs > 0, upMs };
  return handover.ended(subscriber, end, cursorText(cursor));
}
