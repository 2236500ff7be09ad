// The delivery of webhooks: what is published becomes a delivery for each endpoint of its topic, in the store; the
// dispatcher decides when, the sender makes the request, and here its answer is judged. The HTTP API is routes.ts.

import type { ServerBacklog } from '../../core/control.ts';
import type { PatternOptions } from '../../core/patterns.ts';
import { schemes } from '../../core/signature.ts';
import type { HubEvent, Stamps } from '../hub.ts';
import type { PatternContext, Publish } from '../pattern.ts';
import type { Stats, StreamMessage } from './api.ts';
import { createAttempts, endpointConcurrency, failureOf, isGone, isSuccess } from './attempt.ts';
import { createDispatcher, type Dispatcher, type Outcome } from './dispatcher.ts';
import { endpointOf, type RegistrationRules, type WebhookEndpoint } from './endpoints.ts';
import { createGuard } from './guard.ts';
import { createBreaker, disableRules, type Breaker } from './health.ts';
import { createAnnouncer, isOperational, testMessage } from './operations.ts';
import type { Answer } from './sender.ts';
import type { Awaitable, DeliveryLog, DeliveryRow, DeliveryStore, Message, Task } from './store.ts';
import type { Timers } from './timers.ts';
import { attemptView, deliveryView } from './views.ts';

/** How long requests under way may take to finish when the server closes. */
const closeGraceMs = 500;
/** Deliveries that may be pending over all endpoints; one more is dropped. */
const pendingMost = 10_000_000;
/** Settled deliveries between two rounds of pruning, and how many a round removes at the most. */
const pruneEvery = 32;
const pruneAtOnce = 64;

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
  /** Of a store that other servers change too: brings `endpoints` up to date. @throws RequestError 503 when it cannot be read */
  refresh?(): Promise<void>;
  /** Takes an endpoint in and subscribes it. @throws TooManyTopics */
  add(endpoint: WebhookEndpoint): Awaitable<void>;
  remove(endpoint: WebhookEndpoint): void;
  /** What is pending for it is cancelled; what is published from now on is kept as cancelled, for recovery. */
  disable(endpoint: WebhookEndpoint, reason: string): void;
  enable(endpoint: WebhookEndpoint): void;
  /** Subscribes it to its topics anew, after a change. @throws TooManyTopics */
  resubscribe(endpoint: WebhookEndpoint): void;
  /** One event for this endpoint alone. @returns the delivery's id */
  sendTest(endpoint: WebhookEndpoint): Awaitable<number>;
  replay(id: number): Awaitable<boolean>;
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

type Batch = { event: HubEvent; endpoints: WebhookEndpoint[] };

