// Opens connections to Redis that do nothing late: a command is sent at once or never, its answer comes
// within a deadline or counts as lost, and nothing is sent again after a connection was lost. So a client
// that was told "not stored" can rely on it.

import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { messageOf } from '../../../core/base/errors.ts';
import { withRedisPassword } from '../../../core/secrets/redis-password.ts';
import { TooManyTopics } from '../../hub/hub.ts';
import { RequestError } from '../../http/request.ts';

/**
 * How long an answer may take. Publishing waits for two of them at most, and its own answer is due within
 * 2 s.
 */
export const answerWithinMs = 900;
/**
 * How long Redis may take from accepting a connection to being ready; behind it a new connection is tried.
 */
const readyWithinMs = 10_000;
export const reconnectMostMs = 500;
/** Of a connection that is given up: how long Redis may take to close its end. */
const closeWithinMs = 100;

/** Nothing was sent: there is no connection. */
export class RedisDown extends Error {
  override readonly name = 'RedisDown';
}

/** It was sent, but the answer did not come: it may or may not have been done. */
export class AnswerLost extends Error {
  override readonly name = 'AnswerLost';
}

export type RedisLink = {
  readonly redis: Redis;
  /** Whether commands can be sent. */
  ready(): boolean;
  /**
   * Sends commands and waits for their answer.
   * @param withinMs from now
   * @throws RedisDown, AnswerLost, or what Redis replied (ReplyError)
   */
  ask<T>(commands: (redis: Redis) => Promise<T>, withinMs?: number): Promise<T>;
  /**
   * Waits for work that takes commands of its own, however many, for as long as Redis answers anything
   * meanwhile.
   * @throws the same
   */
  during<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
};

/** How often Redis is asked for a sign of life during longer work. */
const beatEveryMs = 300;

