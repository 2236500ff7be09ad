// Holds the registered endpoints of the embedded store and changes them: in memory and in
// the store, or in neither.
//
// A change is made of steps. A step writes, changes what memory decides by, and says how both ends go on:
// `done` when it is stored (lanes, subscriptions, whoever watches), `undo` when the store refused it.

import type { Hub } from '../hub/hub.ts';
import type { Stats, StreamMessage, EndpointChange, Rotation } from './api.ts';
import type { Dispatcher } from './sending/dispatcher.ts';
import {
  changeTopics,
  endpointOf,
  presentOf,
  rotateSecret,
  type RegistrationRules,
  type WebhookEndpoint,
} from './endpoints.ts';
import type { Breaker } from './sending/health.ts';
import type { LaneOptions } from './sending/lane.ts';
import type { Announcer } from './operations.ts';
import { RequestError } from '../http/request.ts';
import type { Unit } from './sqlite/commit.ts';
import type { DeliveryStore } from './store.ts';
import type { Timers } from './sending/timers.ts';

/** What follows a step that has been made. */
export type Applied = { done(): void; undo(): void };
/** @throws RequestError when it cannot be made, with nothing changed; what the database throws */
export type Step = () => Applied;

export type Roster = {
  readonly all: ReadonlyMap<string, WebhookEndpoint>;
  /** The endpoint that the store has under this key, if it is registered. */
  byKey(key: number): WebhookEndpoint | undefined;
  counts(): Stats['endpoints'];
  add(endpoint: WebhookEndpoint): Promise<void>;
  remove(endpoint: WebhookEndpoint): Promise<void>;
  patch(endpoint: WebhookEndpoint, change: EndpointChange): Promise<void>;
  rotate(endpoint: WebhookEndpoint, asked: Rotation): Promise<{ secret?: string }>;
  /**
   * What is pending for it is cancelled; what is published from now on is kept as cancelled, for recovery.
   */
  disabling(endpoint: WebhookEndpoint, reason: string): Step;
  close(): void;
};

export type RosterOptions = {
  hub: Hub;
  store: DeliveryStore;
  dispatcher: Dispatcher;
  timers: Timers;
  rules: RegistrationRules;
  maxEndpoints: number;
  lane: Omit<LaneOptions, 'breaker'>;
  newBreaker: () => Breaker | undefined;
  tell: (message: StreamMessage) => void;
  announce: Announcer['announce'];
};

const nothing: Applied = { done() {}, undo() {} };

