// Runs webhook subscribers: receivers that register an address, verify each delivery's signature over its raw
// bytes, and recognise repetitions by the event's id. The HTTP server that they share is webhook/receiver.ts,
// the client that registers them webhook/registrar.ts.
//
// A repetition is answered like a first delivery, so that the sender stops. A receiver that acts upon events
// would ignore it from here on. These subscribers only count, so it goes on to the ledger, which keeps
// duplicates apart; `deduplicated` counts what the dedupe store recognised.

import type { KeyObject } from 'node:crypto';
import { nowUs } from '../core/base/clock.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { createConduct } from '../core/scenario/endpoint-conduct.ts';
import { schemes } from '../core/signature/schemes.ts';
import { createSeen } from '../receiver/seen.ts';
import type { PatternLoad } from './pattern.ts';
import { createAttemptLog } from './webhook/attempts.ts';
import { createOrder } from './webhook/order.ts';
import { startReceiver, type Reply, type Take } from './webhook/receiver.ts';
import { createRegistrar } from './webhook/registrar.ts';

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
    const away = new Set<number>();

    const order = createOrder(options.resequence, sink);
    const deliver =
      order?.event ??
      ((subscriber: number, body: Buffer, atUs: number) =>
        sink.event(subscriber, body, 0, body.length, atUs));
    const conduct = createConduct(context.endpoints ?? [], context.random);
    const attempts = createAttemptLog();
    const answer = (status: number, afterMs = 0): Reply => ({
      kind: 'answer',
      status,
      afterMs,
      acted: status < 300,
    });

    function take(...[subscriber, headers, body, atUs]: Parameters<Take>): Reply {
      const key = keys.get(subscriber);
      if (!key) {
        sink.problem('unknown-subscriber', 'a delivery came for a subscriber that was never registered');
        return answer(404);
      }
      const attempt = Number(headers['pushbench-attempt'] ?? 1);
      counters[attempt > 1 ? 'retries' : 'deliveryRequests']++;
      if (away.has(subscriber)) return answer(503); // the sender tries again
      const wrong = conduct.choose(subscriber, atUs);
      if (wrong?.does === 'fail') return answer(wrong.status);
      if (wrong?.does === 'hang') return { kind: 'never' };
      if (wrong?.does === 'reset') return { kind: 'reset', acted: false };
      const verified = scheme.verify([key], headers, body);
      if (!verified.ok) {
        sink.problem('bad-signature', `a delivery's signature was refused: ${verified.reason}`);
        return answer(401);
      }
      if (!deliver(subscriber, body, atUs)) {
        sink.problem('malformed-event', 'an event is not an envelope');
        return answer(400);
      }
      counters.events++;
      attempts.add(attempt, body, atUs);
      const id = scheme.idOf(headers, body);
      if (id !== undefined) {
        const key = `${subscriber} ${id}`;
        if (seen.begin(key, 0) === 'new') seen.finish(key);
        else counters.deduplicated++;
      }
      if (wrong?.does === 'lose-answer') return { kind: 'reset', acted: true };
      return answer(204, wrong?.does === 'slow' ? wrong.by : 0);
    }

    return {
      setWindow(window) {
        conduct.setStart(window.fromUs);
        attempts.setWindow(window);
      },
      closed: () => ({ byAttempt: attempts.take() }),
      open(subscriber) {
        const secret = scheme.newSecret();
        keys.set(subscriber, scheme.key(scheme.receiverSecret(secret)));
        const registration = {
          subscriber,
          url: receiver.urlOf(subscriber),
          events: topicsOf(subscriber),
          secret,
        };
        registrar.register(registration, (atUs) => sink.ready(subscriber, atUs));
      },
      leave(subscriber) {
        away.add(subscriber);
        sink.lost(subscriber, nowUs(), 'left');
      },
      comeBack(subscriber) {
        // The server has kept what it could not deliver.
        if (away.delete(subscriber)) sink.ready(subscriber, nowUs(), true);
      },
      async close(graceMs) {
        const untilMs = performance.now() + graceMs;
        await registrar.close(graceMs);
        await receiver.close(Math.max(0, untilMs - performance.now()));
        order?.close();
      },
    };
  },
};
