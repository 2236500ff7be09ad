// Keeps the order of a topic's events where one of them is refused: the publisher had sent others behind it
// already, and these are refused too. It sends all of them again, in order. Otherwise a broker that is there
// again a moment later would take the second event before the first.

import { RequestError } from '../http/request.ts';
import type { ServerBroker } from './broker.ts';

/** As long as events may be under way that were sent before the refusal was known. Publishers rest longer. */
export const behindMs = 200;

/**
 * @param publish of a broker. What lacks a number of its publisher or a key is passed on: its publisher does
 *   not send it again
 * @param host of the broker, for messages
 */
export function keepOrder(
  publish: ServerBroker['publish'],
  host: string,
  nowMs: () => number = () => performance.now(),
): ServerBroker['publish'] {
  /** The first event of each topic that was refused a moment ago, the oldest refusal first. */
  const refused = new Map<string, { seq: number; untilMs: number }>();

  function note(topic: string, seq: number): void {
    const now = nowMs();
    for (const [name, { untilMs }] of refused) {
      if (untilMs > now) break;
      refused.delete(name);
    }
    const first = Math.min(seq, refused.get(topic)?.seq ?? Infinity);
    refused.delete(topic); // and set again, behind those that were refused before
    refused.set(topic, { seq: first, untilMs: now + behindMs });
  }

  return async (topic, body, stamps, options) => {
    const { seq } = stamps;
    if (seq === undefined || options?.key === undefined) return publish(topic, body, stamps, options);
    const before = refused.get(topic);
    if (before && seq > before.seq && before.untilMs > nowMs())
      throw new RequestError(
        503,
        'broker-away',
        `the broker at ${host} did not take event ${before.seq} of the topic; send this one again behind it`,
      );
    try {
      const place = await publish(topic, body, stamps, options);
      if (refused.get(topic)?.seq === seq) refused.delete(topic);
      return place;
    } catch (error) {
      if (error instanceof RequestError && error.status === 503) note(topic, seq);
      throw error;
    }
  };
}
