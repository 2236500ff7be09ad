// Holds what a channel promises over a real Redis: that its messages come, and that none stays behind.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'vitest';
import { openChannel, type Channel } from '../../../harness/workers/channel.ts';
import { openRedisLink } from '../../../harness/workers/redis-link.ts';
import { keyFor, secretOf } from '../../../harness/workers/secret.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { endlessIn, newToken, redisOf } from './crew.ts';

const { prefix, key: secret } = secretOf(newToken());
const key = keyFor(secret, 'of the tests');

/** One end of a channel, and what it is told. */
type End = { channel: Channel<string>; taken: string[]; broke: string[] };

/**
 * Opens one end of a channel of the two queues `left` and `right`.
 * @param out that it sends to
 * @param hold is waited for with each message
 */
async function endOf(
  t: TestContext,
  url: string,
  out: 'left' | 'right',
  hold: () => Promise<void> | void = () => {},
): Promise<End> {
  const link = await openRedisLink(url, '--join', new AbortController().signal);
  const [taken, broke]: [string[], string[]] = [[], []];
  const channel = openChannel<string, string>(
    link,
    prefix,
    { out, in: out === 'left' ? 'right' : 'left', outKey: () => key, inKey: () => key },
    (message) => {
      taken.push(message);
      return hold();
    },
    (why) => void broke.push(why),
  );
  t.onTestFinished(async () => {
    await channel.close();
    link.close();
  });
  return { channel, taken, broke };
}

test('a message that nobody takes has an end in Redis as soon as it is there', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const { channel } = await endOf(t, redis.url, 'left');
  channel.send('a secret');
  await channel.sent(5000);
  const { endless, keys } = await endlessIn(redis);
  assert.ok(keys.includes(`${prefix}:left:1`), keys.join(' '));
  assert.deepEqual(endless, []);
});
