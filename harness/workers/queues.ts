// Names the queues of BullMQ between a run and its workers, and leaves nothing of them in Redis: they are
// removed when the run is over, and expire where nobody is left to remove them (key-expiry.ts).

import { Queue } from 'bullmq';
import { within } from '../../core/base/within.ts';
import { staysMs } from './key-expiry.ts';
import { goneAfterMs, type RedisLink } from './redis-link.ts';
import type { Offer } from './messages.ts';

/** Where places in runs are offered. One for each token. */
export const lobbyName = 'lobby';
export const namesOf = ({ run, seat }: Offer) => ({ to: `to-${run}-${seat}`, from: `from-${run}-${seat}` });
export const jobOf = ({ run, seat }: Offer) => `${run}-${seat}`;

/**
 * The lock of the job that a worker works on. BullMQ renews it as long as the worker lives; when it has
 * expired, it is noticed at the next check but one.
 */
export const lockMs = goneAfterMs;
export const stalledEveryMs = 1000;

/** Finished jobs are of no more use. */
export const keepNothing = { removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } } as const;

/** Keys that BullMQ lets expire itself, and by whose end it knows that something is due. */
const ownExpiry = ['stalled-check', 'limiter'];
const renewEveryMs = 60_000;
const removeWithinMs = 1000;

export function openQueue<Data>({ redis }: RedisLink, prefix: string, name: string): Queue<Data> {
  const queue = new Queue<Data>(name, {
    connection: redis,
    prefix,
    skipMetasUpdate: true, // else it writes a key as it is opened
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  queue.on('error', () => {}); // what is wrong with Redis is said by its link
  return queue;
}

/**
 * Renews the keys of a queue as long as it is in use, so that none of them expires in a long run.
 * @param jobs keys of these, too
 * @returns stops renewing them
 */
export function keepExpiring({ redis }: RedisLink, queue: Queue, jobs: readonly string[] = []): () => void {
  const keys = Object.entries(queue.keys).flatMap(([name, key]) => (ownExpiry.includes(name) ? [] : [key]));
  const renew = () => {
    const renewing = redis.pipeline();
    for (const key of [...keys, ...jobs.map((job) => queue.toKey(job))]) renewing.pexpire(key, staysMs);
    renewing.exec().catch(() => {});
  };
  renew();
  const timer = setInterval(renew, renewEveryMs);
  return () => clearInterval(timer);
}

/** Removes a queue with all that is in it. Where Redis is away, its keys expire. */
export async function removeQueue(queue: Queue): Promise<void> {
  await within(queue.obliterate({ force: true }), removeWithinMs).catch(() => {});
}

/** The keys of a queue that are there only as long as jobs are. */
const jobLists = ['wait', 'active', 'paused', 'delayed', 'prioritized'];
/** Removes all keys unless one of the first ARGV[1] is there. */
const removeUnused = `
for i = 1, tonumber(ARGV[1]) do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end
return redis.call('DEL', unpack(KEYS))`;

/**
 * Removes the lobby where nothing is offered or taken there. Another run may offer places at the same moment:
 * they are there before, and all stays, or come after.
 */
export async function removeLobby({ redis }: RedisLink, lobby: Queue): Promise<void> {
  const lists = jobLists.map((name) => lobby.toKey(name));
  const keys = [...lists, ...Object.values(lobby.keys)];
  const removing = redis.eval(removeUnused, keys.length, ...keys, lists.length);
  await within(removing, removeWithinMs).catch(() => {});
}

/**
 * Workers that wait for a place or have one, by their connections: those with this token, and the others.
 * Nothing where this Redis does not list its clients.
 */
export async function workersAt(
  { redis }: RedisLink,
  prefix: string,
): Promise<{ own: number; others: number }> {
  const list = await redis.client('LIST').catch(() => '');
  const lobby = Buffer.from(lobbyName).toString('base64');
  const names = [...String(list).matchAll(/ name=(pushbench-load-[\da-f]+):(\S+?):w:/g)];
  const waiting = names.filter(([, , queue]) => queue === lobby).map(([, owner]) => owner);
  const own = waiting.filter((owner) => owner === prefix).length;
  return { own, others: waiting.length - own };
}
