// Puts events in order with their topics in a database, so that several processes share them and nothing is
// lost when a process ends: held events are stored there, and the next number is stored only when the event
// was processed. If a process dies between the two, the event is processed a second time.

import { requireFunction, requireNames, kindOf } from '../core/base/checked-options.ts';
import {
  accept,
  giveUpOld,
  newTopic,
  requireBounds,
  requireSeq,
  requireTime,
  waitingSince,
  type Bounds,
  type Step,
  type Topic,
} from './topic.ts';

/** The stored state of a topic; JSON, if the items are. */
export type KeptTopic<T> = {
  /** The next sequence number. */
  next: number;
  held: { seq: number; item: T; sinceMs: number }[];
  gaps: { from: number; to: number }[];
  /** Since when an event is held back; `waiting` searches for it. */
  waitingSinceMs: number | null;
};

export type SequenceStore<T> = {
  /**
   * Calls `change` with the stored state of a topic, undefined at first, and stores the state that it
   * resolves with (nothing for undefined). When it rejects, so does this, and nothing is stored. For each
   * topic one call at a time, over all processes.
   */
  update(
    topic: string,
    change: (kept: KeptTopic<T> | undefined) => Promise<KeptTopic<T> | undefined>,
  ): Promise<unknown>;
  /** Topics in which an event has been held back since this time or longer. */
  waiting(sinceMs: number): Promise<readonly string[]>;
};

export type StoredSequenceOptions<T> = Bounds & {
  store: SequenceStore<T>;
  /**
   * Processes the steps that are possible now, in order. When it throws, nothing is stored: they come again.
   */
  onStep: (step: Step<T>) => unknown;
  /** The same clock for all processes; the wall clock when left out. */
  nowMs?: () => number;
};

export type StoredSequencer<T> = {
  /**
   * Resolves when the steps that are possible now were processed and stored.
   * @param seq a whole number, from 0
   * @throws TypeError or RangeError for an invalid number; what the store or `onStep` throws
   */
  accept(topic: string, seq: number, item: T): Promise<void>;
  /** Gives up the gaps that have been waited for too long. Call it from a timer, in any of the processes. */
  tick(): Promise<void>;
};

/** @throws TypeError or RangeError for options that are invalid or limit nothing */
export function createStoredSequencer<T>(options: StoredSequenceOptions<T>): StoredSequencer<T> {
  const names = ['store', 'onStep', 'maxHeld', 'maxWaitMs', 'first', 'nowMs'];
  requireNames('a stored sequencer', options, names);
  requireBounds(options);
  const { store, onStep, maxHeld, maxWaitMs, first, nowMs = Date.now } = options;
  requireFunction('onStep', onStep);
  requireFunction('nowMs', nowMs);
  if (typeof store !== 'object' || store === null)
    throw new TypeError(`store must be an object with update and waiting; it is ${kindOf(store)}`);
  requireFunction('store.update', store.update);
  requireFunction('store.waiting', store.waiting);

  function time(): number {
    const now = nowMs();
    requireTime(now);
    return now;
  }

  async function act(topic: Topic<T>, steps: readonly Step<T>[]): Promise<KeptTopic<T>> {
    for (const step of steps) await onStep(step);
    return keptOf(topic);
  }

  return {
    async accept(name, seq, item) {
      requireSeq('seq', seq);
      await store.update(name, (kept) => {
        const topic = kept ? topicOf(name, kept) : newTopic<T>(name, seq, first);
        return act(topic, accept(topic, seq, item, time(), maxHeld));
      });
    },
    async tick() {
      if (maxWaitMs === Infinity) return;
      for (const name of await store.waiting(time() - maxWaitMs))
        await store.update(name, async (kept) => {
          if (!kept) return undefined; // it was deleted meanwhile
          const topic = topicOf(name, kept);
          return act(topic, giveUpOld(topic, time(), maxWaitMs));
        });
    },
  };
}

function keptOf<T>(topic: Topic<T>): KeptTopic<T> {
  return {
    next: topic.next,
    held: Array.from(topic.held, ([seq, { item, sinceMs }]) => ({ seq, item, sinceMs })),
    gaps: topic.gaps,
    waitingSinceMs: waitingSince(topic) ?? null,
  };
}

function topicOf<T>(name: string, { next, held, gaps }: KeptTopic<T>): Topic<T> {
  return {
    name,
    next,
    held: new Map(held.map(({ seq, item, sinceMs }) => [seq, { item, sinceMs }])),
    gaps: [...gaps],
  };
}
