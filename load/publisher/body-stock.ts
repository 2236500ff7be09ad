// Makes bodies before they are due, so that making them delays no event: a bounded stock ahead of the
// publisher.

import { crc32 } from 'node:zlib';
import { nowUs } from '../../core/base/clock.ts';
import { readyBodiesBytes } from '../../core/event/body-size.ts';
import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { bodyOf } from '../../core/plan/bodies.ts';

export type Body = { text: string; bytes: number; crc: number };

export type BodyStock = {
  /** The body of event `i`; made now when it is not in stock. Events are taken in ascending order. */
  take(i: number): Body;
  /**
   * Makes bodies until `untilUs` at the latest, as far as can be foreseen.
   * @param aloneUntilUs a large body, which takes longer, is made by itself if it is ready by then
   * @returns whether the stock is full
   */
  fill(untilUs: number, aloneUntilUs?: number): boolean;
};

const stockEvents = 10_000;
/** A body takes about 10 us and 16 ns a byte to make; with room for a slower machine. */
const foreseenUs = (bytes: number) => 30 + bytes / 25;

export function createBodyStock(plan: PublishPlan, seed: number): BodyStock {
  const stock = new Map<number, Body>();
  const events = plan.body.length;
  let heldBytes = 0;
  /** The next event to make the body of. */
  let ahead = 0;

  function make(i: number): Body {
    const text = bodyOf(plan, i, seed);
    const bytes = Buffer.byteLength(text);
    return { text, bytes, crc: crc32(text) };
  }

  return {
    take(i) {
      const body = stock.get(i);
      if (!body) {
        ahead = i + 1;
        return make(i);
      }
      stock.delete(i);
      heldBytes -= body.bytes;
      return body;
    },
    fill(untilUs, aloneUntilUs = untilUs) {
      for (; ahead < events && stock.size < stockEvents && heldBytes < readyBodiesBytes; ahead++) {
        const readyUs = nowUs() + foreseenUs(Math.max(0, -plan.body[ahead]!));
        if (readyUs > Math.max(untilUs, aloneUntilUs)) return false;
        const body = make(ahead);
        stock.set(ahead, body);
        heldBytes += body.bytes;
        if (readyUs > untilUs) aloneUntilUs = untilUs;
      }
      return true;
    },
  };
}
