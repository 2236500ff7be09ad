// Finds what is impossible with the proxy in front of the servers: sticky sessions if it cannot read a
// cookie, and faults of a proxy that is not there.

import { isCluster } from './servers.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import type { Contradiction, Parts } from './valid-parts.ts';

export function* frontThatCannotBe(
  { single: { servers }, variants, faults }: Parts,
  { registry }: { registry: PatternRegistry },
): Generator<Contradiction> {
  if (!servers) return;
  const { kind } = servers.inFront;
  if (kind === 'haproxy-sticky' && isCluster(servers))
    for (const [i, { pattern, options, label, target }] of variants) {
      if (target !== undefined || (registry[pattern]!.httpVersion?.(options) ?? 'h1') === 'h1') continue;
      yield {
        path: ['variants', i],
        message:
          `sticky sessions are a cookie in HTTP/1.1, and "${label}" speaks HTTP/2, which HAProxy passes on ` +
          'without reading it; use servers.in-front: haproxy',
      };
    }
  for (const [i, fault] of faults)
    if (fault.kind === 'in-front' && kind === 'list')
      yield {
        path: ['faults', i, 'in-front'],
        message:
          'subscribers find these servers by a list, so there is no HAProxy to tell; choose one ' +
          '(servers: { in-front: haproxy })',
      };
}
