// Makes sure which store a Redis holds: two keys hold one identity, and a server goes on only while both
// still have the identity that it began with. A Redis that was emptied has neither key.

import { randomUUID } from 'node:crypto';
import { exitCodes, messageOf, UserError } from '../../../core/base/errors.ts';
import type { RedisLink } from './link.ts';

/** The field of the endpoints' hash that says which store they belong to. */
export const markerField = 'store';
const connectWithinMs = 3000;

const identifyScript = `
local marker, field = redis.call('GET', KEYS[1]), redis.call('HGET', KEYS[2], '${markerField}')
if marker and marker == field then return marker end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], '${markerField}', ARGV[1])
return ARGV[1]
`;

/**
 * Waits until all links can be used, and makes a store where there is none.
 * @returns its identity
 * @throws UserError when no Redis answers, or it takes nothing; the links are closed then
 */
export async function identify(
  host: string,
  links: readonly [RedisLink, ...RedisLink[]],
  { marker, endpoints }: { marker: string; endpoints: string },
): Promise<string> {
  const fail = (what: string) => {
    for (const link of links) link.close();
    return new UserError('redis', what, exitCodes.failed);
  };
  if (!(await areReady(links)))
    throw fail(
      `no Redis answers at ${host}; start redis-server, or name another address with the option redis`,
    );
  try {
    return String(
      await links[0].ask((redis) => redis.eval(identifyScript, 2, marker, endpoints, randomUUID())),
    );
  } catch (error) {
    throw fail(`Redis at ${host} takes nothing: ${messageOf(error).slice(0, 200)}`);
  }
}

async function areReady(links: readonly RedisLink[]): Promise<boolean> {
  const limitMs = performance.now() + connectWithinMs;
  while (!links.every((link) => link.ready())) {
    if (performance.now() > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
