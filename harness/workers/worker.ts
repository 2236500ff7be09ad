// Runs a worker: waits at a Redis for places in runs and keeps one after the other, until it is told to end.

import { hostname } from 'node:os';
import { Worker } from 'bullmq';
import { nowUs } from '../../core/base/clock.ts';
import { within } from '../../core/base/within.ts';
import { keepPlace, type MachineClock } from './place.ts';
import { keepNothing, lobbyName, lockMs, openQueue, removeLobby, workersAt } from './queues.ts';
import { openRedisLink } from './redis-link.ts';
import { secretOf } from './secret.ts';

export type WorkerOptions = {
  /** Of the Redis that the run names, too. */
  url: string;
  token: string;
  /** Hosts besides loopback that load may go to, as `allowedHost` of core/http/access.ts gives them. */
  allow: readonly string[];
  /** Tells the user something: a sentence. */
  say(text: string): void;
  /** Ends the worker. */
  signal: AbortSignal;
  /** This machine's when left out. */
  clock?: MachineClock;
};

const closeWithinMs = 300;
const placeEndsWithinMs = 1800;

/** How a worker is called: its connections have the name, so it holds nothing but these characters. */
const ownName = () => `${hostname().replaceAll(/[^\w.-]/g, '-')}.${process.pid}`;

/**
 * Works until it is told to end. Afterwards no process of it is left, and no key of its own.
 * @throws UserError when no Redis answers
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { url, token, allow, say, signal, clock = { nowUs, aheadUs: 0 } } = options;
  const secret = secretOf(token);
  const link = await openRedisLink(url, '--join', signal);
  const name = ownName();
  const place = { link, secret, name, allow, clock, say, over: signal };
  const worker = new Worker(lobbyName, ({ data }) => keepPlace(data, place), {
    connection: link.redis,
    prefix: secret.prefix,
    name,
    lockDuration: lockMs,
    // The run looks for workers that are lost, so that workers leave nothing in Redis while they wait.
    skipStalledCheck: true,
    maxStalledCount: 0,
    ...keepNothing,
  });
  worker.on('error', () => {}); // what is wrong with Redis is said by its link
  const stopListening = link.onGone((why) => say(`${why}; waiting for it to come back.`));
  say(
    `Waiting at ${link.place} for runs with this token, as ${name}. Load goes to loopback` +
      `${allow.length === 0 ? ' alone; --allow HOST lets it go further' : ` and to ${allow.join(', ')}`}. ` +
      'Ctrl-C ends it.',
  );
  await ending(signal);
  stopListening();
  // A place that it keeps ends with the same signal.
  await within(worker.close(), placeEndsWithinMs).catch(() => {});
  const { own } = await within(workersAt(link, secret.prefix), closeWithinMs).catch(() => ({ own: 1 }));
  if (own === 0) await removeLobby(link, openQueue(link, secret.prefix, lobbyName));
  link.close();
}

async function ending(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
