// Simulates delivery in the handler that publishes (`delivery: sync`): one endpoint after the other, one
// attempt each, one event after the other; then the publisher has its answer.

import { newQueue } from '../../core/base/queue.ts';
import { isSuccess } from '../../core/policy/webhook/answer.ts';
import { judgeEndpoint } from '../../core/policy/webhook/judge.ts';
import { placeOf } from './pages.ts';
import { newEndpoints, type Schedule, type ScheduleOptions } from './queue.ts';

export function createInHandler(given: ScheduleOptions): Schedule {
  const { options, originUs, account, published, deliveries, settling, endpointOf } = given;
  const endpoints = newEndpoints(given.subscribers, options.breaker);
  const waiting = newQueue<number>();
  /** The event whose turn it is, and how many of its receivers have had theirs. */
  let turn: { event: number; next: number } | undefined;

  /** @returns whether an attempt is under way */
  function goOn(nowUs: number): boolean {
    for (;;) {
      const event = turn?.event ?? waiting.shift();
      if (event === undefined) return false;
      turn ??= { event, next: 0 };
      const page = published.pages.page(event);
      const place = placeOf(event);
      const [receivers, firstId] = [page.receivers[place]!, page.firstId[place]!];
      const k = turn.next++;
      // The last one's end is the event's: it is gone then.
      if (turn.next === receivers) turn = undefined;
      const endpoint = endpointOf(page.topic[place]!, k);
      if (endpoints(endpoint).isDisabled) {
        if (k === receivers - 1) confirm(page.plannedUs[place]!, nowUs);
        settling.settle(firstId + k, 'cancelled');
        continue;
      }
      const message = published.messageOf(event);
      given.begin(
        { id: firstId + k, endpoint, message, attempts: 0, spent: 0, createdMs: 0, dueMs: 0 },
        nowUs,
      );
      return true;
    }
  }

  function confirm(plannedUs: number, nowUs: number): void {
    account.confirmed(plannedUs, nowUs - originUs - plannedUs);
  }

  let isBusy = false;
  return {
    accept(event, nowUs) {
      const page = published.pages.page(event);
      const receivers = page.receivers[placeOf(event)]!;
      published.setFirstId(event, deliveries.add(event, receivers, nowUs / 1000));
      waiting.push(event);
      if (!isBusy) isBusy = goOn(nowUs);
    },
    ended(task, answer, nowUs) {
      const endpoint = endpoints(task.endpoint);
      const nowMs = (nowUs / 1000) * options.timeScale;
      const { health, breaker } = endpoint;
      const { disable } = judgeEndpoint(health, breaker, options.disable, answer, nowMs);
      if (disable !== undefined) endpoint.isDisabled = true;
      const event = deliveries.eventOf(task.id);
      const page = published.pages.page(event);
      const place = placeOf(event);
      if (task.id - page.firstId[place]! === page.receivers[place]! - 1)
        confirm(page.plannedUs[place]!, nowUs);
      settling.settle(task.id, isSuccess(answer) ? 'delivered' : 'given-up');
      isBusy = goOn(nowUs);
    },
    due: () => deliveries.pages.live(),
  };
}
