// Turns what a scenario says of its servers into what each of them is told: limits, TLS and tokens that all
// of them share. Starts the Redis that tokens are looked up in, where there is none yet.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import type { BrokerAccess } from '../../core/protocol/control.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { AuthSetup, ServerSetup } from '../../core/scenario/server-options.ts';
import type { Fleet } from './fleet.ts';
import type { Stage } from './stage.ts';

type Asked = Pick<Scenario, 'server' | 'servers'>;

const lookupProgram = { kind: 'redis-pubsub', url: undefined } as const;

/** Whether trials start a Redis for lookups alone: the scenario names none, and its broker is none. */
export function startsLookupRedis({ server: { auth }, servers: { broker } }: Asked): boolean {
  const { lookup } = auth ?? {};
  return lookup?.kind === 'redis' && lookup.url === undefined && !broker.kind.startsWith('redis');
}

/**
 * What that is, with its version; undefined where none is started.
 * @throws UserError when it is not installed
 */
export function lookupVersion(
  scenario: Asked,
  { brokerVersion }: Pick<Fleet, 'brokerVersion'>,
): string | undefined {
  if (!startsLookupRedis(scenario)) return undefined;
  try {
    return brokerVersion(lookupProgram);
  } catch {
    throw new UserError(
      'auth-redis',
      'server.auth.lookup: redis-server is started for each trial, and it is not installed; apt-get ' +
        'install redis-server, or name one that runs (lookup: redis://127.0.0.1:6379).',
      exitCodes.failed,
    );
  }
}

/** Where the servers of a trial look tokens up that the scenario names no address for; it answers there. */
export async function lookupRedis({
  plan: { scenario },
  fleet,
  beside,
  broker,
}: Pick<Stage, 'plan' | 'fleet' | 'beside' | 'broker'>): Promise<BrokerAccess | undefined> {
  if (!startsLookupRedis(scenario)) return broker?.access;
  const redis = fleet.broker(lookupProgram);
  beside.add(redis);
  await redis.start();
  return redis.access;
}

/** @param redis where tokens are looked up that the scenario names no address for, if they are */
export function serverSetup(
  { server: { tls, auth, ...limits }, seed }: Pick<Scenario, 'server' | 'seed'>,
  redis?: Pick<BrokerAccess, 'url' | 'name'>,
): ServerSetup {
  return {
    limits,
    ...(tls && { tls: { ...tls, ticketSeed: seed } }),
    ...(auth && { auth: authSetup(auth, seed, redis) }),
  };
}

function authSetup(
  { lookup, ...auth }: NonNullable<Scenario['server']['auth']>,
  seed: number,
  redis: Pick<BrokerAccess, 'url' | 'name'> | undefined,
): AuthSetup {
  if (!lookup) return { ...auth, seed };
  if (lookup.kind === 'wait') return { ...auth, seed, lookup };
  const url = lookup.url ?? redis?.url;
  if (url === undefined) throw new Error('tokens are looked up in Redis, and none was started');
  return { ...auth, seed, lookup: { kind: 'redis', url, name: redis?.name ?? `pushbench:${seed}` } };
}
