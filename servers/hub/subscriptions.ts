// Hands events to the subscribers of their topic, in the order in which they subscribed.

import type { HubEvent, Listener } from './event.ts';
import type { Subscription, Topic, Topics } from './topics.ts';

export type Subscriptions = {
  /** How many subscriptions have not ended. */
  count(): number;
  /**
   * @param from the log's end, or the place that it has seen elsewhere: it gets the events after it
   * @returns ends it; a second call does nothing
   * @throws TooManyTopics
   */
  begin<Subscriber>(
    topics: readonly string[],
    listener: Listener<Subscriber>,
    subscriber: Subscriber,
    from: number,
  ): () => void;
};

export function createSubscriptions(topics: Topics): Subscriptions {
  let count = 0;
  return {
    count: () => count,
    begin<Subscriber>(
      names: readonly string[],
      listener: Listener<Subscriber>,
      subscriber: Subscriber,
      from: number,
    ) {
      const followed = topics.follow(names);
      // Listener and `subscriber` stay together, so what one gets is what the other was given with.
      const subscription: Subscription = { listener: listener as Listener<unknown>, subscriber, from };
      for (const { listeners } of followed) listeners.add(subscription);
      count++;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        count--;
        for (const topic of followed) {
          topic.listeners.delete(subscription);
          topics.forgetUnused(topic);
        }
      };
    },
  };
}

/** Calls the topic's listeners. The hot path: once for each event, a step of the loop for each delivery. */
export function handOut(event: HubEvent, { listeners }: Topic): void {
  for (const { listener, subscriber, from } of listeners) {
    if (from < event.offset) listener(event, subscriber);
  }
}