export function createRoster({
  hub,
  store,
  dispatcher,
  timers,
  rules,
  maxEndpoints,
  lane,
  newBreaker,
  tell,
  announce,
}: RosterOptions): Roster {
  const all = new Map<string, WebhookEndpoint>();
  const byKey = new Map<number, WebhookEndpoint>();
  let enabled = 0;

  for (const stored of store.endpoints()) {
    const endpoint = endpointOf(stored, rules.scheme, newBreaker());
    all.set(endpoint.id, endpoint);
    byKey.set(stored.key, endpoint);
    endpoint.unsubscribe = follow(endpoint, endpoint.topics);
    if (endpoint.disabled === undefined) open(endpoint);
  }

  /** The hub is asked who follows a topic when an event is stored; it has nothing to tell afterwards. */
  function follow(endpoint: WebhookEndpoint, topics: readonly string[]): () => void {
    return hub.subscribe(topics, () => {}, endpoint);
  }

  function open(endpoint: WebhookEndpoint): void {
    enabled++;
    dispatcher.open(endpoint.stored.key, { ...lane, breaker: endpoint.breaker });
  }

  function cancelPending({ stored: { key } }: WebhookEndpoint): void {
    store.cancel(key, timers.nowMs(), dispatcher.lane(key)?.underWay ?? new Set(), false);
  }

  const adding =
    (endpoint: WebhookEndpoint): Step =>
    () => {
      if (all.size >= maxEndpoints) {
        throw new RequestError(
          503,
          'too-many-subscribers',
          `${maxEndpoints} endpoints are registered, which is the limit; delete one`,
        );
      }
      const undo = (): void => {
        endpoint.unsubscribe();
        all.delete(endpoint.id);
        byKey.delete(endpoint.stored.key);
        endpoint.stored.key = 0;
      };
      endpoint.unsubscribe = follow(endpoint, endpoint.topics);
      try {
        store.saveEndpoint(endpoint.stored);
      } catch (error) {
        undo();
        throw error;
      }
      all.set(endpoint.id, endpoint);
      byKey.set(endpoint.stored.key, endpoint);
      return {
        undo,
        done() {
          open(endpoint);
          tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'registered' });
        },
      };
    };

  const removing =
    (endpoint: WebhookEndpoint): Step =>
    () => {
      presentOf(endpoint);
      const {
        stored: { key },
        disabled: before,
      } = endpoint;
      if (before === undefined) cancelPending(endpoint);
      store.removeEndpoint(key);
      endpoint.disabled = 'deleted';
      return {
        undo: () => void (endpoint.disabled = before),
        done() {
          endpoint.unsubscribe();
          if (before === undefined) enabled--;
          dispatcher.stop(key);
          all.delete(endpoint.id);
          byKey.delete(key);
          tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'deleted' });
        },
      };
    };

  const disabling =
    (endpoint: WebhookEndpoint, reason: string): Step =>
    () => {
      if (endpoint.disabled !== undefined) return nothing;
      const { id, stored } = endpoint;
      cancelPending(endpoint);
      store.saveEndpoint({ ...stored, disabled: reason });
      endpoint.disabled = stored.disabled = reason;
      return {
        undo: () => void (endpoint.disabled = stored.disabled = undefined),
        done() {
          enabled--;
          dispatcher.stop(stored.key);
          tell({ kind: 'endpoint', endpoint: id, change: 'disabled', reason });
          announce('disabled', { endpoint: id, reason });
        },
      };
    };

  const enabling =
    (endpoint: WebhookEndpoint): Step =>
    () => {
      if (endpoint.disabled === undefined) return nothing;
      const { id, stored, disabled: before } = endpoint;
      const { failures, failingSinceMs } = stored;
      store.saveEndpoint({ ...stored, disabled: undefined, failures: 0, failingSinceMs: undefined });
      endpoint.disabled = undefined;
      Object.assign(stored, { disabled: undefined, failures: 0, failingSinceMs: undefined });
      return {
        undo() {
          endpoint.disabled = before;
          Object.assign(stored, { disabled: before, failures, failingSinceMs });
        },
        done() {
          endpoint.breaker?.reset();
          open(endpoint);
          tell({ kind: 'endpoint', endpoint: id, change: 'enabled' });
          announce('enabled', { endpoint: id });
        },
      };
    };

  const following =
    (endpoint: WebhookEndpoint, topics: readonly string[]): Step =>
    () => {
      const { topics: before } = endpoint;
      const unsubscribe = follow(endpoint, topics);
      const undo = (): void => {
        unsubscribe();
        changeTopics(endpoint, before);
      };
      changeTopics(endpoint, topics);
      try {
        store.saveEndpoint(endpoint.stored);
      } catch (error) {
        undo();
        throw error;
      }
      return {
        undo,
        done() {
          endpoint.unsubscribe();
          endpoint.unsubscribe = unsubscribe;
        },
      };
    };

  const present =
    (endpoint: WebhookEndpoint): Step =>
    () => {
      presentOf(endpoint);
      return nothing;
    };

  return {
    all,
    disabling,
    byKey: (key) => byKey.get(key),
    counts: () => ({
      enabled,
      disabled: all.size - enabled,
      open: [...all.values()].filter(({ breaker }) => breaker && breaker.state() !== 'closed').length,
    }),
    add: (endpoint) => store.submit('change', unitOf([adding(endpoint)])),
    remove: (endpoint) => store.submit('change', unitOf([removing(endpoint)])),
    patch(endpoint, { events, enabled: wanted }) {
      const steps = [present(endpoint)];
      if (events) steps.push(following(endpoint, events));
      if (wanted === true) steps.push(enabling(endpoint));
      if (wanted === false) steps.push(disabling(endpoint, 'disabled by request'));
      return store.submit('change', unitOf(steps));
    },
    async rotate(endpoint, asked) {
      let shown: { secret?: string } = {};
      const { stored } = endpoint;
      const step: Step = () => {
        presentOf(endpoint);
        const before = { config: stored.config, keysAt: endpoint.keysAt };
        const undo = (): void => {
          stored.config = before.config;
          endpoint.keysAt = before.keysAt;
        };
        shown = rotateSecret(endpoint, asked, rules.scheme, timers.nowMs());
        try {
          store.saveEndpoint(stored);
        } catch (error) {
          undo();
          throw error;
        }
        return { ...nothing, undo };
      };
      await store.submit('change', unitOf([step]));
      return shown;
    },
    close() {
      for (const endpoint of all.values()) endpoint.unsubscribe();
    },
  };
}

/** Several steps as one request to the store: all of them or none. */
function unitOf(steps: readonly Step[]): Unit<void> {
  const applied: Applied[] = [];
  return {
    work() {
      for (const step of steps) applied.push(step());
    },
    done() {
      for (const { done } of applied) done();
    },
    undo() {
      for (const { undo } of applied.toReversed()) undo();
    },
  };
}
