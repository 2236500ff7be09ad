// Holds the registered endpoints of the embedded database and changes them: in memory and in the database, or
// in neither.
//
// A change is a step. A step writes, changes what memory decides by, and says how both ends go on: `done`
// when it is stored (queues, subscriptions, those who watch), `undo` when the database refused it.

import { resetBreaker } from '../../../core/policy/webhook/breaker.ts';
import type { EndpointLimits } from '../../../core/policy/webhook/endpoint-queue.ts';
import { RequestError } from '../../http/request.ts';
import type { Hub } from '../../hub/hub.ts';
import {
  copyOf,
  disableIn,
  endpointOf,
  presentOf,
  takeEdit,
  type RegistrationRules,
  type WebhookEndpoint,
} from '../endpoints.ts';
import type { Dispatcher } from '../sending/dispatcher.ts';
import type { Timers } from '../sending/timers.ts';
import type { Store, StoreHandlers } from '../store.ts';
import type { DeliveryDatabase } from './database.ts';
import type { Unit } from './unit.ts';

/** What follows a step that has been made. */
export type Applied = { done(): void; undo(): void };
/** @throws RequestError when it cannot be made, with nothing changed; what the database throws */
type Step = () => Applied;

export type SqliteEndpoints = Pick<Store, 'add' | 'remove' | 'change'> & {
  readonly all: ReadonlyMap<string, WebhookEndpoint>;
  /** The endpoint that the database has under this key, if it is registered. */
  byKey(key: number): WebhookEndpoint | undefined;
  /** Disables it as part of the unit that is being written, or as a record outside of one. */
  disabling(endpoint: WebhookEndpoint, reason: string): Applied;
  /** Begins to make attempts for all enabled endpoints. */
  openAll(): void;
  /** Ends their subscriptions. */
  close(): void;
};

export type SqliteEndpointsOptions = {
  hub: Hub;
  database: DeliveryDatabase;
  dispatcher: Dispatcher;
  timers: Timers;
  rules: Pick<RegistrationRules, 'scheme' | 'breaker'>;
  maxEndpoints: number;
  limits: Omit<EndpointLimits, 'breaker'>;
  changed: StoreHandlers['changed'];
};

type Registered = SqliteEndpointsOptions & {
  readonly all: Map<string, WebhookEndpoint>;
  readonly byKey: Map<number, WebhookEndpoint>;
};

const nothing: Applied = { done() {}, undo() {} };

export function createSqliteEndpoints(options: SqliteEndpointsOptions): SqliteEndpoints {
  const { database, hub, rules } = options;
  const all = new Map<string, WebhookEndpoint>();
  const byKey = new Map<number, WebhookEndpoint>();
  const registered: Registered = { ...options, all, byKey };
  const submit = (step: Step) => database.submit('change', unitOf(step));

  for (const stored of database.endpoints()) {
    const endpoint = endpointOf(stored, rules);
    all.set(endpoint.id, endpoint);
    byKey.set(stored.key, endpoint);
    endpoint.unsubscribe = follow(hub, endpoint, endpoint.topics);
  }

  return {
    all,
    byKey: (key) => byKey.get(key),
    openAll() {
      for (const endpoint of all.values()) if (endpoint.disabled === undefined) open(registered, endpoint);
    },
    add: (endpoint) => submit(() => adding(registered, endpoint)),
    remove: (endpoint) => submit(() => removing(registered, endpoint)),
    change: (endpoint, edit) =>
      submit(() => {
        presentOf(endpoint);
        return changing(registered, endpoint, edit);
      }),
    disabling: (endpoint, reason) =>
      endpoint.disabled === undefined
        ? changing(registered, endpoint, (copy) => disableIn(copy, reason))
        : nothing,
    close() {
      for (const endpoint of all.values()) endpoint.unsubscribe();
    },
  };
}

/** The hub is asked who follows a topic when an event is stored; it has nothing to tell afterwards. */
function follow(hub: Hub, endpoint: WebhookEndpoint, topics: readonly string[]): () => void {
  return hub.subscribe(topics, () => {}, endpoint);
}

function open({ dispatcher, limits }: Registered, { stored, breaker }: WebhookEndpoint): void {
  dispatcher.open(stored.key, { ...limits, breaker });
}

function cancelPending({ database, timers, dispatcher }: Registered, key: number): void {
  database.cancel(key, timers.nowMs(), dispatcher.queue(key)?.underWay ?? new Set(), false);
}

function adding(registered: Registered, endpoint: WebhookEndpoint): Applied {
  const { all, byKey, hub, database, maxEndpoints, changed } = registered;
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
  endpoint.unsubscribe = follow(hub, endpoint, endpoint.topics);
  try {
    database.saveEndpoint(endpoint.stored);
  } catch (error) {
    undo();
    throw error;
  }
  all.set(endpoint.id, endpoint);
  byKey.set(endpoint.stored.key, endpoint);
  return {
    undo,
    done() {
      open(registered, endpoint);
      changed(endpoint, 'registered');
    },
  };
}

function removing(registered: Registered, endpoint: WebhookEndpoint): Applied {
  const { all, byKey, database, dispatcher, changed } = registered;
  presentOf(endpoint);
  const { key } = endpoint.stored;
  const before = endpoint.disabled;
  if (before === undefined) cancelPending(registered, key);
  database.removeEndpoint(key);
  endpoint.disabled = 'deleted';
  return {
    undo: () => void (endpoint.disabled = before),
    done() {
      endpoint.unsubscribe();
      dispatcher.stop(key);
      all.delete(endpoint.id);
      byKey.delete(key);
      changed(endpoint, 'deleted');
    },
  };
}

function changing(
  registered: Registered,
  endpoint: WebhookEndpoint,
  edit: (copy: WebhookEndpoint) => void,
): Applied {
  const { hub, database } = registered;
  const before = copyOf(endpoint);
  const copy = copyOf(endpoint);
  edit(copy);
  const unsubscribe = copy.topics === before.topics ? undefined : follow(hub, endpoint, copy.topics);
  try {
    if (before.disabled === undefined && copy.disabled !== undefined)
      cancelPending(registered, copy.stored.key);
    database.saveEndpoint(copy.stored);
  } catch (error) {
    unsubscribe?.();
    throw error;
  }
  takeEdit(endpoint, copy);
  return {
    undo() {
      unsubscribe?.();
      takeEdit(endpoint, before);
    },
    done() {
      if (unsubscribe) {
        endpoint.unsubscribe();
        endpoint.unsubscribe = unsubscribe;
      }
      turn(registered, endpoint, before.disabled, copy.disabled);
    },
  };
}

/** Stops or opens its queue after a change that disabled or enabled it. */
function turn(
  registered: Registered,
  endpoint: WebhookEndpoint,
  before: string | undefined,
  after: string | undefined,
): void {
  if (before === undefined && after !== undefined) {
    registered.dispatcher.stop(endpoint.stored.key);
    registered.changed(endpoint, 'disabled', after);
  }
  if (before !== undefined && after === undefined) {
    if (endpoint.breaker) resetBreaker(endpoint.breaker);
    open(registered, endpoint);
    registered.changed(endpoint, 'enabled');
  }
}

function unitOf(step: Step): Unit<void> {
  let applied = nothing;
  return {
    work: () => void (applied = step()),
    done: () => applied.done(),
    undo: () => applied.undo(),
  };
}
