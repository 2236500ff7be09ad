// Finds what is impossible with the servers of a scenario: faults of servers that do not run, of a broker
// that does not exist, and settings that only a single server can have.

import type { PatternRegistry } from '../pattern/pattern.ts';
import { followServers, isBlueGreen, serversIn } from '../fault/standing.ts';
import { writeDuration } from '../base/units.ts';
import { leastDeployMs } from '../policy/server/deploy-plan.ts';
import { areApart, isCluster } from './servers.ts';
import type { Contradiction, Parts } from './valid-parts.ts';

export function serversThatCannotBe(
  parts: Parts,
  { registry }: { registry: PatternRegistry },
): Contradiction[] {
  return [
    ...faultsOfServers(parts),
    ...deploysThatDoNotEnd(parts),
    ...refusalsOfNobody(parts, registry),
    ...faultsOfBroker(parts),
    ...aloneOnly(parts, registry),
  ];
}

/** In a trial of one server the server numbers the events, and a new process would begin at 1 again. */
function* faultsOfServers({ single: { servers }, faults, allFaults }: Parts): Generator<Contradiction> {
  if (!servers) return;
  const { count } = servers;
  for (const [i, fault] of faults) {
    if (isCluster(servers) || !['restart', 'start', 'deploy'].includes(fault.kind)) continue;
    yield {
      path: ['faults', i, fault.kind],
      message:
        'a server alone numbers its events, and a new one would begin at 1 again; give it a broker ' +
        '(servers: { broker: redis-streams }), or have two servers',
    };
  }
  if (!allFaults) return;
  const isBeside = [...faults.values()].some(isBlueGreen);
  for (const [i, { kind }] of faults)
    if (kind === 'start' && isBeside) {
      yield {
        path: ['faults', i, 'start'],
        message: 'a blue-green deploy starts the new servers itself; leave this out',
      };
      return;
    }
  const total = serversIn(count, [...faults.values()]);
  for (const [i, fault] of faults)
    if (fault.kind === 'start' && !startsFrom(count + 1, total, [...faults.values()]))
      yield {
        path: ['faults', i, 'start'],
        message: `the servers that start later are numbered on from ${count + 1}, and one is left out`,
      };
  for (const { index, message } of followServers(count, faults).problems)
    yield { path: ['faults', index, keyOf(faults.get(index)!)], message };
}

/** A deploy whose goodbyes alone take longer than there is time for. */
function* deploysThatDoNotEnd({ single: { servers, phases }, faults }: Parts): Generator<Contradiction> {
  if (!servers || !phases) return;
  const endMs = phases.measure + phases.drain;
  for (const [i, fault] of faults) {
    if (fault.kind !== 'deploy') continue;
    const leastMs = leastDeployMs(fault.ask, servers.count);
    if (fault.atMs + leastMs <= endMs) continue;
    yield {
      path: ['faults', i, 'window'],
      message:
        `the goodbyes and pauses of ${servers.count} servers take ${writeDuration(leastMs)} at least, ` +
        `and the trial ends ${writeDuration(endMs)} after the measured phase began; take a shorter window, ` +
        'more of them at a time (parallel), or a longer phase',
    };
  }
}

/** Senders make their deliveries from a store, so a dependency of serving cannot be down for them. */
function* refusalsOfNobody({ faults, variants }: Parts, registry: PatternRegistry): Generator<Contradiction> {
  const senders = [...variants.values()].filter(({ pattern }) => !registry[pattern]!.holdsConnection);
  for (const [i, fault] of faults)
    if (fault.kind === 'refuse' && fault.mode === 'dependency-down' && senders.length > 0)
      yield {
        path: ['faults', i, 'refuse'],
        message:
          `"${senders[0]!.label}" makes its deliveries from its store, and needs nothing else that ` +
          'could be down; leave the variant or the fault out',
      };
}

function startsFrom(first: number, last: number, faults: readonly { kind: string; server?: number }[]) {
  const started = new Set(faults.flatMap(({ kind, server }) => (kind === 'start' ? [server] : [])));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).every((one) => started.has(one));
}

function keyOf(fault: { kind: string; server?: number }): string {
  return fault.kind !== 'start' && fault.server !== undefined ? 'server' : fault.kind;
}

function* faultsOfBroker({ single: { servers }, faults }: Parts): Generator<Contradiction> {
  if (!servers) return;
  for (const [i, fault] of faults) {
    if (fault.kind !== 'broker') continue;
    if (servers.broker.kind === 'in-process')
      yield {
        path: ['faults', i, 'broker'],
        message: 'nothing connects these servers, so there is no broker; choose one (servers.broker)',
      };
    else if (servers.broker.url !== undefined)
      yield {
        path: ['faults', i, 'broker'],
        message:
          'the broker runs already where servers.broker.url says, and is not ours to stop; leave the url ' +
          'out, and one is started for each trial',
      };
    else if (servers.broker.kind === 'kafka' && fault.how !== 'freeze' && fault.forMs !== undefined)
      yield {
        path: ['faults', i, 'broker'],
        message:
          'the stand-in for Kafka loses everything when it ends, so it cannot come back; freeze it, or ' +
          'try redis-streams or jetstream',
      };
  }
}

/** What goes with one server by itself, and not with several or with a broker. */
function* aloneOnly(
  { single: { servers }, variants, topics }: Parts,
  registry: PatternRegistry,
): Generator<Contradiction> {
  if (!servers || !isCluster(servers)) return;
  const path = ['servers'];
  for (const [, { pattern, options, label, target }] of variants) {
    const { holdsConnection, sharedStore } = registry[pattern]!;
    if (target !== undefined || holdsConnection) continue;
    if (!sharedStore?.isShared(options))
      yield {
        path,
        message:
          `"${label}" cannot run with these servers: its endpoints and deliveries are in the store of its ` +
          `own process${sharedStore ? `, and only ${sharedStore.by} is shared by several` : ''}; change ` +
          'that, list the variants without it, or leave servers out',
      };
    else if (servers.broker.kind !== 'in-process')
      yield {
        path: ['servers', 'broker'],
        message: `"${label}" shares its store, so a broker has nothing to connect there; leave it out`,
      };
    else if (servers.inFront.kind !== 'list')
      yield {
        path: ['servers', 'in-front'],
        message: `"${label}" calls its subscribers, so nobody goes through HAProxy; leave it out`,
      };
  }
  const [theirs] = [...topics].find(([, { by }]) => by === 'subscribers') ?? [];
  if (theirs !== undefined && areApart(servers))
    yield {
      path,
      message:
        `subscribers publish on "${theirs}", and nothing connects these servers: a message would reach ` +
        'only subscribers of the same server; choose a broker (servers: { broker: redis-streams }), or ' +
        'leave servers out',
    };
}
