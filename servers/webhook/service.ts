// The delivery of webhooks: what is published becomes a delivery for each endpoint of its topic, in
// the store; the dispatcher decides when, the sender makes the request, and here its answer is
// judged. The HTTP API is routes.ts.

import type { ServerBacklog } from '../../core/protocol/control.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import { schemes } from '../../core/signature/schemes.ts';
import type { Stamps } from '../hub/hub.ts';
import type { PatternContext, Publish, PublishOptions } from '../pattern.ts';
import { RequestError } from '../http/request.ts';
import type { EndpointChange, Rotation, Stats, StreamMessage } from './api.ts';
import { createAttempts, endpointConcurrency, failureOf, isGone, isSuccess } from './sending/attempt.ts';
import { createDispatcher, type Dispatcher, type Outcome } from './sending/dispatcher.ts';
import { enabledOf, type RegistrationRules, type WebhookEndpoint } from './endpoints.ts';
import { createGuard } from './sending/guard.ts';
import { createBreaker, disableRules, type Breaker } from './sending/health.ts';
import { createIntake } from './intake.ts';
import { createAnnouncer, isOperational, testMessage } from './operations.ts';
import { createRoster } from './roster.ts';
import type { Answer } from './sending/sender.ts';
import type { Awaitable, DeliveryLog, DeliveryRow, DeliveryStore, Message, Task } from './store.ts';
import type { Timers } from './sending/timers.ts';
import { attemptView, deliveryView } from './http/views.ts';

/** How long requests under way may take to finish when the server closes. */
const closeGraceMs = 500;
/** Settled deliveries between two rounds of pruning, and how many a round removes at the most. */
const pruneEvery = 32;
const pruneAtOnce = 64;

/**
 * What asks for something to be stored resolves when it is durable. Where the store does not take it, it
 * rejects with a `RequestError` of status 503, and everything is as it was before.
 */
export type Service = {
  readonly endpoints: ReadonlyMap<string, WebhookEndpoint>;
  readonly log: DeliveryLog;
  /** What a registration is held against. */
  readonly rules: RegistrationRules;
  readonly timers: Timers;
  newBreaker(): Breaker | undefined;
  /** Endpoints that get deliveries. */
  enabled(): number;
  pending(endpoint: WebhookEndpoint): number;
  /**
   * Of a store that other servers change too: brings `endpoints` up to date.
   * @throws RequestError 503 when it cannot be read
   */
  refresh?(): Promise<void>;
  /** Takes an endpoint in and subscribes it. @throws TooManyTopics */
  add(endpoint: WebhookEndpoint): Awaitable<void>;
  remove(endpoint: WebhookEndpoint): Awaitable<void>;
  /**
   * Changes its topics, enables or disables it. Disabled, what is pending for it is cancelled, and what is
   * published from now on is kept as cancelled, for recovery.
   * @throws TooManyTopics
   */
  patch(endpoint: WebhookEndpoint, change: EndpointChange): Awaitable<void>;
  /** @returns the secret, when it was made here; the rest as in endpoints.ts */
  rotate(endpoint: WebhookEndpoint, asked: Rotation): Awaitable<{ secret?: string }>;
  /** One event for this endpoint alone. @returns the delivery's id */
  sendTest(endpoint: WebhookEndpoint): Awaitable<number>;
  /** @returns whether there was something to send again */
  replay(id: number, endpoint: WebhookEndpoint): Awaitable<boolean>;
  recover(endpoint: WebhookEndpoint, sinceMs: number, untilMs: number, limit: number): Awaitable<number>;
  stats(): Awaitable<Stats>;
  backlog(): ServerBacklog;
  /** Called with everything that happens from now on. @returns the function that ends it */
  watch(listener: (message: StreamMessage) => void): () => void;
  /** Resolves when the event is stored, or with `delivery: sync` delivered. */
  publish: Publish;
  disconnect(share: number): void;
  close(): Promise<void>;
};

