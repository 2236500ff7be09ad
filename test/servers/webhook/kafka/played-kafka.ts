// Plays a consumer group of Kafka as a test wants it: keeps what is written and committed, and hands out what
// the test says.

import assert from 'node:assert/strict';
import type { TestContext } from 'vitest';
import type {
  GroupHandlers,
  KafkaGroup,
  KafkaOffset,
  KafkaPlace,
  KafkaRecord,
} from '../../../../servers/kafka/group.ts';
import { waitHeaders } from '../../../../servers/webhook/kafka/partition.ts';
import { createKafkaQueue } from '../../../../servers/webhook/kafka/queue.ts';
import { encodeWork, type End, type Work } from '../../../../servers/webhook/queue/work-queue.ts';

export const work = (firstId: number, given: Partial<Work> = {}): Work => ({
  kind: 'delivery',
  message: { id: `e-${firstId}`, topic: 'news', body: '{"n":1}', bodyBytes: 7 },
  firstId,
  receivers: [{ id: 'ep_1', key: 1 }],
  createdMs: 1000,
  round: 0,
  ...given,
});

export const due: KafkaPlace = { topic: 'hooks', partition: 0 };
export const second: KafkaPlace = { topic: 'hooks', partition: 1 };

export type PlayedKafka = {
  group: KafkaGroup;
  written: KafkaRecord[];
  /** What the group goes on from, by topic and partition. */
  places: Map<string, number>;
  paused: Set<string>;
  /** What a write does; it may wait or throw. */
  onWrite: (records: readonly KafkaRecord[]) => Promise<void>;
  isDealing: boolean;
  hasLeft: boolean;
  assign(places: readonly KafkaPlace[]): readonly KafkaOffset[];
  /** Hands out works, one behind the other, from this number on. */
  take(place: KafkaPlace, from: number, works: readonly (Work | string)[], wait?: Wait): void;
};

type Wait = { untilMs: number; dueMs: number };

export const nameOf = ({ topic, partition }: KafkaPlace) => `${topic}/${partition}`;

export function playKafka(): PlayedKafka {
  let handlers: GroupHandlers;
  const played: PlayedKafka = {
    written: [],
    places: new Map(),
    paused: new Set(),
    onWrite: () => Promise.resolve(),
    isDealing: false,
    hasLeft: false,
    assign: (places) => handlers.assigned(places),
    take(place, from, works, wait) {
      handlers.take(
        place,
        works.map((one, i) => ({
          offset: from + i,
          value: Buffer.from(typeof one === 'string' ? one : encodeWork(one)),
          headers: wait ? waitHeaders(wait.untilMs, wait.dueMs) : {},
        })),
      );
    },
    group: {
      clusterId: 'played',
      async write(records) {
        await played.onWrite(records);
        played.written.push(...records);
      },
      read: (_topics, given) => void (handlers = given),
      pause: (place) => void played.paused.add(nameOf(place)),
      resume: (place) => void played.paused.delete(nameOf(place)),
      commit(offsets) {
        if (played.isDealing) return Promise.resolve(false);
        for (const one of offsets) played.places.set(nameOf(one), one.offset);
        return Promise.resolve(true);
      },
      leave: () => Promise.resolve(void (played.hasLeft = true)),
      close: () => Promise.resolve(),
    },
  };
  return played;
}

/** A queue over it that has begun, and is closed when the test is over. */
export function queueOn(
  t: TestContext,
  { group, assign }: PlayedKafka,
  handle: (work: Work) => Promise<End>,
  given: { concurrency?: number; report?: (error: unknown) => void } = {},
) {
  const queue = createKafkaQueue(group, {
    topic: 'hooks',
    emulator: undefined,
    leaseMs: 15_000,
    concurrency: 10,
    report: (error) => assert.fail(String(error)),
    ...given,
  });
  t.onTestFinished(async () => {
    queue.close();
    await queue.stop();
  });
  queue.start(handle);
  assign([due]);
  return queue;
}
