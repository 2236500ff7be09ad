// Keeps the registered endpoints in Redis, shared by every server on it. Each server has a copy to work with;
// a version number in Redis tells that another server has changed something. What a copy does not know or has
// as disabled is looked up before anything is decided by it. What Redis did not take is undone here: the copy
// becomes what Redis has.

import {
  copyOf,
  disableIn,
  endpointOf,
  removedMeanwhile,
  takeEdit,
  type RegistrationRules,
  type WebhookEndpoint,
} from '../endpoints.ts';
import type { StoredEndpoint } from '../records.ts';
import type { StoreHandlers } from '../store.ts';
import { defineChange, type StoreChange } from './endpoint-change.ts';
import { createFailureCounts, type FailureCounts } from './failure-counts.ts';
import { markerField } from './identify.ts';
import type { RedisLink } from './link.ts';
import { createWrites, type Writes } from './writes.ts';

export type RedisEndpoints = {
  /** In the order in which this server heard of them. */
  readonly all: ReadonlyMap<string, WebhookEndpoint>;
  /** @throws TooManyTopics, or what kept Redis from taking it */
  add(endpoint: WebhookEndpoint): Promise<void>;
  /** @throws what kept Redis from it: the endpoint is there as it was */
  remove(endpoint: WebhookEndpoint): Promise<void>;
  /**
   * Changes an endpoint when Redis has the change.
   * @param edit changes a copy
   * @throws TooManyTopics, RequestError 404 when it was removed meanwhile, what `edit` throws, or what kept
   *   Redis from it
   */
  change(endpoint: WebhookEndpoint, edit: (copy: WebhookEndpoint) => void): Promise<void>;
  /** Takes effect at once; Redis has it as soon as it can. */
  disable(endpoint: WebhookEndpoint, reason: string): void;
  /** Stores how many attempts in a row this server saw fail. If Redis does not take it, it is left out. */
  saveHealth(endpoint: WebhookEndpoint): void;
  /** Reads those counts as stored before this server began. */
  readHealth(): Promise<void>;
  /** Whether Redis has it: deliveries may be made for it. */
  isStored(endpoint: WebhookEndpoint): boolean;
  /** The endpoint as Redis has it, when the copy would have its deliveries cancelled. */
  current(id: string): Promise<WebhookEndpoint | undefined>;
  /** Takes over what other servers have changed, and what Redis has where it refused a change of ours. */
  reload(): Promise<void>;
  /** Resolves when every change made here is in Redis, or was refused and the copy has the state of Redis. */
  upToDate(): Promise<void>;
};

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

/** What this server knows of the endpoints in Redis. */
type Copy = RedisEndpointsOptions & {
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
  /** The version that the copy is of; '' when it has to be read again. */
  seenVersion: string | null;
  reloading: Promise<void> | undefined;
  /** Changes that clients ask for are made in turn: each begins with the result of the one before. */
  turn: Promise<unknown>;
};

export function createRedisEndpoints(options: RedisEndpointsOptions): RedisEndpoints {
  const { link, prefix, marker, identity } = options;
  const keys = {
    endpoints: `${prefix}:endpoints`,
    version: `${prefix}:endpoints-version`,
    next: `${prefix}:endpoint-key`,
  };
  const copy: Copy = {
    ...options,
    keys,
    failureCounts: createFailureCounts(link, `${prefix}:failure-counts`, options.report),
    store: defineChange(link, { marker, endpoints: keys.endpoints, version: keys.version }, identity),
    all: new Map(),
    texts: new Map(),
    entering: new Set(),
    changes: createWrites(),
    unsaved: new Map(),
    seenVersion: '',
    reloading: undefined,
    turn: Promise.resolve(),
  };
  return {
    all: copy.all,
    isStored: ({ id }) => !copy.entering.has(id),
    async upToDate() {
      await copy.changes.done().catch(() => {});
      if (copy.seenVersion === '') await reload(copy);
    },
    add: (endpoint) => add(copy, endpoint),
    remove: (endpoint) =>
      inTurn(copy, async () => {
        await write(copy, 'remove', endpoint.id, () => leave(copy, endpoint.id));
        copy.failureCounts.save(endpoint.id, undefined);
        copy.changed(endpoint, 'deleted');
      }),
    change: ({ id }, edit) => inTurn(copy, () => change(copy, id, edit)),
    disable(endpoint, reason) {
      if (endpoint.disabled !== undefined) return;
      disableIn(endpoint, reason);
      const text = JSON.stringify(endpoint.stored);
      copy.texts.set(endpoint.id, text);
      copy.changes.add(write(copy, 'change', endpoint.id, () => {}, text));
      copy.changed(endpoint, 'disabled', reason);
    },
    saveHealth: ({ id, stored }) => copy.failureCounts.save(id, stored),
    async readHealth() {
      for (const [id, health] of await copy.failureCounts.read()) {
        const endpoint = copy.all.get(id);
        if (endpoint) Object.assign(endpoint.stored, health);
      }
    },
    current: (id) => current(copy, id),
    reload: () => reload(copy),
  };
}

