// Holds the events that wait to be sent to one of several servers, by topic, and knows at which server each
// topic has events that are not answered yet. While there are some, the topic's next event goes to that
// server too: at another it could be taken first, and the topic's subscribers would get its events in another
// order than they were published in. What an event costs does not depend on how many wait.

import { newQueue, type Queue } from '../../core/base/queue.ts';

export type TopicQueues<Server> = {
  /** An event is due. */
  add(topic: number, event: number): void;
  /**
   * The next event that a server takes now, which counts as sent to it.
   * @param choose a server that takes events, for a topic that is at none
   */
  take(choose: () => Server | undefined): { event: number; server: Server } | undefined;
  /** An event of the topic was answered. */
  answered(topic: number): void;
  /** An event came back without an answer, and waits again, before events that were never sent. */
  returned(topic: number, event: number): void;
  /** Events that wait. */
  size(): number;
};

type Topic<Server> = {
  /** Events that came back, and events that were never sent; both in order. */
  readonly again: Queue<number>;
  readonly fresh: Queue<number>;
  /** Where it has unanswered events. */
  server: Server | undefined;
  unanswered: number;
  /** It is in `free`. */
  isFree: boolean;
};

export function createTopicQueues<Server extends { isOpen(): boolean }>(): TopicQueues<Server> {
  const topics = new Map<number, Topic<Server>>();
  /** Topics with waiting events: `free` may go to any server, `held` belong to one for now. */
  const free = newQueue<number>();
  const held = new Map<Server, Set<number>>();
  let waiting = 0;

  function topicOf(number: number): Topic<Server> {
    let topic = topics.get(number);
    if (!topic) {
      topic = { again: newQueue(), fresh: newQueue(), server: undefined, unanswered: 0, isFree: false };
      topics.set(number, topic);
    }
    return topic;
  }

  function heldAt(server: Server): Set<number> {
    let numbers = held.get(server);
    if (!numbers) held.set(server, (numbers = new Set()));
    return numbers;
  }

  function wait(number: number, topic: Topic<Server>): void {
    waiting++;
    if (topic.server) heldAt(topic.server).add(number);
    else setFree(number, topic);
  }

  function setFree(number: number, topic: Topic<Server>): void {
    if (!topic.isFree) free.push(number);
    topic.isFree = true;
  }

  function send(number: number, server: Server): { event: number; server: Server } {
    const topic = topicOf(number);
    const event = topic.again.shift() ?? topic.fresh.shift()!; // a topic that waits has one
    waiting--;
    topic.server = server;
    topic.unanswered++;
    if (topic.again.size() + topic.fresh.size() > 0) heldAt(server).add(number);
    else heldAt(server).delete(number);
    return { event, server };
  }

  function settle(number: number): Topic<Server> {
    const topic = topicOf(number);
    if (--topic.unanswered > 0 || !topic.server) return topic;
    if (heldAt(topic.server).delete(number)) setFree(number, topic);
    topic.server = undefined;
    return topic;
  }

  return {
    add(number, event) {
      const topic = topicOf(number);
      topic.fresh.push(event);
      wait(number, topic);
    },
    take(choose) {
      for (const [server, numbers] of held)
        if (numbers.size > 0 && server.isOpen()) return send(numbers.values().next().value!, server);
      if (free.size() === 0) return undefined;
      const server = choose();
      if (!server) return undefined;
      const number = free.shift()!;
      topicOf(number).isFree = false;
      return send(number, server);
    },
    answered: (number) => void settle(number),
    returned(number, event) {
      const topic = settle(number);
      // Events come back in order, except the first one, which was sent again by itself.
      const first = topic.again.peek();
      if (first === undefined || event > first) topic.again.push(event);
      else topic.again.unshift(event);
      wait(number, topic);
    },
    size: () => waiting,
  };
}
