// Publishes the bursts that warm a server of ours up, over a connection of their own that is gone before the
// measured phase: all events of a burst at once, pipelined. Nothing of it is counted, and nothing that goes
// wrong is reported: what is wrong with publishing shows in the phases that follow.

import { later, nowUs } from '../../core/base/clock.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { createBodyStock } from './body-stock.ts';
import type { PublisherSetup } from './contract.ts';
import { createPublishConnection } from './publish-connection.ts';
import { answerWithinUs } from './publishing.ts';

export type Bursts = {
  /**
   * Publishes events `from` up to, not including, `to` of the plan; one burst at a time.
   * @returns how many were confirmed, when all were answered, the connection ended, or 5 s have passed
   */
  publish(from: number, to: number): Promise<number>;
  close(): void;
};

export function createBursts({ publishUrl, topics, plan, seed }: PublisherSetup): Bursts {
  const bodies = createBodyStock(plan, seed);
  let [awaited, confirmed] = [0, 0];
  let requests = '';
  let done: PromiseWithResolvers<void> | undefined;

  const connection = createPublishConnection(publishUrl, {
    opened: send,
    answered(status) {
      if (status === 201) confirmed++;
      if (--awaited === 0) done?.resolve();
    },
    closed: () => done?.resolve(),
    problem() {},
  });

  function send(): void {
    if (requests === '') return;
    connection.send(requests);
    requests = '';
  }

  return {
    async publish(from, to) {
      [awaited, confirmed] = [to - from, 0];
      if (awaited === 0) return 0;
      done = Promise.withResolvers();
      for (let i = from; i < to; i++)
        requests += connection.encode(topicName(topics, plan.topic[i]!), bodies.take(i), nowUs(), nowUs());
      if (connection.isOpen()) send();
      else connection.dial();
      const stopWaiting = later(answerWithinUs / 1000, done.resolve);
      await done.promise;
      stopWaiting();
      requests = '';
      return confirmed;
    },
    close: connection.close,
  };
}
