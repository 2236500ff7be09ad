// Writes a change of one endpoint into Redis together with the version that tells other servers of it, in one
// script: only into the store that the server began with, and an endpoint that another server has removed
// stays removed.

import type { Redis } from 'ioredis';
import { markerField } from './identify.ts';
import type { RedisLink } from './link.ts';

/**
 * @param text left out to remove it
 * @returns `gone`: it was to be changed and is not there
 * @throws what kept Redis from it (link.ts)
 */
export type StoreChange = (
  kind: 'add' | 'change' | 'remove',
  id: string,
  text?: string,
) => Promise<'done' | 'gone' | 'emptied'>;

type WithChange = Redis & { pushbenchChange(given: string[]): ReturnType<StoreChange> };

const changeScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1]
  or redis.call('HGET', KEYS[2], '${markerField}') ~= ARGV[1] then
  return 'emptied' end
if ARGV[3] == 'change' and redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 'gone' end
if ARGV[4] then redis.call('HSET', KEYS[2], ARGV[2], ARGV[4]) else redis.call('HDEL', KEYS[2], ARGV[2]) end
redis.call('INCR', KEYS[3])
return 'done'
`;

/** @param identity the value of `marker` in the store that the server began with */
export function defineChange(
  link: RedisLink,
  { marker, endpoints, version }: { marker: string; endpoints: string; version: string },
  identity: string,
): StoreChange {
  link.redis.defineCommand('pushbenchChange', { lua: changeScript, numberOfKeys: 3 });
  return (kind, id, text) => {
    const given = [marker, endpoints, version, identity, id, kind, ...(text === undefined ? [] : [text])];
    // The script above becomes a method of this name, and answers with a word.
    return link.ask((redis) => (redis as WithChange).pushbenchChange(given));
  };
}
