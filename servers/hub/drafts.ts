// Holds events that are numbered and not taken: a store has to take them first, and nobody else knows of
// them.

import type { HubEvent } from './event.ts';
import type { Topic, Topics } from './topics.ts';

export type Draft = {
  readonly event: HubEvent;
  readonly topic: Topic;
  /** The topic's highest number before. */
  readonly before: number;
  /** Called once when the event is taken, before the topic's listeners. */
  readonly taken: ((event: HubEvent) => void) | undefined;
};

export type Drafts = {
  count(): number;
  add(draft: Draft): void;
  /** Gives away all drafts, in their order. */
  takeAll(): Draft[];
  /** Forgets all drafts. Their numbers go to the next events. */
  drop(): void;
};

export function createDrafts(topics: Pick<Topics, 'unnumber'>): Drafts {
  let drafts: Draft[] = [];
  function takeAll(): Draft[] {
    const all = drafts;
    drafts = [];
    return all;
  }
  return {
    count: () => drafts.length,
    add: (draft) => void drafts.push(draft),
    takeAll,
    drop() {
      for (const { topic, before } of takeAll().reverse()) topics.unnumber(topic, before);
    },
  };
}
