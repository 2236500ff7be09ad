// Holds what a channel promises over a real Redis: that its messages come, and that none stays behind.

import assert from 'node:assert/strict';
import { serialize } from 'node:v8';
import { describe, test, type TestContext } from 'vitest';
import { openChannel, type Channel } from '../../../harness/workers/channel.ts';
import { openQueue } from '../../../harness/workers/queues.ts';
import { openRedisLink, type RedisLink } from '../../../harness/workers/redis-link.ts';
import { keyFor, seal, secretOf } from '../../../harness/workers/secret.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { until } from '../../servers/receivers.ts';
import { skipWhen } from '../../skip.ts';
import { endlessIn, newToken, redisOf } from './crew.ts';
import { wireTo } from './wire.ts';

const { prefix, key: secret } = secretOf(newToken());
const key = keyFor(secret, 'of the tests');

/** One end of a channel, and what it is told. */
type End = { link: RedisLink; channel: Channel<string>; taken: string[]; broke: string[] };

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
  return { link, channel, taken, broke };
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

/** How a batch that holds this message alone looks in Redis. */
const inRedis = (message: string) => serialize([message]).toString('base64');

describe('the last message comes though the connection was cut as Redis handed it out', () => {
  test('to an end that waited', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const wire = await wireTo(t, redis.port);
    const [from, to] = [await endOf(t, redis.url, 'left'), await endOf(t, wire.url, 'right')];
    from.channel.send('one');
    await until('the first came', () => to.taken.length === 1);
    const lost = wire.loseAnswer(inRedis('two'));
    from.channel.send('two');
    await lost;
    await until('the second came', () => to.taken.length === 2);
    from.channel.send('three');
    await until('the third came', () => to.taken.length === 3);
    assert.deepEqual([to.taken, to.broke], [['one', 'two', 'three'], []]);
  });

  test('with the end of the one before', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const wire = await wireTo(t, redis.port);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const [from, to] = [await endOf(t, redis.url, 'left'), await endOf(t, wire.url, 'right', () => held)];
    from.channel.send('one');
    await until('the first came', () => to.taken.length === 1);
    const lost = wire.loseAnswer(inRedis('two'));
    for (const message of ['two', 'three']) {
      from.channel.send(message);
      await from.channel.sent(5000);
    }
    release();
    await lost;
    await until('all came', () => to.taken.length === 3);
    assert.deepEqual([to.taken, to.broke], [['one', 'two', 'three'], []]);
  });
});

test('a message that is gone from Redis is said to be lost', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const from = await endOf(t, redis.url, 'left');
  for (const message of ['one', 'two', 'three']) {
    from.channel.send(message);
    await from.channel.sent(5000);
  }
  await openQueue(from.link, prefix, 'left').remove('2');
  const to = await endOf(t, redis.url, 'right');
  await until('it broke', () => to.broke.length === 1);
  assert.deepEqual(to.taken, ['one']);
  assert.match(to.broke[0]!, /^a message was lost/);
});

test('a message that is signed with another key is not taken, and is said to be', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const [from, to] = [await endOf(t, redis.url, 'left'), await endOf(t, redis.url, 'right')];
  await openQueue(from.link, prefix, 'left').add('batch', seal(keyFor(secret, 'of another'), 0, ['one']));
  await until('it broke', () => to.broke.length === 1);
  assert.deepEqual(to.taken, []);
  assert.match(to.broke[0]!, /is not signed with this token/);
});
