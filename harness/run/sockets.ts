// Counts the sockets that the subscribers of a scenario hold: one each, or one for a hundred streams of
// HTTP/2.

import { streamsPerConnection, type PatternRegistry } from '../../core/pattern/pattern.ts';
import { oneServer } from '../../core/scenario/servers.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';

type Asked = Pick<Scenario, 'subscribers' | 'variants'> & Partial<Pick<Scenario, 'servers'>>;

/** Sockets of all subscribers together, in the variant that takes the most. */
export function socketsHeld(scenario: Asked, registry: PatternRegistry): number {
  return Math.max(0, ...scenario.variants.map((variant) => socketsIn(scenario, variant, registry)));
}

function socketsIn(
  { subscribers, servers = oneServer }: Asked,
  { pattern, options }: Asked['variants'][number],
  registry: PatternRegistry,
): number {
  const { holdsConnection, httpVersion } = registry[pattern]!;
  if (!holdsConnection) return 0;
  if ((httpVersion?.(options) ?? 'h1') === 'h1') return subscribers;
  // Streams share connections to one and the same server (load/subscribers/http2.ts).
  const addresses = servers.inFront.kind === 'list' ? servers.count : 1;
  return Math.ceil(subscribers / (streamsPerConnection * addresses)) * addresses;
}
