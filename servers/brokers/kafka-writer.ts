// Writes events to a topic of Kafka, one batch after the other: what comes in one turn of the event loop, or
// while others are on their way, goes together as far as a broker takes it.

import { RequestError } from '../http/request.ts';
import { KafkaWriteError, type KafkaPartition } from '../kafka/topic.ts';
import type { Refusals } from './broker.ts';

export type KafkaEvent = {
  readonly count: number;
  readonly key: string | undefined;
  readonly value: string;
  /** It may be in Kafka. */
  written: boolean;
  /** It goes alone: together with others it was too large. */
  alone?: boolean;
};

export type KafkaWriter = {
  add(one: KafkaEvent): void;
  /** Nobody waits for it any more. */
  drop(one: KafkaEvent): void;
  /** What is not on its way stays unwritten. */
  stop(): void;
};

/** Of one batch; a broker takes 1 MiB by default. */
const batchMost = { events: 500, bytes: 512 * 1024 };

/** @param end is told what was not written for sure */
export function createKafkaWriter(
  partition: Pick<KafkaPartition, 'write'>,
  refusals: Refusals,
  end: (count: number, refusal: RequestError) => void,
): KafkaWriter {
  let queue: KafkaEvent[] = [];
  let writing: Promise<void> | undefined;
  let isStopped = false;

  async function writeAll(): Promise<void> {
    // What comes in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
      try {
        await partition.write(batch);
      } catch (error) {
        failed(batch, error);
      }
    }
    writing = undefined;
  }

  function failed(batch: readonly KafkaEvent[], error: unknown): void {
    if (!(error instanceof KafkaWriteError)) throw error;
    if (error.kind === 'unknown') return; // it may still come back
    if (error.kind === 'refused' && batch.length > 1 && !isStopped) {
      // Together they may be too large, and one may be so alone.
      for (const one of batch) {
        one.written = false;
        one.alone = true;
      }
      queue = [...batch, ...queue];
      return;
    }
    const refusal = refusalOf(error, refusals);
    for (const { count } of batch) end(count, refusal);
  }

  function nextBatch(): KafkaEvent[] {
    const batch: KafkaEvent[] = [];
    let bytes = 0;
    for (const one of queue) {
      bytes += Buffer.byteLength(one.value);
      const isFull = batch.length >= batchMost.events || bytes > batchMost.bytes;
      if (batch.length > 0 && (isFull || one.alone || batch[0]!.alone)) break;
      one.written = true;
      batch.push(one);
    }
    queue = queue.slice(batch.length);
    return batch;
  }

  return {
    add(one) {
      queue.push(one);
      writing ??= writeAll();
    },
    drop(one) {
      if (!one.written) queue = queue.filter((other) => other !== one);
    },
    stop() {
      isStopped = true;
      queue = [];
    },
  };
}

function refusalOf({ kind, message }: KafkaWriteError, { away }: Refusals): RequestError {
  if (kind === 'away') return away(message);
  return new RequestError(413, 'too-large-for-broker', `Kafka refused it: ${message}`);
}
