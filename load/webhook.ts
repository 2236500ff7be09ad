// Webhook subscribers: receivers that register an address, verify each delivery's signature over its raw bytes, and
// recognise repetitions by the event's id. The HTTP server that they share is webhook-receiver.ts, the client that
// registers them webhook-registrar.ts.
//
// A repetition is answered like a first delivery, so that the sender stops; whoever acts upon events would stop here.
// These subscribers only count, so it goes on to the ledger, which keeps duplicates apart; `deduplicated` counts
// what the dedupe store recognised.

import type { KeyObject } from 'node:crypto';
import type { PatternOptions } from '../core/patterns.ts';
import { schemes } from '../core/signature.ts';
import type { PatternLoad } from './pattern.ts';
import { startReceiver, type Take } from './webhook-receiver.ts';
import { createRegistrar } from './webhook-registrar.ts';

/** Deliveries that a process remembers at the least, twice as many at the most: some 10 MB. One repeated later is not recognised. */
const rememberedDeliveries = 50_000;

export const webhook: PatternLoad<PatternOptions<'webhook'>> = {
  async start(context, options) {
    const { counters, sink, topicsOf } = context;
    const scheme = schemes[options.scheme];
    const keys = new Map<number, KeyObject>();
    const isRepeated = createSeen(rememberedDeliveries);
    const receiver = await startReceiver(context, take);
    const registrar = createRegistrar(context);

    function take(...[subscriber, headers, body, atUs]: Parameters<Take>): number {
      const key = keys.get(subscriber);
      if (!key) {
        sink.problem('unknown-subscriber', 'a delivery came for a subscriber that was never registered');
        return 404;
      }
      counters[Number(headers['pushbench-attempt'] ?? 1) > 1 ? 'retries' : 'deliveryRequests']++;
      const verified = scheme.verify([key], headers, body);
      if (!verified.ok) {
        sink.problem('bad-signature', `a delivery's signature was refused: ${verified.reason}`);
        return 401;
      }
      if (!sink.event(subscriber, body, 0, body.length, atUs)) {
        sink.problem('malformed-event', 'an event is no envelope');
        return 400;
      }
      counters.events++;
      const id = scheme.idOf(headers, body);
      if (id !== undefined && isRepeated(`${subscriber} ${id}`)) counters.deduplicated++;
      return 204;
    }

    return {
      open(subscriber) {
        const secret = scheme.newSecret();
        keys.set(subscriber, scheme.key(scheme.receiverSecret(secret)));
        const registration = { subscriber, url: receiver.urlOf(subscriber), events: topicsOf(subscriber), secret };
        registrar.register(registration, (atUs) => sink.ready(subscriber, atUs));
      },
      async close(graceMs) {
        const untilMs = performance.now() + graceMs;
        await registrar.close(graceMs);
        await receiver.close(Math.max(0, untilMs - performance.now()));
      },
    };
  },
};

/**
 * A dedupe store of bounded size, in two generations: a Set that gives up its oldest entry one at a time
 * walks over the gaps of all it has given up before.
 * @returns a function that tells whether it was called with this key before, at least as far back as `limit` other keys
 */
export function createSeen(limit: number): (key: string) => boolean {
  let younger = new Set<string>();
  let older = new Set<string>();
  return (key) => {
    if (younger.has(key) || older.has(key)) return true;
    younger.add(key);
    if (younger.size > limit) {
      older = younger;
      younger = new Set();
    }
    return false;
  };
}
