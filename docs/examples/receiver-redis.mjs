// Keeps the ids and the order of webhooks in Redis, for all processes of an application. `redis` is a client
// of `ioredis`. What Redis loses (it dies before it has written, or has to make room), these lose.

import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';

/** Deletes a key that has a value, and no other's. */
const deleteIf = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`;

/** A store for `createReceiver`. */
export function redisStore(redis, { prefix = 'webhook:', rememberMs = 4 * 86_400_000 } = {}) {
  const keyOf = (id) => `${prefix}id:${id}`;
  return {
    async begin(id, leaseMs) {
      const claimed = await redis.set(keyOf(id), 'under-way', 'PX', Math.ceil(leaseMs), 'NX');
      if (claimed === 'OK') return 'new';
      return (await redis.get(keyOf(id))) === 'done' ? 'done' : 'under-way';
    },
    finish: (id) => redis.set(keyOf(id), 'done', 'PX', rememberMs),
    forget: (id) => redis.eval(deleteIf, 1, keyOf(id), 'under-way'),
  };
}

/** Keeps a topic, if its lock is still held. */
const keep = `
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[2], ARGV[2], ARGV[3])
if ARGV[4] == '' then redis.call('zrem', KEYS[3], ARGV[2])
else redis.call('zadd', KEYS[3], ARGV[4], ARGV[2]) end
return 1`;

/** A store for `createStoredSequencer`. Let `lockMs` be more than `onStep` takes for what was held back. */
export function redisSequenceStore(redis, { prefix = 'webhook:', lockMs = 30_000 } = {}) {
  const topics = `${prefix}topics`;
  const waiting = `${prefix}waiting`;
  return {
    async update(topic, change) {
      const lock = `${prefix}lock:${topic}`;
      const owner = randomUUID();
      while ((await redis.set(lock, owner, 'PX', lockMs, 'NX')) === null) await setTimeout(20);
      try {
        const text = await redis.hget(topics, topic);
        const kept = await change(text === null ? undefined : JSON.parse(text));
        if (!kept) return;
        const rest = [owner, topic, JSON.stringify(kept), kept.waitingSinceMs ?? ''];
        if ((await redis.eval(keep, 3, lock, topics, waiting, ...rest)) !== 1)
          throw new Error(`the lock of topic ${topic} ran out: lockMs is less than onStep took`);
      } finally {
        await redis.eval(deleteIf, 1, lock, owner);
      }
    },
    waiting: (sinceMs) => redis.zrangebyscore(waiting, '-inf', sinceMs),
  };
}
