// Offers places in a run to the workers that wait at a Redis, and keeps what was taken: who has it, whether
// its worker is still there, and the messages between the two ends.

import { randomBytes } from 'node:crypto';
import { QueueEvents, Worker, type Queue } from 'bullmq';
import { exitCodes, messageOf, UserError } from '../../core/base/errors.ts';
import { Late, within } from '../../core/base/within.ts';
import { version } from '../run/version.ts';
import { openChannel, type Channel } from './channel.ts';
import { readClock } from './clock-offset.ts';
import { keysOf, sealOffer, type FromWorker, type Hello, type Offer, type ToWorker } from './messages.ts';
import {
  jobOf,
  keepExpiring,
  keepNothing,
  lobbyName,
  lockMs,
  namesOf,
  openQueue,
  removeLobby,
  removeQueue,
  stalledEveryMs,
} from './queues.ts';
import type { RedisLink } from './redis-link.ts';
import type { Seat } from './remote-load.ts';
import type { Secret } from './secret.ts';

export type TakenSeat = Seat & {
  readonly hello: Hello;
};

export type Seats = {
  /** How many of the places have a worker now. */
  taken(): number;
  /**
   * Resolves when all have one. Rejects with a UserError when that cannot come to be any more: Redis takes no
   * places, or is lost before that, or a worker is that took one.
   */
  readonly all: Promise<readonly TakenSeat[]>;
  /** Tells the workers that the run is over, and leaves nothing in Redis. */
  close(): Promise<void>;
};

const overWithinMs = 800;
/** Redis takes the places within this, or is away. */
const offerWithinMs = 10_000;

type Listener = Parameters<Seat['begin']>[0];
/** What is told of every place. */
type Ears = {
  heard(hello: Hello): void;
  /** @param hello of its worker, where that has said one */
  lost(hello: Hello | undefined, why: string): void;
};
/** One place. */
type Kept = {
  readonly offer: Offer;
  readonly ears: Ears;
  channel: Channel<ToWorker>;
  hello: Hello | undefined;
  lost: string | undefined;
  lives: number;
  listener: Listener | undefined;
  /** Its job is over: BullMQ has nobody working on it. */
  readonly gone: PromiseWithResolvers<void>;
};

type Context = { link: RedisLink; secret: Secret; nowUs: () => number };

/** Offers the places of a new run. What becomes of that is in `all`; `close` ends it in any case. */
export function offerSeats(context: Context, count: number): Seats {
  const { link, secret } = context;
  const run = randomBytes(8).toString('hex');
  const lobby = openQueue<unknown>(link, secret.prefix, lobbyName);
  const all = Promise.withResolvers<readonly TakenSeat[]>();
  all.promise.catch(() => {}); // awaited by those who need it
  // Of those that are lost later the trials say so.
  const ears: Ears = { heard, lost: (hello, why) => all.reject(lostBefore(hello, why)) };
  const kept: Kept[] = Array.from({ length: count }, (_, seat) => newKept(context, { run, seat }, ears));
  const jobs = kept.map(({ offer }) => jobOf(offer));
  const watch = watchJobs(context, (job, why) => endOfJob(kept[jobs.indexOf(job)], why));
  let isRedisGone = false;
  const stopListening = link.onGone((why) => {
    isRedisGone = true;
    all.reject(new UserError('workers-redis', `${why}: start it again, and the run.`, exitCodes.failed));
    for (const one of kept) lose(one, why);
  });

  function heard(hello: Hello): void {
    if (hello.version !== version)
      all.reject(
        new UserError(
          'workers',
          `The worker ${hello.name} is pushbench ${hello.version}, and this is ${version}: ` +
            'install the same version on both machines.',
          exitCodes.failed,
        ),
      );
    if (kept.every((one) => one.hello)) all.resolve(kept.map((one) => seatOf(one, context)));
  }

  let isOver = false;
  let stopExpiring = () => {};
  const hasAnswered = within(offerPlaces(kept, lobby, watch.ready, secret), offerWithinMs).then(
    () => {
      if (!isOver) stopExpiring = keepExpiring(link, lobby, jobs);
      return true;
    },
    (error: unknown) => {
      all.reject(notOffered(error, link.place));
      return !(error instanceof Late);
    },
  );
  return {
    taken: () => kept.filter((one) => one.hello && one.lost === undefined).length,
    all: all.promise,
    async close() {
      isOver = true;
      stopListening();
      const isAway = isRedisGone || !(await within(hasAnswered, overWithinMs).catch(() => false));
      stopExpiring();
      if (!isAway) await within(closeKept(kept, lobby), overWithinMs).catch(() => {});
      await Promise.all([...kept.map(({ channel }) => channel.close()), watch.close()]);
      if (isAway) return; // its keys expire, should it come back with them
      await Promise.all(kept.map((one) => removeKept(one, context)));
      await removeLobby(link, lobby);
    },
  };
}

