// Writes records to Kafka: what comes while others are on their way goes into the next batch. A record is
// written again whose answer was lost, so it may be there twice; records.ts in ../queue knows what was done.

import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../core/base/errors.ts';
import type { KafkaGroup, KafkaRecord } from '../../kafka/group.ts';
import { KafkaWriteError } from '../../kafka/topic.ts';

/** `away`: it is not there. `refused`: neither, and never will be. `unknown`: it may be there. */
export type Written =
  | { readonly state: 'stored' }
  | { readonly state: 'away'; readonly why: string }
  | { readonly state: 'refused' | 'unknown'; readonly why: string };

export type Sender = {
  /** @returns for each what became of it, when all are decided. Never throws */
  send(records: readonly KafkaRecord[]): Promise<Written[]>;
};

type Waiting = { readonly record: KafkaRecord; readonly resolve: (written: Written) => void };

/** Of one batch; a broker takes 1 MiB by default. */
const batchMost = { records: 1000, bytes: 512 * 1024 };
const tries = 3;
const againMs = 200;

export function createSender({ write }: Pick<KafkaGroup, 'write'>): Sender {
  let queue: Waiting[] = [];
  let isWriting = false;

  async function writeAll(): Promise<void> {
    // What comes in one turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve));
    for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
      const written = await writeBatch(write, batch);
      for (const [i, { resolve }] of batch.entries()) resolve(written[i]!); // one for each
    }
    isWriting = false;
  }

  function nextBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { record } of queue) {
      bytes += Buffer.byteLength(record.value);
      if (count > 0 && (count >= batchMost.records || bytes > batchMost.bytes)) break;
      count++;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    return batch;
  }

  return {
    send: (records) =>
      Promise.all(
        records.map(
          (record) =>
            new Promise<Written>((resolve) => {
              queue.push({ record, resolve });
              if (isWriting) return;
              isWriting = true;
              void writeAll();
            }),
        ),
      ),
  };
}

async function writeBatch(write: KafkaGroup['write'], batch: readonly Waiting[]): Promise<Written[]> {
  const written = await writePatiently(
    write,
    batch.map(({ record }) => record),
  );
  if (written.state !== 'refused' || batch.length === 1) return batch.map(() => written);
  // Together they may be too large, and one may be so alone.
  const all: Written[] = [];
  for (const { record } of batch) all.push(await writePatiently(write, [record]));
  return all;
}

async function writePatiently(write: KafkaGroup['write'], records: readonly KafkaRecord[]): Promise<Written> {
  let maybe = false;
  for (let left = tries - 1; ; left--) {
    try {
      await write(records);
      return { state: 'stored' };
    } catch (error) {
      const kind = error instanceof KafkaWriteError ? error.kind : 'unknown';
      maybe ||= kind === 'unknown';
      const why = messageOf(error);
      if (kind === 'refused' || left === 0)
        return { state: kind === 'away' && maybe ? 'unknown' : kind, why };
      await sleep(againMs);
    }
  }
}
