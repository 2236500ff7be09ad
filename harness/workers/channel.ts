// Carries messages between a coordinator and one worker: a queue of BullMQ for each direction, in order, each
// message once, signed. What waits while a batch is on its way goes as one job after it.

import { Worker, type Queue } from 'bullmq';
import { messageOf } from '../../core/base/errors.ts';
import { within } from '../../core/base/within.ts';
import { keepExpiring, keepNothing, openQueue } from './queues.ts';
import type { RedisLink } from './redis-link.ts';
import { seal, unseal, type Sealed } from './secret.ts';

export type Channel<Out> = {
  send(message: Out): void;
  /** Whether somebody takes what is sent; true where this Redis does not tell. */
  isHeard(): Promise<boolean>;
  /** Resolves when all has been sent, or the time is over. */
  sent(limitMs: number): Promise<void>;
  /** Ends both directions. The queues stay. */
  close(): Promise<void>;
  /** The queue of this end. */
  readonly queue: Queue;
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
  const queue = openQueue<Sealed>(link, prefix, ends.out);
  const stopExpiring = keepExpiring(link, queue);
  const waiting: Out[] = [];
  let pumping: Promise<void> | undefined;
  let sentBatches = 0;
  let takenBatches = 0;
  let isOver = false;

  function breakOff(why: string): void {
    if (isOver) return;
    isOver = true;
    broke(why);
  }

  async function pump(): Promise<void> {
    while (waiting.length > 0)
      await queue.add('batch', seal(ends.outKey(), sentBatches++, waiting.splice(0)));
  }

  function startPump(): void {
    if (pumping || waiting.length === 0) return;
    pumping = pump()
      .catch((error) => {
        waiting.length = 0;
        breakOff(messageOf(error));
      })
      .finally(() => {
        pumping = undefined;
        startPump();
      });
  }

  async function takeBatch(batch: Sealed): Promise<void> {
    // BullMQ gives a job out again where Redis lost its answer.
    if (isOver || batch.n < takenBatches) return;
    const messages = batch.n === takenBatches ? unseal(ends.inKey(), batch) : undefined;
    if (!messages) return breakOff('a message was lost, or is not signed with this token');
    takenBatches++;
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
    queue,
    send(message) {
      if (isOver) return;
      if (waiting.length >= mostWaiting) return breakOff('nothing has been taken for a while');
      waiting.push(message);
      startPump();
    },
    isHeard: async () => (await queue.getWorkersCount()) > 0,
    async sent(limitMs) {
      const all = async () => {
        while (pumping) await pumping;
      };
      await within(all(), limitMs).catch(() => {});
    },
    async close() {
      isOver = true;
      stopExpiring();
      await within(Promise.allSettled([worker.close(true), queue.close()]), closeWithinMs).catch(() => {});
    },
  };
}
