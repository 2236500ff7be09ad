// Holds what a server knows of the endpoints in Redis, and takes over what others have changed there: a
// version number in Redis tells that there is something new.

import {
  disableIn,
  endpointOf,
  takeEdit,
  type RegistrationRules,
  type WebhookEndpoint,
} from '../endpoints.ts';
import type { StoredEndpoint } from '../records.ts';
import type { StoreHandlers } from '../store.ts';
import type { StoreChange } from './endpoint-change.ts';
import type { FailureCounts } from './failure-counts.ts';
import { markerField } from './identify.ts';
import type { RedisLink } from './link.ts';
import type { Writes } from './writes.ts';

export type RedisEndpointsOptions = {
  link: RedisLink;
  prefix: string;
  /** The key and the value that say which store this is. */
  marker: string;
  identity: string;
  rules: Pick<RegistrationRules, 'scheme' | 'breaker'>;
  /** Subscribes it to topics. @returns the function that ends that. @throws TooManyTopics */
  follow: (endpoint: WebhookEndpoint, topics: readonly string[]) => () => void;
  /** Called when the store is another one than this server began with. @returns what to throw */
  emptied: () => Error;
  report: (error: unknown) => void;
  changed: StoreHandlers['changed'];
};

/** Why an endpoint was disabled here, and whether Redis is being told. */
export type Disabling = { readonly reason: string; isBeingTold: boolean };

/** What this server knows of the endpoints in Redis. */
export type EndpointCopy = RedisEndpointsOptions & {
  readonly keys: { readonly endpoints: string; readonly version: string; readonly next: string };
  readonly failureCounts: FailureCounts;
  readonly store: StoreChange;
  readonly all: Map<string, WebhookEndpoint>;
  /** What Redis has of each, as far as is known here. */
  readonly texts: Map<string, string>;
  /** Those that Redis does not have yet. */
  readonly entering: Set<string>;
  readonly changes: Writes;
  /** Changes of ours on their way, by endpoint: what Redis says of it is older. */
  readonly unsaved: Map<string, number>;
  /** Endpoints that were disabled here, as long as Redis does not have that. */
  readonly disabling: Map<string, Disabling>;
  /** The version that the copy is of; '' when it has to be read again. */
  seenVersion: string | null;
  reloading: Promise<void> | undefined;
  /** Changes that clients ask for are made in turn: each begins with the result of the one before. */
  turn: Promise<unknown>;
};

/** Has it follow these topics and no others. @throws TooManyTopics: it follows what it did */
export function subscribe(
  { follow }: EndpointCopy,
  endpoint: WebhookEndpoint,
  topics: readonly string[],
): void {
  const unsubscribe = follow(endpoint, topics);
  endpoint.unsubscribe();
  endpoint.unsubscribe = unsubscribe;
}

/** Takes what Redis has of the endpoint. @throws TooManyTopics: the copy is as it was */
function take(copy: EndpointCopy, text: string, stored: StoredEndpoint): void {
  const { all, texts, rules, disabling } = copy;
  const { id } = stored;
  const fresh = endpointOf(stored, rules);
  const disabledHere = disabling.get(id);
  if (fresh.disabled !== undefined) disabling.delete(id);
  else if (disabledHere) disableIn(fresh, disabledHere.reason);
  const known = all.get(id);
  if (!known) {
    subscribe(copy, fresh, fresh.topics);
    all.set(id, fresh);
  } else {
    subscribe(copy, known, fresh.topics);
    const { failures, failingSinceMs } = known.disabled === fresh.disabled ? known.stored : stored;
    takeEdit(known, fresh);
    Object.assign(known.stored, { failures, failingSinceMs });
  }
  texts.set(id, text);
}

/** Forgets an endpoint that is gone. */
export function leave({ all, texts, disabling }: EndpointCopy, id: string): void {
  const endpoint = all.get(id);
  if (endpoint) {
    endpoint.unsubscribe();
    endpoint.disabled = 'deleted'; // what is under way for it is its last
  }
  all.delete(id);
  texts.delete(id);
  disabling.delete(id);
}

/** The endpoint as Redis has it, when the copy would have its deliveries cancelled. */
export async function current(copy: EndpointCopy, id: string): Promise<WebhookEndpoint | undefined> {
  const { all, unsaved, disabling, link, keys } = copy;
  const known = all.get(id);
  if (known && (known.disabled === undefined || unsaved.has(id) || disabling.has(id))) return known;
  const text = await link.ask((redis) => redis.hget(keys.endpoints, id));
  if (text !== null && text !== copy.texts.get(id)) take(copy, text, storedIn(text));
  return all.get(id);
}

/** Takes over what other servers have changed, and what Redis has where it refused a change of ours. */
export function reload(copy: EndpointCopy): Promise<void> {
  return (copy.reloading ??= takeChanges(copy).finally(() => (copy.reloading = undefined)));
}

async function takeChanges(copy: EndpointCopy): Promise<void> {
  const { link, keys, marker, identity, emptied, unsaved, all, texts } = copy;
  const [version, mark, field] = await link.ask((redis) =>
    Promise.all([redis.get(keys.version), redis.get(marker), redis.hget(keys.endpoints, markerField)]),
  );
  if (mark !== identity || field !== identity) throw emptied();
  if (version === copy.seenVersion || unsaved.size > 0) return;
  const stored = await link.ask((redis) => redis.hgetall(keys.endpoints));
  if (unsaved.size > 0) return;
  copy.seenVersion = version;
  for (const id of all.keys()) if (!(id in stored) && texts.has(id)) leave(copy, id);
  const failures: unknown[] = [];
  const news = Object.entries(stored).filter(([id, text]) => id !== markerField && texts.get(id) !== text);
  const endpoints = news.map(([, text]) => ({ text, endpoint: storedIn(text) }));
  // In the order in which they were registered.
  for (const { text, endpoint } of endpoints.sort((a, b) => a.endpoint.key - b.endpoint.key)) {
    try {
      take(copy, text, endpoint);
    } catch (error) {
      failures.push(error); // the others are taken all the same
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** Its text lacks what is undefined, and that has to replace what was known before. */
function storedIn(text: string): StoredEndpoint {
  const stored = JSON.parse(text) as StoredEndpoint; // written by endpoints.ts alone
  return { ...stored, disabled: stored.disabled, failingSinceMs: stored.failingSinceMs };
}
