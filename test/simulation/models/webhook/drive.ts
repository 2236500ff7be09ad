// Drives the model's queue of webhooks with attempts of a test's own: what each takes and how it is answered.

import { random } from '../../../../core/base/random.ts';
import { patterns } from '../../../../core/pattern/registry.ts';
import type { ReceiverAnswer } from '../../../../core/policy/webhook/answer.ts';
import type { Task } from '../../../../core/policy/webhook/delivery.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { newEvents } from '../../../../simulation/events/events.ts';
import { createDeliveries } from '../../../../simulation/webhooks/deliveries.ts';
import { createPublished } from '../../../../simulation/webhooks/published.ts';
import { createQueue } from '../../../../simulation/webhooks/queue.ts';
import { createSettling } from '../../../../simulation/webhooks/settling.ts';

export type Made = { id: number; endpoint: number; attempt: number; atUs: number; tookUs: number };
export type Script = (task: Task, nowUs: number) => { tookUs: number; answer: ReceiverAnswer };

export const taken: ReceiverAnswer = { kind: 'answered', status: 204 };
export const failed: ReceiverAnswer = { kind: 'answered', status: 503 };

/** Every event goes to all endpoints. @param options as a scenario says them */
export function drive(
  endpoints: number,
  options: Readonly<Record<string, unknown>>,
  script: Script,
  limits: Partial<typeof defaultLimits> = {},
) {
  const events = newEvents();
  const published = createPublished();
  const deliveries = createDeliveries(endpoints, published.messageOf);
  const settling = createSettling(published, deliveries, { ended() {} });
  const made: Made[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  const tasks: { task: Task; answer: ReceiverAnswer }[] = [];
  const over = events.handler((i, nowUs) => {
    underWay--;
    queue.ended(tasks[i]!.task, tasks[i]!.answer, nowUs);
  });
  const queue = createQueue({
    subscribers: endpoints,
    options: patterns.webhook.options.parse(options),
    server: { ...defaultLimits, ...limits, announce: 0 },
    events,
    originUs: 0,
    account: { count() {}, confirmed() {} },
    published,
    deliveries,
    settling,
    random: random(1, 'retries'),
    endpointOf: (_, k) => k,
    begin(task, nowUs) {
      const { tookUs, answer } = script(task, nowUs);
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      made.push({ id: task.id, endpoint: task.endpoint, attempt: task.attempts + 1, atUs: nowUs, tookUs });
      events.at(nowUs + tookUs, over, tasks.push({ task, answer }) - 1);
    },
  });
  const accept = events.handler((event, nowUs) => queue.accept(event, nowUs));
  return {
    made,
    settling,
    mostUnderWay: () => mostUnderWay,
    /** An event that all endpoints get is taken at this time. */
    publish(atUs: number, bodyBytes = 100): void {
      const parts = { topic: 0, seq: 1, requestBytes: 0, beforeUs: 0, behindUs: 0, cpuUs: 0 };
      events.at(atUs, accept, published.add({ ...parts, plannedUs: atUs, bodyBytes, receivers: endpoints }));
    },
    run: (untilUs: number) => events.run(untilUs),
  };
}
