// Carries messages between a coordinator and one worker: a queue of BullMQ for each direction, in order, each
// message once, signed. What waits while a batch is on its way goes as one job after it. An end that has
// nothing to say sends an empty batch now and then, so that the other end knows that it is still there.

import { Worker } from 'bullmq';
import { messageOf } from '../../core/base/errors.ts';
import { within } from '../../core/base/within.ts';
import { keepExpiring, keepNothing, openQueue } from './queues.ts';
import type { RedisLink } from './redis-link.ts';
import { seal, unseal, type Sealed } from './secret.ts';

export type Channel<Out> = {
  send(message: Out): void;
  /**
   * Whether the other end is there: it has said something lately, and somebody takes what is sent (taken to
   * be so where this Redis does not tell).
   */
  isHeard(): Promise<boolean>;
  /** Resolves when all has been sent, or the time is over. */
  sent(limitMs: number): Promise<void>;
  /** Ends both directions. The queues stay. */
  close(): Promise<void>;
};

export type ChannelEnds = {
  out: string;
  in: string;
  /** What is signed with; asked when the first message is sent or comes. */
  outKey(): Buffer;
  inKey(): Buffer;
};

/** More do not wait: the other end is gone then, or Redis is. */
const mostWaiting = 10_000;
const closeWithinMs = 500;
/** After this time without a message an empty batch is sent. */
const beatEveryMs = 2000;
/** The other end is gone when nothing has come for so long: a busy one sends late. */
const silentMs = 15_000;

/** What both directions need. */
type Context = {
  link: RedisLink;
  prefix: string;
  ends: ChannelEnds;
  isOver(): boolean;
  /** Messages can no longer come or go. */
  breakOff(why: string): void;
};

/**
 * @param take is given every message; the next one waits for it
 * @param broke is called once with the reason when messages can no longer come or go
 */
export function openChannel<Out, In>(
  link: RedisLink,
  prefix: string,
  ends: ChannelEnds,
  take: (message: In) => void | Promise<void>,
  broke: (why: string) => void,
): Channel<Out> {
  let isOver = false;
  const breakOff = (why: string) => {
    if (isOver) return;
    isOver = true;
    broke(why);
  };
  const context: Context = { link, prefix, ends, isOver: () => isOver, breakOff };
  const taking = openTaking(context, take);
  const sending = openSending<Out>(context, taking.hasTaken);
  return {
    send: sending.send,
    isHeard: async () => !taking.isSilent() && (await sending.isTaken()),
    sent: sending.sent,
    async close() {
      isOver = true;
      await within(Promise.allSettled([taking.close(), sending.close()]), closeWithinMs).catch(() => {});
    },
  };
}

/** @param hasTaken whether the other end has been heard: before that an end may not know what to sign with */
function openSending<Out>({ link, prefix, ends, isOver, breakOff }: Context, hasTaken: () => boolean) {
  const queue = openQueue<Sealed>(link, prefix, ends.out);
  const stopExpiring = keepExpiring(link, queue);
  const waiting: Out[] = [];
  let pumping: Promise<void> | undefined;
  let batches = 0;
  let isQuiet = true;

  async function pump(): Promise<void> {
    do {
      isQuiet = false;
      await queue.add('batch', seal(ends.outKey(), batches++, waiting.splice(0)));
    } while (waiting.length > 0);
  }

  function startPump(): void {
    pumping ??= pump()
      .catch((error) => {
        waiting.length = 0;
        breakOff(messageOf(error));
      })
      .finally(() => {
        pumping = undefined;
        if (waiting.length > 0) startPump();
      });
  }

  const beating = setInterval(() => {
    if (isQuiet && !isOver() && (batches > 0 || hasTaken())) startPump();
    isQuiet = true;
  }, beatEveryMs);

  return {
    send(message: Out): void {
      if (isOver()) return;
      if (waiting.length >= mostWaiting) return breakOff('nothing has been taken for a while');
      waiting.push(message);
      startPump();
    },
    isTaken: async () => (await queue.getWorkersCount()) > 0,
    async sent(limitMs: number): Promise<void> {
      const all = async () => {
        while (pumping) await pumping;
      };
      await within(all(), limitMs).catch(() => {});
    },
    close(): Promise<void> {
      clearInterval(beating);
      stopExpiring();
      return queue.close();
    },
  };
}

/**
 * What was handed out of a queue and has not been finished, in order. ioredis sends a command again when the
 * connection was cut before its answer. So a batch may be added twice, and the second is left out by its
 * number. But a batch that was handed out is not handed out again: the next one is, and only here is the
 * first still to be found. It stays there until the queue is removed.
 */
async function handedOut(link: RedisLink, prefix: string, name: string): Promise<Sealed[]> {
  const queue = openQueue<Sealed>(link, prefix, name);
  try {
    const jobs = await queue.getActive();
    return jobs.map(({ data }) => data).toSorted((a, b) => a.n - b.n);
  } finally {
    await queue.close();
  }
}

function openTaking<In>(
  { link, prefix, ends, isOver, breakOff }: Context,
  take: (message: In) => void | Promise<void>,
) {
  let batches = 0;
  let heardMs = performance.now();

  /** Takes a batch, after those that are missing before it. */
  async function takeBatch(batch: Sealed): Promise<void> {
    const before = batch.n > batches ? await handedOut(link, prefix, ends.in).catch(() => []) : [];
    for (const one of [...before, batch]) if (one.n === batches) await takeNext(one);
    if (batch.n >= batches)
      breakOff('a message was lost: the connection to Redis was cut, or Redis lost what it had');
  }

  async function takeNext(batch: Sealed): Promise<void> {
    if (isOver()) return;
    const messages = unseal(ends.inKey(), batch);
    if (!messages) return breakOff('a message is not signed with this token');
    heardMs = performance.now();
    batches++;
    // Signed by the other end, which is this package in the same version.
    for (const message of messages) await take(message as In);
  }

  const worker = new Worker<Sealed>(ends.in, ({ data }) => takeBatch(data), {
    connection: link.redis,
    prefix,
    skipStalledCheck: true,
    ...keepNothing,
  });
  worker.on('error', () => {}); // what is wrong with Redis is said by its link

  return {
    hasTaken: () => batches > 0,
    isSilent: () => performance.now() - heardMs > silentMs,
    close: () => worker.close(true),
  };
}