export function createService(context: PatternContext, options: PatternOptions<'webhook'>, timers: Timers, store: DeliveryStore): Service {
  const { hub, limits, counters, random } = context;
  const { concurrency } = options;
  const scheme = schemes[options.scheme];
  const guard = createGuard(options);
  const endpoints = new Map<string, WebhookEndpoint>();
  const byKey = new Map<number, WebhookEndpoint>();
  const watchers = new Set<(message: StreamMessage) => void>();
  const tries = createAttempts(context, options, timers, guard);
  const operations = createAnnouncer(context, publish);
  const dispatcher: Dispatcher = createDispatcher({ store, deliver, settled, concurrency, timers });
  const laneOptions = {
    concurrency: endpointConcurrency(options),
    ratePerS: options.endpointRate === 'unlimited' ? Infinity : options.endpointRate * options.timeScale,
    fifo: options.fifo,
  };
  let enabled = 0;
  let batch: Batch | undefined;
  let inHandler = Promise.resolve();
  let [delivered, exhausted, attempts, attemptsOfSettled, settledCount] = [0, 0, 0, 0, 0];
  let closed = false;

  const newBreaker = () => (options.breaker ? createBreaker() : undefined);

  for (const stored of store.endpoints()) {
    const endpoint = endpointOf(stored, scheme, newBreaker());
    endpoints.set(endpoint.id, endpoint);
    byKey.set(stored.key, endpoint);
    subscribe(endpoint);
    if (endpoint.disabled === undefined) open(endpoint);
  }

  function subscribe(endpoint: WebhookEndpoint): void {
    const unsubscribe = hub.subscribe(endpoint.topics, accept, endpoint);
    endpoint.unsubscribe();
    endpoint.unsubscribe = unsubscribe;
  }

  function open(endpoint: WebhookEndpoint): void {
    enabled++;
    dispatcher.open(endpoint.stored.key, { ...laneOptions, breaker: endpoint.breaker });
  }

  // The hub tells one endpoint after the other; the event is stored with all its deliveries at once.
  function accept(event: HubEvent, endpoint: WebhookEndpoint): void {
    if (batch && batch.event !== event) flush();
    if (!batch) {
      batch = { event, endpoints: [] };
      queueMicrotask(flush);
    }
    batch.endpoints.push(endpoint);
  }

  async function publish(topic: string, body: string, stamps: Stamps): Promise<{ id: string; seq: number }> {
    const { id, seq } = hub.publish(topic, body, stamps);
    flush();
    await (options.delivery === 'sync' ? inHandler : store.committed());
    return { id, seq };
  }

  function flush(): void {
    if (!batch || closed) return;
    const { event: { id, topic, json }, endpoints: receivers } = batch;
    batch = undefined;
    const message: Message = { id, topic, body: json, bodyBytes: Buffer.byteLength(json) };
    if (options.delivery === 'sync') inHandler = inHandler.then(() => deliverInHandler(message, receivers));
    else keep(message, receivers.filter((endpoint) => hasRoom(endpoint, message)));
  }

  function keep(message: Message, receivers: readonly WebhookEndpoint[]): number[] {
    if (receivers.length === 0) return [];
    const nowMs = timers.nowMs();
    const ids = store.publish(message, receivers.map(({ stored, disabled }) => ({ key: stored.key, state: disabled === undefined ? 'pending' : 'cancelled' })), nowMs);
    receivers.forEach(({ stored, disabled }, i) => {
      if (disabled === undefined) dispatcher.add(stored.key, ids[i]!, message, nowMs);
      else countSettled();
    });
    return ids;
  }

  /** The policy for an endpoint that is too far behind. */
  function hasRoom(endpoint: WebhookEndpoint, { bodyBytes }: Message): boolean {
    const { key } = endpoint.stored;
    // One body may be larger than the bound; alone it may wait.
    const fits = () => {
      const bytes = dispatcher.lane(key)?.bytes ?? 0;
      return bytes === 0 || bytes + bodyBytes <= limits.slowBuffer;
    };
    if (endpoint.disabled !== undefined) return true;
    if (store.depth().pending >= pendingMost) {
      counters.slowDrops++;
      return false;
    }
    if (fits()) return true;
    if (limits.slow === 'disconnect') {
      counters.slowDisconnects++;
      counters.slowDrops += pending(endpoint) + 1;
      disable(endpoint, `more than ${limits.slowBuffer} bytes behind`);
      return true;
    }
    if (limits.slow === 'coalesce') {
      const gone = store.cancel(key, timers.nowMs(), dispatcher.lane(key)?.underWay ?? new Set(), true);
      dispatcher.drop(key, gone);
      counters.slowDrops += gone.length;
    }
    if (fits()) return true;
    counters.slowDrops++;
    return false;
  }

  /** What a handler does that knows no queue: one endpoint after the other, one attempt each. */
  async function deliverInHandler(message: Message, receivers: readonly WebhookEndpoint[]): Promise<void> {
    for (const endpoint of receivers) {
      if (endpoint.disabled === undefined && !closed) judge(endpoint, (await tries.post(endpoint, message, 1)).answer);
    }
  }

  async function deliver(task: Task): Promise<Outcome> {
    const endpoint = byKey.get(task.endpoint)!; // a lane is open for registered endpoints alone
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
    if (turned) tell({ kind: 'endpoint', endpoint: endpoint.id, change: turned === 'opened' ? 'breaker-open' : 'breaker-closed' });
    if (ok) {
      endpoint.delivered++;
      if (stored.failures > 0) noteHealth(endpoint, 0, undefined);
      return true;
    }
    counters.errors++;
    endpoint.lastFailure = failureOf(answer);
    noteHealth(endpoint, stored.failures + 1, stored.failingSinceMs ?? nowMs);
    const reason = isGone(answer) ? 'answered 410 Gone' : disableRules[options.disable](stored, nowMs);
    if (reason !== undefined) disable(endpoint, reason);
    return false;
  }

  function noteHealth({ stored }: WebhookEndpoint, failures: number, failingSinceMs: number | undefined): void {
    stored.failures = failures;
    stored.failingSinceMs = failingSinceMs;
    // Without a rule nobody asks for it after a restart.
    if (options.disable !== 'never' && stored.key !== 0 && byKey.has(stored.key)) store.saveEndpoint(stored);
  }

  function settled(task: Task, { state, attempt }: Outcome): void {
    const endpoint = byKey.get(task.endpoint);
    attempts++;
    if (state === 'delivered' || state === 'exhausted') attemptsOfSettled += attempt.attempt - task.spent;
    if (state === 'delivered') delivered++;
    if (state === 'exhausted') {
      exhausted++;
      if (endpoint) endpoint.givenUp++;
      if (!isOperational(task.message.topic)) {
        operations.announce('exhausted', { endpoint: endpoint?.id, delivery: String(task.id), event: task.message.id });
      }
    }
    if (state !== 'again') countSettled();
    if (watchers.size > 0 && endpoint) {
      const row: DeliveryRow = {
        id: task.id, endpointId: endpoint.id, eventId: task.message.id, topic: task.message.topic, state: state === 'again' ? 'pending' : state,
        attempts: attempt.attempt, createdMs: task.createdMs, nextMs: attempt.nextMs, settledMs: state === 'again' ? undefined : attempt.atMs + attempt.latencyMs,
        status: attempt.status, failure: attempt.failure,
      };
      tell({ kind: 'attempt', delivery: deliveryView(row), attempt: attemptView(attempt) });
    }
  }

  /** What is published for a disabled endpoint is settled as it comes. */
  function countSettled(): void {
    if (++settledCount % pruneEvery === 0) store.prune(timers.nowMs() - options.retain, options.keep, pruneAtOnce);
  }

  function tell(message: StreamMessage): void {
    for (const watcher of watchers) watcher(message);
  }

  function stop(endpoint: WebhookEndpoint): void {
    const { key } = endpoint.stored;
    if (endpoint.disabled !== undefined) return;
    enabled--;
    store.cancel(key, timers.nowMs(), dispatcher.stop(key), false);
  }

  function disable(endpoint: WebhookEndpoint, reason: string): void {
    if (endpoint.disabled !== undefined) return;
    stop(endpoint);
    endpoint.disabled = endpoint.stored.disabled = reason;
    store.saveEndpoint(endpoint.stored);
    tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'disabled', reason });
    operations.announce('disabled', { endpoint: endpoint.id, reason });
  }

  function backlog(): ServerBacklog {
    const { pending: depth, oldestMs } = store.depth();
    return { depth, oldestAgeMs: oldestMs === undefined ? 0 : Math.max(0, timers.nowMs() - oldestMs) };
  }

  function pending({ stored }: WebhookEndpoint): number {
    return dispatcher.lane(stored.key)?.pending ?? 0;
  }

  return {
    endpoints, log: store, timers, rules: { scheme, guard }, newBreaker, pending, disable,
    enabled: () => enabled,
    add(endpoint) {
      subscribe(endpoint);
      store.saveEndpoint(endpoint.stored);
      endpoints.set(endpoint.id, endpoint);
      byKey.set(endpoint.stored.key, endpoint);
      open(endpoint);
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'registered' });
    },
    remove(endpoint) {
      endpoint.unsubscribe();
      stop(endpoint);
      endpoint.disabled = 'deleted';
      endpoints.delete(endpoint.id);
      byKey.delete(endpoint.stored.key);
      store.removeEndpoint(endpoint.stored.key);
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'deleted' });
    },
    enable(endpoint) {
      if (endpoint.disabled === undefined) return;
      const { stored, breaker } = endpoint;
      endpoint.disabled = stored.disabled = undefined;
      stored.failures = 0;
      stored.failingSinceMs = undefined;
      breaker?.reset();
      store.saveEndpoint(stored);
      open(endpoint);
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'enabled' });
      operations.announce('enabled', { endpoint: endpoint.id });
    },
    resubscribe: subscribe,
    sendTest(endpoint) {
      return keep(testMessage(endpoint.stored.key, timers.nowMs(), random), [endpoint])[0]!;
    },
    replay(id) {
      const task = store.replay(id, timers.nowMs());
      if (task) dispatcher.wake(task.endpoint);
      return task !== undefined;
    },
    recover({ stored }, sinceMs, untilMs, limit) {
      const recovered = store.recover(stored.key, sinceMs, untilMs, timers.nowMs(), limit);
      if (recovered > 0) dispatcher.wake(stored.key);
      return recovered;
    },
    backlog,
    stats() {
      const { depth, oldestAgeMs } = backlog();
      const settledAll = delivered + exhausted;
      const open = [...endpoints.values()].filter(({ breaker }) => breaker && breaker.state() !== 'closed').length;
      return {
        depth, underWay: dispatcher.underWay(),
        oldestAgeMs,
        endpoints: { enabled, disabled: endpoints.size - enabled, open },
        delivered, exhausted, attempts,
        ...(settledAll > 0 && { attemptsPerDelivery: attemptsOfSettled / settledAll }),
      };
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    publish,
    disconnect: tries.cut,
    async close() {
      flush();
      for (const endpoint of endpoints.values()) endpoint.unsubscribe();
      closed = true;
      operations.close();
      const quiet = Promise.all([dispatcher.close(), inHandler]);
      const grace = Promise.withResolvers<void>();
      const timer = setTimeout(grace.resolve, closeGraceMs);
      await Promise.race([quiet, grace.promise]);
      clearTimeout(timer);
      await tries.close();
      await quiet;
      await store.close();
    },
  };
}

