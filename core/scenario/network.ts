// Says where a scenario has a network between its processes. Refuses a network that no connection would go
// through, and conditions that could not change anything.

import { looksInside, type Conditions, type Placement } from '../network/conditions.ts';
import type { Pattern, PatternRegistry } from '../pattern/pattern.ts';
import type { Variant } from '../pattern/variant.ts';
import { listNames } from '../base/suggest.ts';
import type { Path } from '../base/yaml-document.ts';
import type { Scenario } from './scenario.ts';
import type { Contradiction, Parts } from './valid-parts.ts';

/** Between which processes a network of ours is needed, for the whole trial or for a fault. */
export function networksOf({ network, faults }: Pick<Scenario, 'network' | 'faults'>): Placement[] {
  const all = [network, ...faults.filter((fault) => fault.kind === 'network')].flatMap(
    (one) => one?.between ?? [],
  );
  return [...new Set(all)];
}

type Context = { registry: PatternRegistry };
type Asked = { path: Path; between: Placement; conditions: Conditions };
type Entry = { index: number; variant: Variant; pattern: Pattern };

/** Networks between those who do not meet, and conditions that nothing in the scenario would notice. */
export function* networksOfNobody(parts: Parts, { registry }: Context): Generator<Contradiction> {
  const { single, variants, allVariants, faults } = parts;
  const steady = single.network;
  const asked: Asked[] = [
    ...(steady ? [{ path: ['network'], ...steady }] : []),
    ...[...faults].flatMap(([i, fault]) =>
      fault.kind === 'network' ? [{ path: ['faults', i, 'network'], ...fault }] : [],
    ),
  ];
  const entries = [...variants].map(([index, variant]) => ({
    index,
    variant,
    pattern: registry[variant.pattern]!, // a variant is of a pattern
  }));
  for (const one of asked) {
    if (one.between === 'broker') yield* atBroker(one, single.servers);
    else yield* atClients(one, entries, { allVariants, tls: single.server?.tls !== undefined });
  }
  for (const [i, fault] of faults) if (fault.kind === 'slow') yield* slowNobody(i, entries, allVariants);
}

function* atBroker(
  { path, conditions }: Asked,
  servers: Parts['single']['servers'],
): Generator<Contradiction> {
  if (servers?.broker.kind === 'in-process')
    yield {
      path: [...path],
      message: 'there is no broker, so nothing is between it and the servers; set servers.broker',
    };
  if (servers?.broker.kind === 'kafka')
    yield {
      path: [...path],
      message:
        'a broker of Kafka tells its clients where to connect, so no network can be put in between; ' +
        'try redis-streams or jetstream',
    };
  if (looksInside(conditions))
    yield {
      path: [...path],
      message: 'upgrade and responses apply to HTTP, which no broker speaks; leave them out',
    };
}

function* atClients(
  { path, conditions }: Asked,
  entries: readonly Entry[],
  { allVariants, tls }: { allVariants: boolean; tls: boolean },
): Generator<Contradiction> {
  if (tls && looksInside(conditions))
    yield {
      path: [...path],
      message: 'upgrade and responses read HTTP/1.1 in clear text; leave them or server.tls out',
    };
  for (const { variant, pattern } of entries) {
    if (!pattern.holdsConnection)
      yield {
        path: [...path],
        message:
          `the deliveries of "${variant.label}" go from the servers to their subscribers, and the network ` +
          'is on the way to the servers; leave the variant out',
      };
    else if (looksInside(conditions) && (pattern.httpVersion?.(variant.options) ?? 'h1') !== 'h1')
      yield {
        path: [...path],
        message:
          `upgrade and responses look into HTTP/1.1, and "${variant.label}" speaks HTTP/2; leave the ` +
          'variant out',
      };
  }
  const sockets = entries.filter(({ pattern }) => pattern.pageOpens === 'WebSocket');
  if (conditions.upgrade !== undefined && allVariants && sockets.length === 0)
    yield {
      path: [...path, 'upgrade'],
      message: 'no variant is a WebSocket, so nobody asks for an Upgrade; add one, or leave this out',
    };
  const neverStreams = sockets.filter(
    ({ variant, pattern }) => !pattern.fallsBackTo?.(variant.options).length,
  );
  if (conditions.bufferBytes !== undefined && allVariants && neverStreams.length === entries.length)
    yield {
      path: [...path, 'responses'],
      message: 'every variant is a WebSocket, which has no response to hold; add another, or leave this out',
    };
}

/** Subscribers that hold neither a stream nor a socket, which pages would open, read short answers. */
function* slowNobody(
  index: number,
  entries: readonly Entry[],
  allVariants: boolean,
): Generator<Contradiction> {
  const others = entries.filter(({ pattern }) => pattern.pageOpens === undefined);
  if (others.length === 0 || !allVariants) return;
  yield {
    path: ['faults', index, 'slow'],
    message:
      `there is nothing to slow in ${listNames(others.map(({ variant }) => variant.label))}, whose ` +
      'subscribers read short answers; leave the variant out',
  };
}
