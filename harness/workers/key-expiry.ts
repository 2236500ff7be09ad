// Lets every key that BullMQ writes expire in the end, should nobody be left to remove it. The script that
// writes a key sets its end, so there is no moment in which a kill of both ends leaves it for ever.

import type { Redis } from 'ioredis';

/** Keys that nobody renews go by themselves after this. */
export const staysMs = 10 * 60_000;

/** What BullMQ's scripts on this connection write expires, from here on. */
export function letKeysExpire(redis: Redis): void {
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (name, definition) => define(name, { ...definition, lua: expiring(definition.lua) });
}

/**
 * A script that gives an end to each of its keys that has none; locks and the like have one already. BullMQ
 * writes no other keys but those of jobs, and what a script that adds a job returns is the id of it.
 */
function expiring(lua: string): string {
  return `
local function script()
${lua}
end
local answer = script()
local function bound(key)
  if redis.call('PTTL', key) == -1 then redis.call('PEXPIRE', key, ${staysMs}) end
end
for _, key in ipairs(KEYS) do bound(key) end
if type(answer) == 'string' then bound((string.match(KEYS[1] or '', '^.*:') or '') .. answer) end
return answer`;
}
