// Connects to the Redis between a run and its workers, and notices when it is gone. BullMQ's commands wait
// for a Redis that is away for a moment, so nobody else would tell.

import { Redis, type RedisOptions } from 'ioredis';
import { exitCodes, messageOf, UserError } from '../../core/base/errors.ts';
import { Late, within } from '../../core/base/within.ts';
import { redisPasswordVariable, withRedisPassword } from '../../core/secrets/redis-password.ts';
import { letKeysExpire } from './key-expiry.ts';

export type RedisLink = {
  redis: Redis;
  /** For people: without a password. */
  place: string;
  /** Calls with the reason whenever Redis has been gone for some seconds. @returns no longer */
  onGone(listener: (why: string) => void): () => void;
  /** Ends every connection. */
  close(): void;
};

/** A first connection is there by then, or refused. */
const connectMs = 5000;
/** After so long without a word Redis is gone, and to BullMQ a worker is (queues.ts). */
export const goneAfterMs = 5000;
const beatEveryMs = 500;
const reconnectMostMs = 500;
const closeWithinMs = 100;

/**
 * A Redis as people name it.
 * @param option what it was given by
 * @throws UserError when it is no URL of one
 */
export function placeOf(text: string, option: string): string {
  const url = URL.parse(text);
  if (url && /^rediss?:$/.test(url.protocol) && url.hostname !== '')
    return `${url.protocol}//${url.host}${url.pathname}`;
  throw new UserError(
    'workers-redis',
    `${option} names no Redis: give its URL, such as redis://10.0.0.5:6379.`,
  );
}

/**
 * @param url with a password, or without one where the environment has it
 * @throws UserError when no Redis answers there, or it does not take the password; the signal's reason when
 *   it is aborted before
 */
export async function openRedisLink(url: string, option: string, signal: AbortSignal): Promise<RedisLink> {
  const place = placeOf(url, option);
  const all = new Set<Redis>();
  const listeners = new Set<(why: string) => void>();
  let isClosing = false;
  let reason = 'it does not answer';

  function open({ connectionName }: Pick<RedisOptions, 'connectionName'> = {}): Redis {
    const redis = new Redis(withRedisPassword(url), {
      ...(connectionName !== undefined && { connectionName }),
      maxRetriesPerRequest: null,
      retryStrategy: (times) => (isClosing ? null : Math.min(times * 50, reconnectMostMs)),
      disconnectTimeout: closeWithinMs,
    });
    redis.on('error', (error) => (reason = messageOf(error)));
    redis.duplicate = open; // for BullMQ's connections that block, so that all can be ended
    letKeysExpire(redis);
    all.add(redis);
    // BullMQ opens some for each place, and connects one again after its end where it got stuck.
    redis.on('connecting', () => all.add(redis)).on('end', () => all.delete(redis));
    return redis;
  }

  const redis = open();
  const close = () => {
    isClosing = true;
    clearInterval(beat);
    for (const one of all) one.disconnect();
  };
  const beat = startBeat(redis, () => {
    for (const listener of listeners) listener(`Redis at ${place} is gone (${reason})`);
  });
  try {
    await within(redis.ping(), connectMs, signal);
  } catch (error) {
    close();
    signal.throwIfAborted();
    const said = error instanceof Late ? reason : messageOf(error);
    throw new UserError('workers-redis', whyNot(place, option, said), exitCodes.failed);
  }
  return {
    redis,
    place,
    onGone(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close,
  };
}

/** @param said by Redis, or by what reaches for it */
function whyNot(place: string, option: string, said: string): string {
  if (/^NOAUTH\b/.test(said))
    return `Redis at ${place} wants a password: set ${redisPasswordVariable}, for run and workers alike.`;
  if (/^(?:WRONGPASS|ERR invalid password)\b/.test(said))
    return (
      `Redis at ${place} does not take the password (${said}). It comes from the URL of ${option}, or else ` +
      `from ${redisPasswordVariable}.`
    );
  return (
    `No Redis answers at ${place} (${said}): start one that this machine and the workers reach, or name ` +
    `another with ${option}.`
  );
}

/** @param gone is called once each time that Redis has said nothing for a while */
function startBeat(redis: Redis, gone: () => void): NodeJS.Timeout {
  let heardMs = performance.now();
  let isAsked = false;
  let isTold = false;
  return setInterval(() => {
    if (!isTold && performance.now() - heardMs > goneAfterMs) {
      isTold = true;
      gone();
    }
    if (isAsked) return;
    isAsked = true;
    redis
      .ping()
      .then(
        () => {
          heardMs = performance.now();
          isTold = false;
        },
        () => {},
      )
      .finally(() => (isAsked = false));
  }, beatEveryMs);
}
