// Puts what overtook one another back into order: an event is handed on when all before it in its topic have
// been, or have been waited for in vain. The ordering itself is the receiver library's.

import { nowUs } from '../../core/base/clock.ts';
import { locate, newLocated } from '../../core/event/envelope.ts';
import { createSequencer, type Sequencer } from '../../receiver/sequence.ts';
import type { Step } from '../../receiver/topic.ts';
import type { Sink } from '../pattern.ts';

/** `copies`: how often it came again while it was held back. */
type Item = { key: string; subscriber: number; body: Buffer; copies: number };

/** Events held back for one topic of one subscriber. */
const maxHeld = 10_000;
const maxTopics = 100_000;

/** @returns undefined when there is nothing to wait for */
export function createOrder(
  maxWaitMs: number,
  sink: Sink,
): { event(subscriber: number, body: Buffer, atUs: number): boolean; close(): void } | undefined {
  if (maxWaitMs === 0) return undefined;
  const sequencers = new Map<number, Sequencer<Item>>();
  /** Events that are held back. */
  const held = new Map<string, Item>();
  const at = newLocated();
  const timer = setInterval(
    () => {
      const nowMs = performance.now();
      for (const sequencer of sequencers.values())
        if ((sequencer.dueMs() ?? Infinity) <= nowMs) hand(sequencer.tick(nowMs));
    },
    Math.min(100, maxWaitMs),
  ).unref();

  /** What is in order counts as received now, however long it was held. */
  function hand(steps: readonly Step<Item>[]): void {
    const atUs = nowUs();
    for (const step of steps) {
      if (step.kind !== 'event' && step.kind !== 'late') continue;
      const { key, subscriber, body, copies } = step.item;
      held.delete(key);
      // A repetition goes to the ledger, which keeps duplicates apart, but not before what it repeats.
      for (let i = 0; i <= copies; i++) sink.event(subscriber, body, 0, body.length, atUs);
    }
  }

  return {
    event(subscriber, body, atUs) {
      if (!locate(body, 0, body.length, at)) return false;
      let sequencer = sequencers.get(subscriber);
      if (!sequencer)
        sequencers.set(
          subscriber,
          (sequencer = createSequencer<Item>({ maxHeld, maxWaitMs, maxTopics, first: 1 })),
        );
      const key = `${subscriber} ${at.seq} ${at.topic}`;
      const first = held.get(key);
      if (first) {
        first.copies++;
        return true;
      }
      const item = { key, subscriber, body: Buffer.from(body), copies: 0 };
      held.set(key, item);
      const steps = sequencer.accept(at.topic, at.seq, item, performance.now());
      if (steps.some(({ kind }) => kind === 'repeated')) {
        held.delete(key);
        return sink.event(subscriber, body, 0, body.length, atUs);
      }
      hand(steps);
      return true;
    },
    close: () => clearInterval(timer),
  };
}
