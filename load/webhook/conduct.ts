// Decides for each request to a webhook endpoint whether it is answered well, and what happens to it when
// not.

import { isAmong, isTime, type Conduct } from '../../core/scenario/endpoint-conduct.ts';
import type { Random } from '../../core/base/random.ts';

export type ConductOf = {
  /** The measured phase begins then. */
  setStart(fromUs: number): void;
  /**
   * What the endpoint does with a request; undefined for what is right. The first that applies,
   * in the scenario's order.
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
