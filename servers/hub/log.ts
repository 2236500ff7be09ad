// Numbers events, keeps the newest of them, and finds the events after a cursor. It may be one server's own
// log, or a copy of a log that several servers share (`begin`). It knows no subscriber: its caller hands the
// events out.

import { nowUs as hostNowUs } from '../../core/base/clock.ts';
import { cursorPattern, encodeRest, joinEnvelope } from '../../core/event/envelope.ts';
import type { ServerLimits } from '../../core/scenario/scenario.ts';
import { newEpoch } from './epoch.ts';
import { createDrafts, type Draft, type Drafts } from './drafts.ts';
import type { ArrivingEvent } from './broker.ts';
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
  epoch(): string;
  /** The offset of the newest event that was taken; drafts have the numbers after it. */
  end(): number;
  /** Events that were missed (`skipTo`). */
  skipped(): number;
  /**
   * The offset of the end, or of `seen` if that is later: another server's copy of the log was ahead.
   * @param seen a subscriber's cursor
   */
  endFor(seen: string | undefined): number;
  /** The same as a cursor. */
  cursor(seen?: string): string;
  /** The end of the latest gap: nothing is missing after it. Offset 0 without one. */
  beginning(): string;
  readonly drafts: Drafts;
  readonly history: History;
  /**
   * Numbers and encodes an event, behind all drafts. It is taken by `keep`.
   * @throws TooManyTopics
   */
  number(topic: string, body: string, stamps: Stamps, taken?: Draft['taken']): Draft;
  /** The part of the envelope that needs no number (`encodeRest`), accepted now. */
  encode(body: string, stamps: Stamps): string;
  /** Makes an event that was numbered elsewhere, after the end, one of this log. */
  place(event: ArrivingEvent): { event: HubEvent; topic: Topic };
  /** Goes on after an offset, without the events that were missed. */
  skipTo(offset: number, missed: number): void;
  /** Starts over, empty, as a copy of the log that servers share in this epoch. */
  begin(epoch: string, offset: number): void;
  /** Makes it the newest event of the log and of its topic. */
  keep(event: HubEvent, topic: Topic): void;
  since(topics: readonly string[], cursor: string): { events: HubEvent[]; lost: boolean };
  newest(topics: readonly string[]): string;
};

export function createLog(
  limits: Pick<ServerLimits, 'history' | 'historySize'>,
  topics: Topics,
  { epoch = newEpoch(), nowUs = hostNowUs }: LogOptions = {},
): Log {
  const history = createHistory(limits.history, limits.historySize);
  const drafts = createDrafts(topics);
  let end = 0;
  /** The end of the latest gap; 0 without one. */
  let gapUpTo = 0;
  let skipped = 0;
  /** Whether other servers have copies of this log, which may be ahead of this one. */
  let isShared = false;
  const cursorAt = (offset: number) => `${epoch}-${offset}`;

  /** The offset that a cursor names; undefined when it is none of this log's places. */
  function offsetOf(cursor: string): number | undefined {
    const match = cursorPattern.exec(cursor);
    const at = Number(match?.[2]);
    return match?.[1] === epoch && (at <= end || isShared) ? at : undefined;
  }

  function endFor(seen: string | undefined): number {
    return seen === undefined ? end : Math.max(end, offsetOf(seen) ?? 0);
  }

  function encode(body: string, { plannedUs, sentUs, crc }: Stamps): string {
    const acceptedUs = nowUs();
    const sent = sentUs ?? acceptedUs;
    const times = { plannedUs: plannedUs ?? sent, sentUs: sent, acceptedUs };
    return encodeRest({ ...times, body, ...(crc === undefined ? {} : { crc }) });
  }

  function eventOf(offset: number, topic: string, seq: number, rest: string): HubEvent {
    const id = cursorAt(offset);
    return { id, offset, topic, seq, json: joinEnvelope(id, topic, seq, rest) };
  }

  return {
    epoch: () => epoch,
    end: () => end,
    skipped: () => skipped,
    endFor,
    cursor: (seen) => cursorAt(endFor(seen)),
    beginning: () => cursorAt(gapUpTo),
    drafts,
    history,
    encode,

    number(name, body, stamps, taken) {
      topics.admit(name);
      const { topic, seq, before } = topics.number(name, stamps.seq);
      const event = eventOf(end + drafts.count() + 1, name, seq, encode(body, stamps));
      return { event, topic, before, taken };
    },

    place({ offset, topic: name, seq: given, rest }) {
      const { topic, seq } = topics.number(name, given);
      return { event: eventOf(offset, name, seq, rest), topic };
    },

    skipTo(offset, missed) {
      skipped += missed;
      end = gapUpTo = offset;
    },

    begin(fresh, offset) {
      epoch = fresh;
      end = gapUpTo = offset;
      isShared = true;
      history.clear();
      topics.forgetEvents();
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
      if (after === undefined || after < gapUpTo) found.lost = true;
      return found;
    },

    newest(names) {
      let offset = gapUpTo;
      for (const name of names) offset = Math.max(offset, topics.find(name)?.newestOffset ?? 0);
      return cursorAt(offset);
    },
  };
}
