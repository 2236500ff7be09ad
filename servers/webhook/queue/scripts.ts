// Changes records in Redis in one step each, by scripts. Their keys are made of a prefix, so they take one
// Redis and no Redis Cluster.

import type { Redis } from 'ioredis';
import type { RedisLink } from '../redis/link.ts';

/** Settled deliveries that are removed with each new one: several, so that they do not pile up. */
const prunedAtOnce = 4;

const scripts = {
  /**
   * px, keep, `new` or `any`, then for each work: event, body, note, createdMs, count and for each delivery:
   * id, record. With `new` nothing is added to an event that is there: what it lacks was settled and pruned.
   */
  add: `
local p, px, keep, where, at = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], 4
local function nextArgument()
  at = at + 1
  return ARGV[at]
end
while at < #ARGV do
  local event, body, note = nextArgument(), nextArgument(), nextArgument()
  local createdMs, count = nextArgument(), tonumber(nextArgument())
  local isNew = redis.call('SET', p .. ':event:' .. event, body, 'PX', px, 'NX')
  if isNew then
    redis.call('LPUSH', p .. ':events', note)
    redis.call('LTRIM', p .. ':events', 0, keep)
  end
  for i = 1, count do
    local id, record = nextArgument(), nextArgument()
    if (isNew or where == 'any')
      and redis.call('SET', p .. ':delivery:' .. id, record, 'PX', px, 'NX') then
      redis.call('ZADD', p .. ':pending', createdMs, id)
    end
  end
end
return 'added'
`,
  /** id, claim, claimMs. */
  take: `
local p, id, claim, claimMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not redis.call('SET', p .. ':claim:' .. id, claim, 'PX', claimMs, 'NX') then return 'busy' end
return redis.call('GET', p .. ':delivery:' .. id) or ''
`,
  /** id, claim. */
  release: `
local key = ARGV[1] .. ':claim:' .. ARGV[2]
if redis.call('GET', key) == ARGV[3] then redis.call('DEL', key) end
return 'released'
`,
  /** id, record, before, claim, state, createdMs, nowMs, px, keep, keptFromMs. */
  enter: `
local p, id, record, before, claim = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local state, createdMs, nowMs, px = ARGV[6], ARGV[7], ARGV[8], ARGV[9]
local keep, keptFromMs = tonumber(ARGV[10]), ARGV[11]
local now = redis.call('GET', p .. ':delivery:' .. id)
if now ~= record then
  local holder = redis.call('GET', p .. ':claim:' .. id)
  if (holder and holder ~= claim) or (now and now ~= before) then return 'late' end
  redis.call('SET', p .. ':delivery:' .. id, record, 'PX', px)
end
if redis.call('GET', p .. ':claim:' .. id) == claim then redis.call('DEL', p .. ':claim:' .. id) end
if state == 'pending' then
  redis.call('ZADD', p .. ':pending', createdMs, id)
  redis.call('ZREM', p .. ':settled', id)
  redis.call('ZREM', p .. ':unsent', id)
  redis.call('SREM', p .. ':dead', id)
  return 'entered'
end
redis.call('ZREM', p .. ':pending', id)
redis.call('ZADD', p .. ':settled', nowMs, id)
if state == 'delivered' then redis.call('ZREM', p .. ':unsent', id)
else redis.call('ZADD', p .. ':unsent', createdMs, id) end
redis.call(state == 'exhausted' and 'SADD' or 'SREM', p .. ':dead', id)
local over = redis.call('ZCARD', p .. ':settled') - keep
local gone = over > 0 and redis.call('ZRANGE', p .. ':settled', 0, math.min(over, ${prunedAtOnce}) - 1)
  or redis.call('ZRANGEBYSCORE', p .. ':settled', '-inf', '(' .. keptFromMs, 'LIMIT', 0, ${prunedAtOnce})
for _, old in ipairs(gone) do
  redis.call('DEL', p .. ':delivery:' .. old)
  redis.call('ZREM', p .. ':settled', old)
  redis.call('ZREM', p .. ':unsent', old)
  redis.call('SREM', p .. ':dead', old)
end
return 'entered'
`,
} as const;

type Script = keyof typeof scripts;

/** @returns runs one of the scripts. It throws what kept Redis from it (link.ts) */
export function defineScripts(
  link: RedisLink,
  prefix: string,
): (name: Script, given: readonly (string | number)[]) => Promise<unknown> {
  const commandOf = (name: Script) => `pushbenchQueue_${name}`;
  for (const name of Object.keys(scripts) as Script[])
    link.redis.defineCommand(commandOf(name), { lua: scripts[name], numberOfKeys: 0 });
  return (name, given) =>
    link.ask((redis) => {
      // A script becomes a method of its name.
      const commands = redis as unknown as Record<string, (all: unknown[]) => Promise<unknown>>;
      return commands[commandOf(name)]!.call(redis as Redis, [prefix, ...given]);
    });
}
