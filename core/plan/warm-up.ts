// Plans the bursts that warm a server up: its first deliveries cost up to twice the CPU of later ones, and a
// scenario with few events in its warm-up would measure some of them. So events like the measured ones are
// published in rounds, each as soon as the one before it has arrived everywhere, until enough deliveries have
// passed through. They come before the warm-up phase and are counted nowhere. Pure; harness/trial/warm-up.ts
// runs them.

import { largestQueueBytes } from '../event/body-size.ts';
import type { ServerLimits } from '../scenario/server-limits.ts';
import type { PublishPlan } from './publish-plan.ts';

/**
 * So many deliveries make a server warm. Of 10 events a second to 100 SSE subscribers those of the first
 * second took 5.5 % of a core without bursts, 3.4 to 4 % after them, and about 3 % later on.
 */
export const warmUpDeliveries = 20_000;
/**
 * A pattern that is slow, or that sets its own pace as polling does, is warmed up for at most this long: no
 * round begins after it.
 */
export const warmUpLimitMs = 2000;
/** If a round stops below this share of its deliveries, the pattern sets its own pace. */
export const leastArrived = 0.9;

/** Bodies of a round to one subscriber. */
const roundBytes = 64 * 1024;
const mostEventsARound = 32;
const shortMs = 50;
const longMs = 200;

/**
 * Events as the measured phase has them, in its order, as many as it takes; all due at once.
 * @param firstMeasured index of the first measured event
 * @param deliveries that the measured events ask for
 */
export function planWarmUp(plan: PublishPlan, firstMeasured: number, deliveries: number): PublishPlan {
  const measured = plan.topic.length - firstMeasured;
  const events = deliveries === 0 ? 0 : Math.ceil((warmUpDeliveries * measured) / deliveries);
  const pick = (i: number) => firstMeasured + (i % measured);
  const body = Int32Array.from({ length: events }, (_, i) => plan.body[pick(i)]!);
  // What is delivered in all has to pass through in a moment, and bodies may be large.
  let within = 0;
  for (let bytes = 0; within < events; within++) {
    bytes += sizeOf(body[within]!, plan) * (deliveries / measured);
    if (within > 0 && bytes > largestQueueBytes) break;
  }
  return {
    offsetUs: new Float64Array(within),
    topic: Uint32Array.from({ length: within }, (_, i) => plan.topic[pick(i)]!),
    body: body.subarray(0, within),
    corpus: plan.corpus,
  };
}

export type Round = { events: number; tookMs: number };

/**
 * How many events the next round has: twice as many after a quick one, half as many after a slow one.
 * @param from the first event of the round
 * @param limits of the server: nobody may come to be too slow, and no history too short, by a round
 */
export function nextRound(
  plan: PublishPlan,
  from: number,
  last: Round | undefined,
  limits: Pick<ServerLimits, 'slowBuffer' | 'history' | 'historySize'>,
): number {
  const { events, tookMs } = last ?? { events: 1, tookMs: shortMs };
  const wanted = tookMs < shortMs ? events * 2 : tookMs > longMs ? events / 2 : events;
  const most = Math.min(
    Math.max(1, Math.min(mostEventsARound, Math.floor(wanted), Math.floor(limits.history / 2))),
    plan.topic.length - from,
  );
  const room = Math.min(roundBytes, limits.slowBuffer / 2, limits.historySize / 4);
  let [count, bytes] = [0, 0];
  while (count < most && (count === 0 || bytes + sizeOf(plan.body[from + count]!, plan) <= room))
    bytes += sizeOf(plan.body[from + count++]!, plan);
  return count;
}

/**
 * How long a round may stand still before it is over: a busy machine may let nobody run for a while, but of
 * deliveries that are lost on purpose nothing comes any more.
 * @param share of the round that has arrived
 */
export function patienceMs(share: number): number {
  return share >= leastArrived ? 100 : 1000;
}

/** A body of a corpus counts at least its characters. */
function sizeOf(body: number, { corpus }: PublishPlan): number {
  return body < 0 ? -body : corpus[body]!.length;
}
