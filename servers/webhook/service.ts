// Delivers webhooks: what the HTTP API and a trial ask for, over any store (store.ts). What is published
// becomes a delivery for each endpoint of its topic, the store's schedule decides when each attempt is made,
// and courier.ts makes it and judges its answer. The HTTP API is http/routes.ts.

import type { ServerBacklog } from '../../core/protocol/control.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { DrainCount, DrainPlan } from '../../core/policy/server/drain.ts';
import { goodbyeLimits } from '../../core/policy/server/goodbye.ts';
import type { Message } from '../../core/policy/webhook/delivery.ts';
import { retryPolicyOf } from '../../core/policy/webhook/retry-policy.ts';
import { schemes } from '../../core/signature/schemes.ts';
import { RequestError } from '../http/request.ts';
import type { PatternContext, Publish } from '../pattern.ts';
import type { EndpointChange, Rotation, Stats, StreamMessage, TrendBucket } from './api.ts';
import { countEndpoints, createCourier, type Courier } from './courier.ts';
import { editEndpoint, rotateSecret, type RegistrationRules, type WebhookEndpoint } from './endpoints.ts';
import { acceptedRow, createAnnouncer, testMessage } from './operations.ts';
import type { DeliveryRow } from './records.ts';
import { createAttempts } from './sending/attempt.ts';
import { createGuard } from './sending/guard.ts';
import type { Timers } from './sending/timers.ts';
import type { Awaitable, DeliveryLog, Store } from './store.ts';

/**
 * What asks for something to be stored resolves when it is durable. Where the store does not take it, it
 * rejects with a `RequestError` of status 503, and everything is as it was before.
 */
export type Service = {
  readonly endpoints: ReadonlyMap<string, WebhookEndpoint>;
  readonly log: DeliveryLog;
  /** What a registration is checked by. */
  readonly rules: RegistrationRules;
  readonly timers: Timers;
  /** What stands in for a service that the store uses. */
  readonly emulator: string | undefined;
  /** Endpoints that get deliveries. */
  enabled(): number;
  pending(endpoint: WebhookEndpoint): number;
  /**
   * Of a store that other servers change too: brings `endpoints` up to date.
   * @throws RequestError 503 when it cannot be read
   */
  refresh(): Awaitable<void>;
  /** Takes an endpoint in and subscribes it. @throws TooManyTopics */
  add(endpoint: WebhookEndpoint): Promise<void>;
  remove(endpoint: WebhookEndpoint): Promise<void>;
  /**
   * Changes its topics, enables or disables it. Disabling cancels its pending deliveries; deliveries of later
   * events are stored as cancelled, for recovery.
   * @throws TooManyTopics
   */
  patch(endpoint: WebhookEndpoint, change: EndpointChange): Promise<void>;
  /** @returns the secret, when it was made here; the rest as in endpoints.ts */
  rotate(endpoint: WebhookEndpoint, asked: Rotation): Promise<{ secret?: string }>;
  /** One event for this endpoint alone. @returns its delivery */
  sendTest(endpoint: WebhookEndpoint): Promise<DeliveryRow>;
  /** @returns whether there was something to send again */
  replay(id: number, endpoint: WebhookEndpoint): Promise<boolean>;
  /** Sends exhausted and cancelled deliveries of a stretch of time again (store.ts). @returns how many */
  recover(endpoint: WebhookEndpoint, sinceMs: number, untilMs: number, limit: number): Promise<number>;
  stats(): Promise<Stats>;
  trend(): TrendBucket[];
  backlog(): ServerBacklog;
  /** Called with everything that happens from now on. @returns the function that ends it */
  watch(listener: (message: StreamMessage) => void): () => void;
  /** Resolves when the event is stored, or with `delivery: sync` delivered. */
  publish: Publish;
  disconnect(share: number): void;
  /** Begins no more attempts, and lets those under way end; publishing goes on. */
  drain(plan: DrainPlan): Promise<DrainCount>;
  close(): Promise<void>;
};

