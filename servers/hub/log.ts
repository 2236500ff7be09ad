// Numbers events, keeps the newest of them, and finds what came after a cursor. It knows no subscriber: who
// takes an event from it hands the event out.

import { randomInt } from 'node:crypto';
import { nowUs as hostNowUs } from '../../core/base/clock.ts';
import { cursorPattern, encodeEnvelope } from '../../core/event/envelope.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';
import { createDrafts, type Draft, type Drafts } from './drafts.ts';
import type { HubEvent, Stamps } from './event.ts';
import { createHistory, keptAfter, newestKept, type History } from './history.ts';
import type { Topic, Topics } from './topics.ts';

/** In the place of a cursor: the newest event of each topic, and what follows. */
export const currentState = 'last';

export type LogOptions = {
  /** Random when left out. */
  epoch?: string;
  /** The clock of `accepted`, in microseconds. */
  nowUs?: () => number;
};

export type Log = {
  readonly epoch: string;
  /** The offset of the newest event that was taken; drafts have the numbers after it. */
  end(): number;
  /** The cursor of the end. */
  cursor(): string;
  readonly drafts: Drafts;
  readonly history: History;
  /**
   * Numbers and encodes an event, behind all drafts. It is taken by `keep`.
   * @throws TooManyTopics
   */
  number(topic: string, body: string, stamps: Stamps, taken?: Draft['taken']): Draft;
  /**
   * Finds the topic of an event that another log of this epoch has numbered.
   * @throws Error when it is not the next event of this log and of its topic
   */
  numberedElsewhere(event: HubEvent): Topic;
  /** Makes it the newest event of the log and of its topic. */
  keep(event: HubEvent, topic: Topic): void;
  since(topics: readonly string[], cursor: string): { events: HubEvent[]; lost: boolean };
  newest(topics: readonly string[]): string;
};

export function createLog(
  limits: Pick<ServerLimits, 'history' | 'historySize'>,
  topics: Topics,
  { epoch = randomEpoch(), nowUs = hostNowUs }: LogOptions = {},
): Log {
  const history = createHistory(limits.history, limits.historySize);
  const drafts = createDrafts(topics);
  let end = 0;
  const cursorAt = (offset: number) => `${epoch}-${offset}`;

  /** The offset that a cursor names; undefined when it is none of this log's places. */
  function offsetOf(cursor: string): number | undefined {
    const match = cursorPattern.exec(cursor);
    const at = Number(match?.[2]);
    return match?.[1] === epoch && at <= end ? at : undefined;
  }

  return {
    epoch,
    end: () => end,
    cursor: () => cursorAt(end),
    drafts,
    history,

    number(name, body, stamps, taken) {
      const topic = topics.number(name);
      const acceptedUs = nowUs();
      const { sentUs = acceptedUs, plannedUs = sentUs, crc } = stamps;
      const { seq } = topic;
      const offset = end + drafts.count() + 1;
      const id = cursorAt(offset);
      const json = encodeEnvelope({
        id,
        topic: name,
        seq,
        plannedUs,
        sentUs,
        acceptedUs,
        body,
        ...(crc === undefined ? {} : { crc }),
      });
      return { event: { id, offset, topic: name, seq, json }, topic, taken };
    },

    numberedElsewhere({ id, offset, topic, seq }) {
      if (offset !== end + 1 || id !== cursorAt(offset))
        throw new Error(`event ${id} came where ${cursorAt(end + 1)} is next`);
      return topics.numberedElsewhere(topic, seq);
    },

    keep(event, topic) {
      end = event.offset;
      topic.newestOffset = end;
      history.keep(event, topic);
    },

    since(names, cursor) {
      const followed = (names.length > 1 ? [...new Set(names)] : names).map(topics.find);
      if (cursor === currentState) return { events: newestKept(followed), lost: false };
      const after = offsetOf(cursor);
      const found = keptAfter(followed, after ?? 0);
      if (after === undefined) found.lost = true;
      return found;
    },

    newest(names) {
      let offset = 0;
      for (const name of names) offset = Math.max(offset, topics.find(name)?.newestOffset ?? 0);
      return cursorAt(offset);
    },
  };
}

function randomEpoch(): string {
  return Array.from({ length: 6 }, () => randomInt(36).toString(36)).join('');
}