export function createService(
  context: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
  store: DeliveryStore,
): Service {
  const { hub, limits, counters, random } = context;
  const scheme = schemes[options.scheme];
  const rules = { scheme, guard: createGuard(options) };
  const watchers = new Set<(message: StreamMessage) => void>();
  const tries = createAttempts(context, options, timers, rules.guard);
  const operations = createAnnouncer(context, publish);
  const dispatcher: Dispatcher = createDispatcher({
    store,
    deliver,
    settled,
    concurrency: options.concurrency,
    timers,
  });
  const newBreaker = () => (options.breaker ? createBreaker() : undefined);
  const roster = createRoster({
    hub,
    store,
    dispatcher,
    timers,
    rules,
    newBreaker,
    tell,
    maxEndpoints: limits.maxSubscribers,
    announce: operations.announce,
    lane: {
      concurrency: endpointConcurrency(options),
      ratePerS: options.endpointRate === 'unlimited' ? Infinity : options.endpointRate * options.timeScale,
      fifo: options.fifo,
    },
  });
  const intake = createIntake({ hub, store, dispatcher, timers, roster, limits, counters, countSettled });
  let inHandler = Promise.resolve();
  let [delivered, exhausted, attempts, attemptsOfSettled, settledCount] = [0, 0, 0, 0, 0];
  let closed = false;

  async function publish(
    topic: string,
    body: string,
    stamps: Stamps,
    given?: PublishOptions,
  ): Promise<{ id: string; seq: number }> {
    if (closed) throw new RequestError(503, 'closing', 'the server is closing');
    if (options.delivery !== 'sync') return intake.publish(topic, body, stamps, given);
    const { id, seq, json } = hub.draft(topic, body, stamps, () => {
      const receivers = hub.followers(topic) as WebhookEndpoint[]; // nobody else subscribes to this hub
      inHandler = inHandler.then(() =>
        deliverInHandler({ id, topic, body: json, bodyBytes: Buffer.byteLength(json) }, receivers),
      );
    });
    hub.take();
    await inHandler;
    return { id, seq };
  }

  /** What a handler does that knows no queue: one endpoint after the other, one attempt each. */
  async function deliverInHandler(message: Message, receivers: readonly WebhookEndpoint[]): Promise<void> {
    for (const endpoint of receivers) {
      if (endpoint.disabled === undefined && !closed)
        judge(endpoint, (await tries.post(endpoint, message, 1)).answer);
    }
  }

  async function deliver(task: Task): Promise<Outcome> {
    const endpoint = roster.byKey(task.endpoint)!; // a lane is open for registered endpoints alone
    const attempt = task.attempts + 1;
    const { answer, row } = await tries.post(endpoint, task.message, attempt);
    if (judge(endpoint, answer)) return { state: 'delivered', attempt: row };
    if (endpoint.disabled !== undefined) return { state: 'cancelled', attempt: row };
    const waitMs = tries.waitMs(attempt - task.spent, answer);
    if (waitMs === undefined) return { state: 'exhausted', attempt: row };
    return { state: 'again', attempt: { ...row, nextMs: Math.ceil(timers.nowMs() + waitMs) } };
  }

  /** What an answer means for its endpoint. @returns whether it was a success */
  function judge(endpoint: WebhookEndpoint, answer: Answer): boolean {
    const ok = isSuccess(answer);
    const nowMs = timers.nowMs();
    const { stored, breaker } = endpoint;
    const turned = breaker?.end(ok, nowMs);
    if (turned)
      tell({
        kind: 'endpoint',
        endpoint: endpoint.id,
        change: turned === 'opened' ? 'breaker-open' : 'breaker-closed',
      });
    if (ok) {
      endpoint.delivered++;
      if (stored.failures > 0) noteHealth(endpoint, 0, undefined);
      return true;
    }
    counters.errors++;
    endpoint.lastFailure = failureOf(answer);
    noteHealth(endpoint, stored.failures + 1, stored.failingSinceMs ?? nowMs);
    const reason = isGone(answer) ? 'answered 410 Gone' : disableRules[options.disable](stored, nowMs);
    if (reason !== undefined) roster.disabling(endpoint, reason)().done();
    return false;
  }

  function noteHealth(
    { stored }: WebhookEndpoint,
    failures: number,
    failingSinceMs: number | undefined,
  ): void {
    stored.failures = failures;
    stored.failingSinceMs = failingSinceMs;
    // Without a rule nobody asks for it after a restart.
    if (options.disable !== 'never' && roster.byKey(stored.key)) store.saveEndpoint(stored);
  }

  function settled(task: Task, { state, attempt }: Outcome): void {
    const endpoint = roster.byKey(task.endpoint);
    attempts++;
    if (state === 'delivered' || state === 'exhausted') attemptsOfSettled += attempt.attempt - task.spent;
    if (state === 'delivered') delivered++;
    if (state === 'exhausted') {
      exhausted++;
      if (endpoint) endpoint.givenUp++;
      if (!isOperational(task.message.topic)) {
        operations.announce('exhausted', {
          endpoint: endpoint?.id,
          delivery: String(task.id),
          event: task.message.id,
        });
      }
    }
    if (state !== 'again') countSettled();
    if (watchers.size > 0 && endpoint) {
      const row: DeliveryRow = {
        id: task.id,
        endpointId: endpoint.id,
        eventId: task.message.id,
        topic: task.message.topic,
        state: state === 'again' ? 'pending' : state,
        attempts: attempt.attempt,
        createdMs: task.createdMs,
        nextMs: attempt.nextMs,
        settledMs: state === 'again' ? undefined : attempt.atMs + attempt.latencyMs,
        status: attempt.status,
        failure: attempt.failure,
      };
      tell({ kind: 'attempt', delivery: deliveryView(row), attempt: attemptView(attempt) });
    }
  }

  /** What is published for a disabled endpoint is settled as it comes. */
  function countSettled(): void {
    if (++settledCount % pruneEvery === 0)
      store.prune(timers.nowMs() - options.retain, options.keep, pruneAtOnce);
  }

  function tell(message: StreamMessage): void {
    for (const watcher of watchers) watcher(message);
  }

  function depthOf({ pending: depth, oldestMs }: ReturnType<DeliveryStore['depth']>): ServerBacklog {
    return { depth, oldestAgeMs: oldestMs === undefined ? 0 : Math.max(0, timers.nowMs() - oldestMs) };
  }

  /** What a trial samples: a store that cannot be read must not end it. */
  function backlog(): ServerBacklog {
    try {
      return depthOf(store.depth());
    } catch {
      return depthOf({ pending: store.pending(), oldestMs: undefined });
    }
  }

  function pending({ stored }: WebhookEndpoint): number {
    return dispatcher.lane(stored.key)?.pending ?? 0;
  }

  return {
    endpoints: roster.all,
    log: store,
    timers,
    rules,
    newBreaker,
    pending,
    backlog,
    publish,
    enabled: () => roster.counts().enabled,
    add: roster.add,
    remove: roster.remove,
    patch: roster.patch,
    rotate: roster.rotate,
    async sendTest(endpoint) {
      const kept = await store.submit('change', {
        work() {
          enabledOf(endpoint);
          return intake.keep(testMessage(endpoint.stored.key, timers.nowMs(), random), [endpoint]);
        },
        done(made) {
          intake.dispatch(made);
          dispatcher.wake(endpoint.stored.key); // a change stored with this one may have counted it already
        },
      });
      return kept.rows[0]!.id; // one for the one endpoint
    },
    async replay(id, endpoint) {
      const task = await store.submit('change', {
        work() {
          enabledOf(endpoint);
          return store.replay(id, timers.nowMs());
        },
        done: (replayed) => replayed && dispatcher.wake(replayed.endpoint),
      });
      return task !== undefined;
    },
    recover: (endpoint, sinceMs, untilMs, limit) =>
      store.submit('change', {
        work() {
          enabledOf(endpoint);
          return store.recover(endpoint.stored.key, sinceMs, untilMs, timers.nowMs(), limit);
        },
        done: (recovered) => void (recovered > 0 && dispatcher.wake(endpoint.stored.key)),
      }),
    async stats() {
      const settledAll = delivered + exhausted;
      return {
        ...depthOf(store.depth()),
        underWay: dispatcher.underWay(),
        endpoints: roster.counts(),
        delivered,
        exhausted,
        attempts,
        ...(settledAll > 0 && { attemptsPerDelivery: attemptsOfSettled / settledAll }),
      };
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    disconnect: tries.cut,
    async close() {
      closed = true;
      operations.close();
      const quiet = Promise.all([dispatcher.close(), inHandler]);
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, closeGraceMs);
      await Promise.race([quiet, grace.promise]);
      clearTimeout(timer);
      await tries.close();
      await quiet;
      await store.close(); // with what was published last
      roster.close();
    },
  };
}
