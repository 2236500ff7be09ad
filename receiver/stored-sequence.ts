// Puts events in order whose topics are kept in a database, so that several processes share them and none is
// lost when a process ends: what is held back is kept there, and what is next is moved on only when it was
// acted upon. A process that dies between the two acts upon an event a second time.

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

/** What is kept of a topic; JSON, if the items are. */
export type KeptTopic<T> = {
  /** The sequence number that is waited for. */
  next: number;
  held: { seq: number; item: T; sinceMs: number }[];
  gaps: { from: number; to: number }[];
  /** Since when something is held back; `waiting` looks for it. */
  waitingSinceMs: number | null;
};

export type SequenceStore<T> = {
  /**
   * Gives `change` what is kept of a topic, undefined at first, and keeps what it resolves with (of
   * undefined, nothing). When it rejects, so does this, and nothing is kept. One at a time for each topic,
   * over all processes.
   */
  update(
    topic: string,
    change: (kept: KeptTopic<T> | undefined) => Promise<KeptTopic<T> | undefined>,
  ): Promise<unknown>;
  /** Topics in which something has been held back since this time or longer. */
  waiting(sinceMs: number): Promise<readonly string[]>;
};

export type StoredSequenceOptions<T> = Bounds & {
  store: SequenceStore<T>;
  /** Acts upon what can be done now, in order. When it throws, nothing has happened: it comes again. */
  onStep: (step: Step<T>) => unknown;
  /** The same clock for all processes; the wall clock when left out. */
  nowMs?: () => number;
};

export type StoredSequencer<T> = {
  /**
   * Resolves when what can be done now was done and kept.
   * @param seq a whole number, from 0
   * @throws TypeError or RangeError for a number that is none; what the store or `onStep` throws
   */
  accept(topic: string, seq: number, item: T): Promise<void>;
  /** Gives up the gaps that have been waited for too long. Call it from a timer, in any of the processes. */
  tick(): Promise<void>;
};

/** @throws TypeError or RangeError for options that are none or would bound nothing */
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
