// Tells clients when they join over which time to spread their return after a loss (`server.announce`), in
// the form of each pattern. docs/wire.md, "Announced on joining".

import type { ServerLimits } from '../../core/scenario/scenario.ts';

type Announcing = Pick<ServerLimits, 'announce'>;

/** Of answers to polls. Whole milliseconds, as everywhere. */
export function announcedHeaders({ announce }: Announcing): Record<string, string> {
  return announce > 0 ? { 'pushbench-reconnect': String(Math.round(announce)) } : {};
}

/** A member of the first message or line, with the comma in front of it. */
export function announcedMember({ announce }: Announcing): string {
  return announce > 0 ? `,"reconnectMs":${Math.round(announce)}` : '';
}

/** An SSE event of a type of its own, which an `EventSource` without a listener for it ignores. */
export function announcedEvent({ announce }: Announcing): string {
  return announce > 0 ? `event: reconnect\ndata: {"windowMs":${Math.round(announce)}}\n\n` : '';
}