/** @param store opened and not started: the service starts its schedule and closes it */
export function createService(
  context: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
  store: Store,
): Service {
  const { counters, random } = context;
  const rules = { scheme: schemes[options.scheme], guard: createGuard(options), breaker: options.breaker };
  const attempts = createAttempts(context, options, timers, rules.guard);
  let closed = false;
  const publish: Publish = async (...event) => {
    if (closed) throw new RequestError(503, 'closing', 'the server is closing');
    return (handler?.publish ?? store.publish)(...event);
  };
  const { announce, close: closeAnnouncer } = createAnnouncer(context, publish);
  const policy = retryPolicyOf(options.retries, options.jitter);
  const judging = { policy, random, disableRule: options.disable };
  const courier = createCourier({ store, attempts, ...judging, counters, timers, announce });
  const handler = options.delivery === 'sync' ? createHandler(context, courier, () => closed) : undefined;
  const counts = () => countEndpoints(store.endpoints.values());
  store.schedule.start(courier);

  return {
    endpoints: store.endpoints,
    log: store.log,
    timers,
    emulator: store.emulator,
    rules,
    publish,
    enabled: () => counts().enabled,
    pending: store.schedule.pending,
    refresh: store.refresh,
    add: store.add,
    remove: store.remove,
    patch: (endpoint, asked) => store.change(endpoint, (copy) => editEndpoint(copy, asked)),
    async rotate(endpoint, asked) {
      let shown: { secret?: string } = {};
      await store.change(endpoint, (copy) => {
        shown = rotateSecret(copy, asked, rules.scheme, timers.nowMs());
      });
      return shown;
    },
    async sendTest(endpoint) {
      const nowMs = timers.nowMs();
      const message = testMessage(endpoint.stored.key, nowMs, random);
      const id = await store.send(endpoint, message);
      // It is accepted, whether it can be read or not.
      const read = async () => (await store.log.delivery(id))?.row;
      return (await read().catch(() => undefined)) ?? acceptedRow(id, endpoint.id, message, nowMs);
    },
    replay: (id, endpoint) => store.replay(endpoint, id),
    recover: store.recover,
    backlog: store.backlog,
    stats: async () => ({
      ...(await store.readBacklog()),
      underWay: store.schedule.underWay(),
      endpoints: counts(),
      ...courier.figures(),
    }),
    trend: courier.trend,
    watch: courier.watch,
    disconnect: attempts.cut,
    async drain({ limitMs }) {
      const underWay = store.schedule.underWay();
      const quiet = store.schedule.stop();
      const limit = Promise.withResolvers<number>();
      const timer = setTimeout(() => limit.resolve(store.schedule.underWay()), limitMs);
      const cut = await Promise.race([quiet.then(() => 0), limit.promise]);
      clearTimeout(timer);
      if (cut > 0) attempts.cut(1);
      return { told: 0, left: Math.max(0, underWay - cut), closedAtLimit: cut };
    },
    async close() {
      closed = true;
      closeAnnouncer();
      const quiet = Promise.all([store.schedule.stop(), handler?.quiet()]);
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, goodbyeLimits.webhookStepMs);
      await Promise.race([quiet, grace.promise]);
      clearTimeout(timer);
      await attempts.close();
      await handler?.quiet();
      await store.close();
    },
  };
}

/** What a handler does that knows no queue: one endpoint after the other, one attempt each. */
function createHandler({ hub }: PatternContext, courier: Courier, isClosed: () => boolean) {
  let turn = Promise.resolve();

  async function deliver(message: Message, receivers: readonly WebhookEndpoint[]): Promise<void> {
    for (const endpoint of receivers)
      if (endpoint.disabled === undefined && !isClosed()) await courier.attemptOnce(endpoint, message);
  }

  const publish: Publish = async (topic, body, stamps) => {
    const { id, seq, json } = hub.draft(topic, body, stamps, () => {
      const receivers = hub.followers(topic) as WebhookEndpoint[]; // nobody else subscribes to this hub
      const message = { id, topic, body: json, bodyBytes: Buffer.byteLength(json) };
      turn = turn.then(() => deliver(message, receivers));
    });
    hub.take();
    await turn;
    return { id, seq };
  };
  return { publish, quiet: () => turn };
}
