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
import { createSeen } from '../receiver/seen.ts';
import type { PatternLoad } from './pattern.ts';
import { startReceiver, type Take } from './webhook-receiver.ts';
import { createRegistrar } from './webhook-registrar.ts';

/** Deliveries that a process remembers: some 20 MB. One repeated later is not recognised. */
const rememberedDeliveries = 100_000;

export const webhook: PatternLoad<PatternOptions<'webhook'>> = {
  async start(context, options) {
    const { counters, sink, topicsOf } = context;
    const scheme = schemes[options.scheme];
    const keys = new Map<number, KeyObject>();
    const seen = createSeen({ maxKeys: rememberedDeliveries, maxAgeMs: Number.POSITIVE_INFINITY });
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
      if (id !== undefined) {
        const key = `${subscriber} ${id}`;
        if (seen.begin(key) === 'new') seen.finish(key);
        else counters.deduplicated++;
      }
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