async function offerPlaces(
  kept: readonly Kept[],
  lobby: Queue<unknown>,
  isWatched: Promise<void>,
  secret: Secret,
): Promise<void> {
  await isWatched;
  await lobby.addBulk(
    kept.map(({ offer }) => ({
      name: 'place',
      data: sealOffer(secret, offer),
      opts: { jobId: jobOf(offer), removeOnComplete: true, removeOnFail: true },
    })),
  );
}

function notOffered(error: unknown, place: string): UserError {
  const why = error instanceof Late ? 'it does not answer' : messageOf(error);
  return new UserError(
    'workers-redis',
    `Redis at ${place} takes no places for workers (${why}): let it be written to, or name another with ` +
      '--workers.',
    exitCodes.failed,
  );
}

function lostBefore(hello: Hello | undefined, why: string): UserError {
  const who = hello ? `The worker ${hello.name}` : 'A worker';
  return new UserError(
    'worker-lost',
    `${who} took its place and was lost before all had joined: ${why}. Start it again, and the run.`,
    exitCodes.failed,
  );
}

function newKept({ link, secret }: Context, offer: Offer, ears: Ears): Kept {
  const keys = keysOf(secret, offer);
  const names = namesOf(offer);
  const ends = {
    out: names.to,
    in: names.from,
    // Nothing is sent before the worker has said its nonce.
    outKey: () => keys.toWorker(one.hello?.nonce ?? ''),
    inKey: () => keys.fromWorker,
  };
  const channel = openChannel<ToWorker, FromWorker>(
    link,
    secret.prefix,
    ends,
    (message) => take(one, message),
    (why) => lose(one, why),
  );
  const one: Kept = {
    offer,
    ears,
    channel,
    hello: undefined,
    lost: undefined,
    lives: 0,
    listener: undefined,
    gone: Promise.withResolvers<void>(),
  };
  return one;
}

function take(one: Kept, message: FromWorker): void {
  if (one.lost !== undefined) return;
  switch (message.kind) {
    case 'hello':
      one.hello ??= message.hello;
      return one.ears.heard(one.hello);
    case 'leaving':
      return lose(one, message.why);
    default:
      if (message.life === one.lives) one.listener?.take(message);
  }
}

function lose(one: Kept, why: string): void {
  if (one.lost !== undefined) return;
  one.lost = why;
  one.listener?.lost(why);
  one.ears.lost(one.hello, why);
}

function endOfJob(one: Kept | undefined, why: string): void {
  if (!one) return; // another run's
  one.gone.resolve();
  lose(one, why);
}

function seatOf(one: Kept, { link, nowUs }: Context): TakenSeat {
  const hello = one.hello!; // all have been heard
  return {
    hello,
    name: hello.name,
    get lost() {
      return one.lost;
    },
    send: (message) => one.channel.send(message),
    begin(listener) {
      one.listener = listener;
      return ++one.lives;
    },
    readClock: () => readClock(link.redis, nowUs),
    nowUs,
  };
}

/**
 * Listens to what BullMQ says of the jobs of the lobby, and looks for those whose lock has expired.
 * @param ended is told of each job that nobody works on any more
 */
function watchJobs(
  { link, secret: { prefix } }: Context,
  ended: (job: string, why: string) => void,
): { ready: Promise<void>; close(): Promise<void> } {
  const events = new QueueEvents(lobbyName, { connection: link.redis, prefix });
  events.on('error', () => {}); // what is wrong with Redis is said by its link
  events.on('stalled', ({ jobId }) => ended(jobId, `it has not been heard of for ${lockMs / 1000} s`));
  events.on('failed', ({ jobId, failedReason }) => ended(jobId, failedReason));
  events.on('completed', ({ jobId }) => ended(jobId, 'it has left the run'));
  const looker = new Worker(lobbyName, null, {
    connection: link.redis,
    prefix,
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: stalledEveryMs,
    maxStalledCount: 0,
    ...keepNothing,
  });
  looker.on('error', () => {});
  const begin = async () => {
    await events.waitUntilReady();
    await looker.startStalledCheckTimer();
  };
  return {
    ready: begin(),
    async close() {
      await within(Promise.allSettled([looker.close(true), events.close()]), overWithinMs).catch(() => {});
    },
  };
}

/** Lets the workers go, and waits until they have. What nobody has taken is taken back. */
async function closeKept(kept: readonly Kept[], lobby: Queue): Promise<void> {
  await Promise.all(
    kept.map(async ({ hello, lost, channel, offer, gone }) => {
      if (hello && lost === undefined) {
        channel.send({ kind: 'over' });
        await gone.promise;
      } else await lobby.remove(jobOf(offer)).catch(() => {});
    }),
  );
}

async function removeKept({ offer }: Kept, { link, secret }: Context): Promise<void> {
  await Promise.all(
    Object.values(namesOf(offer)).map((name) => removeQueue(openQueue(link, secret.prefix, name))),
  );
}