/**
 * @param apply changes the copy, before anything that Redis says of it is taken again
 * @param text left out to remove it
 */
async function write(
  copy: Copy,
  kind: 'add' | 'change' | 'remove',
  id: string,
  apply: () => void,
  text?: string,
): Promise<void> {
  const { unsaved, store, emptied } = copy;
  unsaved.set(id, (unsaved.get(id) ?? 0) + 1);
  try {
    const answer = await store(kind, id, text);
    if (answer === 'emptied') throw emptied();
    if (answer === 'gone') throw removedMeanwhile(id);
    apply();
  } catch (error) {
    copy.seenVersion = ''; // the next reload takes what Redis has
    throw error;
  } finally {
    const left = unsaved.get(id)! - 1;
    if (left > 0) unsaved.set(id, left);
    else unsaved.delete(id);
  }
}

function inTurn(copy: Copy, work: () => Promise<void>): Promise<void> {
  const made = copy.turn.then(work, work);
  copy.turn = made;
  copy.changes.add(made);
  return made;
}

async function add(copy: Copy, endpoint: WebhookEndpoint): Promise<void> {
  const { link, keys, all, texts, entering, follow, changed } = copy;
  const { id, stored } = endpoint;
  all.set(id, endpoint); // at once, so that it counts
  entering.add(id);
  try {
    stored.key = Number(await link.ask((redis) => redis.incr(keys.next)));
    endpoint.unsubscribe = follow(endpoint, endpoint.topics);
    const text = JSON.stringify(stored);
    await write(copy, 'add', id, () => texts.set(id, text), text);
  } catch (error) {
    leave(copy, id);
    throw error;
  } finally {
    entering.delete(id);
  }
  changed(endpoint, 'registered');
}

async function change(copy: Copy, id: string, edit: (copy: WebhookEndpoint) => void): Promise<void> {
  const { all, texts, follow, changed } = copy;
  const endpoint = all.get(id);
  if (!endpoint) throw removedMeanwhile(id);
  const edited = copyOf(endpoint);
  edit(edited);
  follow(endpoint, edited.topics)(); // whether they can be followed, before Redis is asked
  const text = JSON.stringify(edited.stored);
  const before = endpoint.disabled;
  await write(
    copy,
    'change',
    id,
    () => {
      texts.set(id, text);
      takeEdit(endpoint, edited);
      subscribe(copy, endpoint, edited.topics);
    },
    text,
  );
  const { disabled } = endpoint;
  if (before === undefined && disabled !== undefined) changed(endpoint, 'disabled', disabled);
  if (before === undefined || disabled !== undefined) return;
  copy.failureCounts.save(id, endpoint.stored);
  changed(endpoint, 'enabled');
}

function subscribe({ follow }: Copy, endpoint: WebhookEndpoint, topics: readonly string[]): void {
  const unsubscribe = follow(endpoint, topics);
  endpoint.unsubscribe();
  endpoint.unsubscribe = unsubscribe;
}

/** Takes what Redis has of the endpoint. @throws TooManyTopics: the copy is as it was */
function take(copy: Copy, text: string, stored: StoredEndpoint): void {
  const { all, texts, rules } = copy;
  const { id } = stored;
  const fresh = endpointOf(stored, rules);
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

function leave({ all, texts }: Copy, id: string): void {
  const endpoint = all.get(id);
  if (endpoint) {
    endpoint.unsubscribe();
    endpoint.disabled = 'deleted'; // what is under way for it is its last
  }
  all.delete(id);
  texts.delete(id);
}

async function current(copy: Copy, id: string): Promise<WebhookEndpoint | undefined> {
  const { all, unsaved, link, keys } = copy;
  const known = all.get(id);
  if (known && (known.disabled === undefined || unsaved.has(id))) return known;
  const text = await link.ask((redis) => redis.hget(keys.endpoints, id));
  if (text !== null && text !== copy.texts.get(id)) take(copy, text, storedIn(text));
  return all.get(id);
}

function reload(copy: Copy): Promise<void> {
  return (copy.reloading ??= takeChanges(copy).finally(() => (copy.reloading = undefined)));
}

async function takeChanges(copy: Copy): Promise<void> {
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

function storedIn(text: string): StoredEndpoint {
  return JSON.parse(text) as StoredEndpoint; // written here alone
}
