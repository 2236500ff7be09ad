// Turns scenarios into what servers are told: what all of them share, and which Redis tokens are looked up
// in.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { server } from '../../../core/scenario/server-options.ts';
import { servers } from '../../../core/scenario/servers.ts';
import { UserError } from '../../../core/base/errors.ts';
import { lookupVersion, serverSetup, startsLookupRedis } from '../../../harness/trial/server-setup.ts';

const scenario = (given: object, cluster: object = {}) => ({
  server: server.parse(given),
  servers: servers.parse(cluster),
  seed: 7,
});

test('limits are limits alone; TLS and tokens share the seed of the run', () => {
  const plain = serverSetup(scenario({ history: 5 }));
  assert.deepEqual([Object.keys(plain), plain.limits.history], [['limits'], 5]);
  assert.ok(!('tls' in plain.limits) && !('auth' in plain.limits));
  const { tls, auth } = serverSetup(scenario({ tls: true, auth: { takes: '2ms', lookup: '3ms' } }));
  assert.deepEqual(tls, { resume: true, ticketSeed: 7 });
  const lookup = { kind: 'wait', ms: 3 };
  assert.deepEqual(auth, { takes: 2, concurrency: 256, queue: 1024, seed: 7, lookup });
});

test('lookups go to the Redis that is named, else to the broker, else to one that is started', () => {
  const auth = { auth: { lookup: 'redis' } };
  const broker = (kind: string) => ({ count: 2, broker: kind });
  const named = { auth: { lookup: 'redis://127.0.0.1:1' } };
  const starts = [
    startsLookupRedis(scenario(auth)),
    startsLookupRedis(scenario(auth, broker('nats'))),
    startsLookupRedis(scenario(auth, broker('redis-pubsub'))),
    startsLookupRedis(scenario(auth, broker('redis-streams'))),
    startsLookupRedis(scenario(named)),
    startsLookupRedis(scenario({ auth: true })),
    startsLookupRedis(scenario({})),
  ];
  assert.deepEqual(starts, [true, true, false, false, false, false, false]);
  const redis = { url: 'redis://127.0.0.1:2', name: 'trial' };
  assert.deepEqual(serverSetup(scenario(auth), redis).auth?.lookup, { kind: 'redis', ...redis });
  const url = 'redis://127.0.0.1:1';
  assert.deepEqual(serverSetup(scenario(named), redis).auth?.lookup, { kind: 'redis', url, name: 'trial' });
});

test('a Redis that is to be started and is not installed is named with its package', () => {
  const missing = () => {
    throw new UserError('broker', 'servers.broker: not installed');
  };
  const asked = scenario({ auth: { lookup: 'redis' } });
  assert.throws(
    () => lookupVersion(asked, { brokerVersion: missing }),
    /auth\.lookup.*apt-get install redis/s,
  );
  assert.equal(lookupVersion(asked, { brokerVersion: () => 'redis-server 7' }), 'redis-server 7');
  assert.equal(lookupVersion(scenario({ auth: true }), { brokerVersion: missing }), undefined);
});
