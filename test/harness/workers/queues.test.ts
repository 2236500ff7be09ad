// Holds that tidying up takes nothing away from another run with the same token, over a real Redis.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { lobbyName, openQueue, removeLobby } from '../../../harness/workers/queues.ts';
import { openRedisLink } from '../../../harness/workers/redis-link.ts';
import { secretOf } from '../../../harness/workers/secret.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { leftIn, newToken, redisOf } from './crew.ts';

test('a run that removes the lobby leaves what another offers there at the same moment', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const link = await openRedisLink(redis.url, '--workers', new AbortController().signal);
  t.onTestFinished(() => link.close());
  const { prefix } = secretOf(newToken());
  const lobby = openQueue<unknown>(link, prefix, lobbyName);
  for (let round = 0; round < 50; round++) {
    const both = [
      () => removeLobby(link, lobby),
      () => lobby.add('place', {}, { jobId: `place-${round}` }),
    ] as const;
    await Promise.all((round % 2 === 0 ? both : both.toReversed()).map((act) => act()));
    assert.equal(await lobby.getWaitingCount(), 1, `round ${round}`);
    await lobby.remove(`place-${round}`);
  }
  await removeLobby(link, lobby);
  assert.deepEqual((await leftIn(redis)).keys, []);
});
