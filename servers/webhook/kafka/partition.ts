// Holds one partition that this server has: which of its messages wait here for their turn, which are under
// way, and whether more are fetched.

import type { GroupMessage, KafkaPlace } from '../../kafka/group.ts';
import { createOffsets, type Offsets } from './offsets.ts';

/** A message as it waits. Times are milliseconds since 1970, 0 for one that waits for nothing. */
export type Waiting = {
  readonly offset: number;
  readonly value: Buffer;
  /** When it leaves its topic, and when its work is due: later, where it has to wait on in another topic. */
  readonly untilMs: number;
  readonly dueMs: number;
  /** How often it was put back, since its endpoint had enough under way or another server had it. */
  readonly putBack: number;
};

export type Partition = {
  readonly place: KafkaPlace;
  readonly offsets: Offsets;
  readonly waiting: Waiting[];
  isPaused: boolean;
  /** What the group was told last. */
  committed: number | undefined;
};

const headerNames = { until: 'pushbench-until', due: 'pushbench-due' };

/**
 * How far reading may be ahead of the lowest message that is not finished: at most so many come again
 * when this server dies.
 */
const aheadMost = 10_000;

export function newPartition(place: KafkaPlace): Partition {
  return { place, offsets: createOffsets(), waiting: [], isPaused: false, committed: undefined };
}

export function keyOf({ topic, partition }: KafkaPlace): string {
  return `${topic} ${partition}`;
}

export function waitHeaders(untilMs: number, dueMs: number): Record<string, string> {
  return { [headerNames.until]: String(untilMs), [headerNames.due]: String(dueMs) };
}

/** Takes messages that have not been taken before. */
export function takeIn({ offsets, waiting }: Partition, messages: readonly GroupMessage[]): void {
  for (const { offset, value, headers } of messages)
    if (offsets.take(offset))
      waiting.push({
        offset,
        value,
        untilMs: Number(headers[headerNames.until]) || 0,
        dueMs: Number(headers[headerNames.due]) || 0,
        putBack: 0,
      });
}

/** @param waitingMost how many are to wait here: the others wait in Kafka */
export function isFull({ offsets, waiting }: Partition, waitingMost: number): boolean {
  const ahead = (offsets.next() ?? 0) - (offsets.lowest() ?? 0);
  return waiting.length >= waitingMost || ahead >= aheadMost;
}
