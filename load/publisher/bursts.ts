// Publishes the bursts that warm our servers up, over connections of their own that are gone before the
// measured phase: all events of a burst at once, pipelined, and shared out among the servers if there are
// several. Nothing of it is counted, and no failure is reported: if publishing fails, the phases that
// follow show it.

import { later, nowUs } from '../../core/base/clock.ts';
import { newCounters } from '../../core/result/counters.ts';
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

/** @param publishUrls one for each server */
export function createBursts({ topics, plan, seed }: PublisherSetup, publishUrls: readonly string[]): Bursts {
  const bodies = createBodyStock(plan, seed);
  let [awaited, confirmed] = [0, 0];
  let done: PromiseWithResolvers<void> | undefined;

  const lanes = publishUrls.map((url) => {
    const lane = {
      requests: '',
      connection: createPublishConnection(url, newCounters(), {
        opened: () => send(lane),
        answered(status) {
          if (status === 201) confirmed++;
          if (--awaited === 0) done?.resolve();
        },
        closed: () => done?.resolve(),
        problem() {},
      }),
    };
    return lane;
  });

  function send(lane: (typeof lanes)[number]): void {
    if (lane.requests === '') return;
    lane.connection.send(lane.requests);
    lane.requests = '';
  }

  return {
    async publish(from, to) {
      [awaited, confirmed] = [to - from, 0];
      if (awaited === 0) return 0;
      done = Promise.withResolvers();
      for (let i = from; i < to; i++) {
        const lane = lanes[i % lanes.length]!;
        lane.requests += lane.connection.encode({
          topic: topicName(topics, plan.topic[i]!),
          body: bodies.take(i),
          plannedUs: nowUs(),
          sentUs: nowUs(),
          ...(plan.seq && { seq: plan.seq[i]! }),
        });
      }
      for (const lane of lanes)
        if (lane.connection.isOpen()) send(lane);
        else if (lane.requests !== '') lane.connection.dial();
      const stopWaiting = later(answerWithinUs / 1000, done.resolve);
      await done.promise;
      stopWaiting();
      for (const lane of lanes) lane.requests = '';
      return confirmed;
    },
    close: () => lanes.forEach(({ connection }) => connection.close()),
  };
}
