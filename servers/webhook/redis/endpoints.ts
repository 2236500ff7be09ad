// Keeps the registered endpoints in Redis, shared by every server on it. Each server has a copy to work with
// (endpoint-copy.ts). What a copy does not know or has as disabled is looked up before anything is decided by
// it. What Redis did not take is undone here: the copy becomes what Redis has. Only that an endpoint was
// disabled stays, because it has happened: Redis is told until it has it.

import { RequestError } from '../../http/request.ts';
import { copyOf, disableIn, removedMeanwhile, takeEdit, type WebhookEndpoint } from '../endpoints.ts';
import { defineChange } from './endpoint-change.ts';
import {
  current,
  leave,
  reload,
  subscribe,
  type Disabling,
  type EndpointCopy,
  type RedisEndpointsOptions,
} from './endpoint-copy.ts';
import { createFailureCounts } from './failure-counts.ts';
import { createWrites } from './writes.ts';

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
  /** Takes effect at once, and stays; Redis has it as soon as it takes it. */
  disable(endpoint: WebhookEndpoint, reason: string): void;
  /** Stores how many attempts in a row this server saw fail. If Redis does not take it, it is left out. */
  saveHealth(endpoint: WebhookEndpoint): void;
  /** Reads those counts as stored before this server began. */
  readHealth(): Promise<void>;
  /** Whether Redis has it: deliveries may be made for it. */
  isStored(endpoint: WebhookEndpoint): boolean;
  /** The endpoint as Redis has it, when the copy would have its deliveries cancelled. */
  current(id: string): Promise<WebhookEndpoint | undefined>;
  /**
   * Takes over what other servers have changed, and what Redis has where it refused a change of ours; tells
   * Redis again which endpoints were disabled here.
   */
  reload(): Promise<void>;
  /** Resolves when every change made here is in Redis, or was refused and the copy has the state of Redis. */
  upToDate(): Promise<void>;
};

export function createRedisEndpoints(options: RedisEndpointsOptions): RedisEndpoints {
  const { link, prefix, marker, identity } = options;
  const keys = {
    endpoints: `${prefix}:endpoints`,
    version: `${prefix}:endpoints-version`,
    next: `${prefix}:endpoint-key`,
  };
  const copy: EndpointCopy = {
    ...options,
    keys,
    failureCounts: createFailureCounts(link, `${prefix}:failure-counts`, options.report),
    store: defineChange(link, { marker, endpoints: keys.endpoints, version: keys.version }, identity),
    all: new Map(),
    texts: new Map(),
    entering: new Set(),
    changes: createWrites(),
    unsaved: new Map(),
    disabling: new Map(),
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
      const disabling: Disabling = { reason, isBeingTold: false };
      copy.disabling.set(endpoint.id, disabling);
      tellDisabled(copy, endpoint.id, disabling);
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
    async reload() {
      await reload(copy);
      for (const [id, disabling] of copy.disabling) tellDisabled(copy, id, disabling);
    },
  };
}

/**
 * @param apply changes the copy, before anything that Redis says of it is taken again
 * @param text left out to remove it
 */
async function write(
  copy: EndpointCopy,
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

function inTurn(copy: EndpointCopy, work: () => Promise<void>): Promise<void> {
  const made = copy.turn.then(work, work);
  copy.turn = made;
  copy.changes.add(made);
  return made;
}

async function add(copy: EndpointCopy, endpoint: WebhookEndpoint): Promise<void> {
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

async function change(copy: EndpointCopy, id: string, edit: (copy: WebhookEndpoint) => void): Promise<void> {
  const { all, texts, disabling, follow, changed } = copy;
  const endpoint = all.get(id);
  if (!endpoint) throw removedMeanwhile(id);
  const edited = copyOf(endpoint);
  const disabledBefore = disabling.get(id);
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
      const disabledSince = disabling.get(id);
      const isSettled = disabledSince === disabledBefore || edited.disabled !== undefined;
      if (isSettled) disabling.delete(id);
      else if (disabledSince) disableIn(endpoint, disabledSince.reason); // Redis is told next
    },
    text,
  );
  const { disabled } = edited;
  if (before === undefined && disabled !== undefined) changed(endpoint, 'disabled', disabled);
  if (before === undefined || disabled !== undefined) return;
  copy.failureCounts.save(id, endpoint.stored);
  changed(endpoint, 'enabled');
}

/** Tells Redis that an endpoint was disabled here. What it does not take now, the next reload tells again. */
function tellDisabled(copy: EndpointCopy, id: string, disabling: Disabling): void {
  if (disabling.isBeingTold) return;
  disabling.isBeingTold = true;
  const telling = inTurn(copy, async () => {
    const endpoint = copy.all.get(id);
    if (!endpoint || copy.disabling.get(id) !== disabling) return; // it is gone, or changed since
    const text = JSON.stringify(endpoint.stored);
    await write(
      copy,
      'change',
      id,
      () => {
        copy.texts.set(id, text);
        copy.disabling.delete(id);
      },
      text,
    );
  });
  telling
    .catch((error: unknown) => {
      // Removed meanwhile, or the store was emptied: the next reload finds that too.
      if (!(error instanceof RequestError)) copy.report(error);
    })
    .finally(() => (disabling.isBeingTold = false));
}
