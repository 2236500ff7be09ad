// Asks Redis whether a token was revoked: one GET. Nothing is sent late or again: without a connection, or
// without an answer in time, the lookup fails.

import { Redis } from 'ioredis';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { withRedisPassword } from '../../core/secrets/redis-password.ts';

export type RedisLookup = {
  /** Whether the token of that name still holds. */
  look(name: string): Promise<boolean>;
  close(): void;
};

const readyWithinMs = 5000;
const reconnectMostMs = 500;

/** The key that revokes a token as long as it is there. @param name what the run's keys begin with */
export function revokedKey(name: string, token: string): string {
  return `${name}:revoked:${token}`;
}

/** @throws UserError when no Redis answers there */
export async function openRedisLookup(url: string, name: string, withinMs: number): Promise<RedisLookup> {
  const redis = new Redis(withRedisPassword(url), {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: withinMs,
    connectTimeout: readyWithinMs,
    retryStrategy: (times) => Math.min(50 * times, reconnectMostMs),
  });
  redis.on('error', () => {}); // each lookup says it
  try {
    await redis.connect();
  } catch {
    redis.disconnect();
    throw new UserError(
      'auth-redis',
      `no Redis answers at ${new URL(url).host}, where server.auth looks tokens up; start redis-server, or ` +
        'name another address',
      exitCodes.failed,
    );
  }
  return {
    look: async (token) => (await redis.get(revokedKey(name, token))) === null,
    close: () => redis.disconnect(),
  };
}