/** @param change is called when commands can be sent again, and when they no longer can, with the reason */
export function openLink(
  url: string,
  change: (ready: boolean, reason: string) => void = () => {},
): RedisLink {
  const redis = new Redis(withRedisPassword(url), {
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0, // what is under way fails with its connection
    retryStrategy: (times) => Math.min(times * 50, reconnectMostMs),
    disconnectTimeout: closeWithinMs,
  });
  let alive = false;
  let reason = 'no connection';
  let readyTimer: NodeJS.Timeout | undefined;

  function turn(now: boolean, because = reason): void {
    reason = because;
    if (alive === now) return;
    alive = now;
    change(now, because);
  }

  function giveUp(because: string): void {
    turn(false, because);
    redis.disconnect(true);
  }

  redis.on('connect', () => {
    clearTimeout(readyTimer);
    readyTimer = setTimeout(() => giveUp('it accepts connections and says nothing'), readyWithinMs);
    readyTimer.unref();
  });
  redis.on('ready', () => {
    clearTimeout(readyTimer);
    turn(true, '');
  });
  redis.on('error', (error) => (reason = messageOf(error)));
  redis.on('close', () => {
    clearTimeout(readyTimer);
    turn(false, reason === '' ? 'the connection was closed' : reason);
  });

  async function ask<T>(commands: (redis: Redis) => Promise<T>, withinMs = answerWithinMs): Promise<T> {
    if (!alive || redis.status !== 'ready') throw new RedisDown(reason);
    const late = Promise.withResolvers<never>();
    // An answer that has come while this process was busy is read before it counts as late.
    const isLate = () => late.reject(new AnswerLost(`no answer within ${Math.round(withinMs)} ms`));
    const timer = setTimeout(() => setImmediate(() => setImmediate(isLate)), withinMs);
    try {
      const answer = commands(redis);
      answer.catch(() => {}); // it may end after its deadline
      return await Promise.race([answer, late.promise]);
    } catch (error) {
      if (isReply(error)) throw error;
      if (error instanceof AnswerLost) giveUp(error.message);
      throw new AnswerLost(messageOf(error));
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    redis,
    ready: () => alive,
    ask,
    async during(work) {
      if (!alive || redis.status !== 'ready') throw new RedisDown(reason);
      const over = new AbortController();
      const done = work();
      done.catch(() => {}); // it may end after its deadline
      const silence = async (): Promise<never> => {
        for (;;) {
          await ask((one) => one.ping());
          await sleep(beatEveryMs, undefined, { signal: over.signal });
        }
      };
      const silent = silence();
      silent.catch(() => {}); // it ends with the work
      try {
        return await Promise.race([done, silent]);
      } catch (error) {
        const isSaid = isReply(error) || error instanceof RequestError || error instanceof TooManyTopics;
        throw isSaid ? error : new AnswerLost(messageOf(error));
      } finally {
        over.abort();
      }
    },
    close() {
      clearTimeout(readyTimer);
      change = () => {};
      redis.disconnect();
    },
  };
}

export type PatientConnections = {
  /** The first of them. BullMQ makes the others of it. */
  redis: Redis;
  /** Ends all of them; commands under way fail. */
  giveUp(): void;
};

/**
 * Opens connections for BullMQ's worker, which wait for a Redis that is away. When BullMQ ends a connection,
 * it waits for its end. ioredis never reports that end while the connection pauses between two attempts to
 * connect, so here such a connection ends at its next attempt.
 */
export function openPatient(url: string): PatientConnections {
  const all = new Set<Redis>();

  function open(): Redis {
    let isEnding = false;
    const redis = new Redis(withRedisPassword(url), {
      maxRetriesPerRequest: null,
      retryStrategy: (times) => (isEnding ? null : Math.min(times * 50, reconnectMostMs)),
      disconnectTimeout: closeWithinMs,
    });
    const disconnect = redis.disconnect.bind(redis);
    redis.disconnect = (reconnect = false) => {
      if (reconnect || redis.status !== 'reconnecting') return disconnect(reconnect);
      isEnding = true;
      redis.once('connect', () => isEnding && disconnect());
    };
    redis.on('end', () => (isEnding = false));
    redis.on('error', () => {}); // it comes back by itself
    redis.duplicate = open; // for the commands that block
    all.add(redis);
    return redis;
  }

  return { redis: open(), giveUp: () => all.forEach((redis) => redis.disconnect()) };
}

/** Whether it is what Redis replied: nothing was done. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Whether the same may succeed later: Redis is away, or takes no writes for now. */
export function isPassing(error: unknown): boolean {
  if (error instanceof RedisDown || error instanceof AnswerLost) return true;
  return isReply(error) && /^(?:OOM|MISCONF|READONLY|LOADING|NOREPLICAS|BUSY)\b/.test(error.message);
}

/**
 * What a client is told when Redis did not take or did not say something.
 * @param changing whether it was a change: what became of it is unknown then, when the answer was lost
 */
export function refusalOf(error: unknown, host: string, changing = false): Error {
  if (error instanceof RequestError || error instanceof TooManyTopics) return error;
  const message = messageOf(error).slice(0, 200);
  const refused = (code: string, what: string) => new RequestError(503, code, `Redis at ${host} ${what}`);
  if (isReply(error)) {
    if (!message.startsWith('OOM'))
      return refused('store-failed', `refused it, nothing was stored: ${message}`);
    return refused(
      'store-full',
      'is out of memory and took nothing; raise its maxmemory, or try again when deliveries have been made',
    );
  }
  if (error instanceof AnswerLost && changing) {
    const what = 'the change may or may not have been stored; look whether it is there when Redis is back';
    return refused('unknown', `did not answer (${message}): ${what}`);
  }
  if (error instanceof AnswerLost || error instanceof RedisDown) {
    return refused(
      'store-failed',
      `does not answer (${message}); nothing was stored, try again when it is back`,
    );
  }
  return error instanceof Error ? error : new Error(message); // a defect of ours
}
