// Makes of what a scenario says of its servers what each of them is told: limits, TLS and tokens that all of
// them share.

import type { BrokerAccess } from '../../core/protocol/control.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { AuthSetup, ServerSetup } from '../../core/scenario/server-options.ts';

/**
 * @param redis where tokens are looked up that the scenario names no address for; of a trial that needs one
 */
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
  if (url === undefined) throw new Error('tokens are looked up in Redis, and there is none');
  return { ...auth, seed, lookup: { kind: 'redis', url, name: redis?.name ?? `pushbench:${seed}` } };
}
