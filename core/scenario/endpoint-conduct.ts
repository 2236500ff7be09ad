// Defines how webhook endpoints behave in a scenario: which of them, or which share of the requests, fails,
// hangs, resets, answers slowly, or acts and loses its answer. Both the load side and simulations use it.

import { z } from 'zod';
import type { Random } from '../base/random.ts';
import { duration, interval, share } from '../base/quantities.ts';

export const conduct = z
  .strictObject({
    does: z
      .enum(['fail', 'hang', 'reset', 'slow', 'lose-answer'])
      .describe(
        'fail: answers an error without processing; hang: never answers; reset: cuts the connection; ' +
          'slow: answers late; lose-answer: processes the delivery and cuts the connection instead of ' +
          'answering',
      ),
    share: share.prefault('100%').describe('how many of the requests, or of the endpoints'),
    of: z
      .enum(['requests', 'endpoints'])
      .default('requests')
      .describe(
        'requests: this share of all requests, drawn for each; endpoints: this share of the endpoints, ' +
          'the same ones all the time',
      ),
    status: z.int().min(300).max(599).default(500).describe('what a failing endpoint answers'),
    by: interval.prefault('1s').describe('how late a slow endpoint answers'),
    at: duration.prefault('0s').describe('when it begins, counted from the start of the measured phase'),
    for: interval
      .optional()
      .describe(
        'how long; to the end when left out. If it begins at 0s, it also applies before the measured ' +
          'phase',
      ),
  })
  .describe('one kind of misconduct of webhook endpoints');

export type Conduct = z.output<typeof conduct>;

/**
 * Whether the endpoint is among the share that is meant; evenly spread over the
 * subscribers' numbers (golden ratio).
 */
export function isAmong(subscriber: number, share: number): boolean {
  return (subscriber * 0.6180339887498949) % 1 < share;
}

/** Whether it is time. @param sinceUs since the start of the measured phase, negative before it */
export function isTime({ at, for: lengthMs }: Conduct, sinceUs: number): boolean {
  if (at === 0 && lengthMs === undefined) return true;
  return sinceUs >= at * 1000 && (lengthMs === undefined || sinceUs < (at + lengthMs) * 1000);
}

export type ConductOf = {
  /** The measured phase begins then. */
  setStart(fromUs: number): void;
  /**
   * What the endpoint does wrong with a request: the first conduct that applies, in the scenario's order.
   * Undefined where it behaves well.
   */
  choose(subscriber: number, atUs: number): Conduct | undefined;
};

export function createConduct(list: readonly Conduct[], random: Random): ConductOf {
  let startUs = Infinity;
  return {
    setStart: (fromUs) => void (startUs = fromUs),
    choose: (subscriber, atUs) =>
      list.find(
        (one) =>
          isTime(one, atUs - startUs) &&
          (one.of === 'endpoints' ? isAmong(subscriber, one.share) : random() < one.share),
      ),
  };
}
