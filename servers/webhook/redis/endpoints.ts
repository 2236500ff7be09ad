// Keeps the registered endpoints in Redis, shared by every server on it. Each server has a copy to work with;
// a version number in Redis tells that another server has changed something. What a copy does not know or has
// as disabled is looked up before anything is decided by it. What Redis did not take is undone here: the copy
// becomes what Redis has.

import type { Redis } from 'ioredis';
import type { SignatureScheme } from '../../../core/signature/schemes.ts';
import { endpointOf, removedMeanwhile, type WebhookEndpoint } from '../endpoints.ts';
import { markerField } from './batch.ts';
import type { RedisLink } from './link.ts';
import { createWrites } from './writes.ts';
import type { StoredEndpoint } from '../store.ts';

type WithChange = Redis & { pushbenchChange(given: string[]): Promise<string> };

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
  /** Keeps what has happened to it, as soon as it can be. */
  save(endpoint: WebhookEndpoint): void;
  /** Whether Redis has it: deliveries may be made for it. */
  isStored(endpoint: WebhookEndpoint): boolean;
  /** The endpoint as Redis has it, when the copy would have its deliveries cancelled. */
  current(id: string): Promise<WebhookEndpoint | undefined>;
  /**
   * Takes over what other servers have changed, and what Redis has where it did not take a change of ours.
   */
  reload(): Promise<void>;
  /**
   * Resolves when what was changed here before is in Redis, or was refused and the copy is what Redis has.
   */
  upToDate(): Promise<void>;
};

export type RedisEndpointsOptions = {
  link: RedisLink;
  prefix: string;
  /** The key and the value that say which store this is. */
  marker: string;
  identity: string;
  scheme: SignatureScheme;
  subscribe: (endpoint: WebhookEndpoint) => void;
  /** @throws TooManyTopics when nobody could follow them */
  checkTopics: (topics: readonly string[]) => void;
  /** Called when the store is another one than this server began with. @returns what to throw */
  emptied: () => Error;
};

/**
 * A change and the version that tells of it, together; into no other store than the one that the server began
 * with. What another server has removed stays removed.
 */
const changeScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1]
  or redis.call('HGET', KEYS[2], '${markerField}') ~= ARGV[1] then
  return 'emptied' end
if ARGV[3] == 'change' and redis.call('HEXISTS', KEYS[2], ARGV[2]) == 0 then return 'gone' end
if ARGV[4] then redis.call('HSET', KEYS[2], ARGV[2], ARGV[4]) else redis.call('HDEL', KEYS[2], ARGV[2]) end
redis.call('INCR', KEYS[3])
return 'done'
`;

export function createRedisEndpoints(options: RedisEndpointsOptions): RedisEndpoints {
  const { link, prefix, marker, identity, scheme, subscribe, checkTopics, emptied } = options;
  const keys = {
    endpoints: `${prefix}:endpoints`,
    version: `${prefix}:endpoints-version`,
    next: `${prefix}:endpoint-key`,
  };
  const all = new Map<string, WebhookEndpoint>();
  /** What Redis has of each, as far as is known here. */
  const texts = new Map<string, string>();
  const entering = new Set<string>();
  const changes = createWrites();
  let seenVersion: string | null = '';
  /** Changes of ours on their way, by endpoint: what Redis says of it is older. */
  const unsaved = new Map<string, number>();
  let reloading: Promise<void> | undefined;
  /**
   * Changes that clients ask for are made one after the other: each begins with what the one before has left.
   */
  let turn: Promise<unknown> = Promise.resolve();

  link.redis.defineCommand('pushbenchChange', { lua: changeScript, numberOfKeys: 3 });

  /**
   * @param text left out to remove it
   * @param apply changes the copy, before anything that Redis says of it is taken again
   */
  async function write(
    kind: 'add' | 'change' | 'remove',
    id: string,
    apply: () => void,
    text?: string,
  ): Promise<void> {
    unsaved.set(id, (unsaved.get(id) ?? 0) + 1);
    try {
      const given = [
        marker,
        keys.endpoints,
        keys.version,
        identity,
        id,
        kind,
        ...(text === undefined ? [] : [text]),
      ];
      // The script above becomes a method of this name, and answers with a word.
      const answer = await link.ask((redis) => (redis as WithChange).pushbenchChange(given));
      if (answer === 'emptied') throw emptied();
      if (answer === 'gone') throw removedMeanwhile(id);
      apply();
    } catch (error) {
      seenVersion = ''; // the next reload takes what Redis has
      throw error;
    } finally {
      const left = unsaved.get(id)! - 1;
      if (left > 0) unsaved.set(id, left);
      else unsaved.delete(id);
    }
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const made = turn.then(work, work);
    turn = made;
    changes.add(made);
    return made;
  }

  function take(id: string, text: string): void {
    if (texts.get(id) === text) return;
    const before = all.get(id);
    // Written by `save` alone.
    const endpoint = endpointOf(JSON.parse(text) as StoredEndpoint, scheme, undefined);
    if (before) {
      const { delivered, givenUp, lastFailure, unsubscribe } = before;
      Object.assign(endpoint, { delivered, givenUp, lastFailure, unsubscribe });
    }
    subscribe(endpoint);
    texts.set(id, text);
    all.set(id, endpoint);
  }

  function leave(id: string): void {
    all.get(id)?.unsubscribe();
    all.delete(id);
    texts.delete(id);
  }

  async function takeChanges(): Promise<void> {
    const [version, mark, field] = await link.ask((redis) =>
      Promise.all([redis.get(keys.version), redis.get(marker), redis.hget(keys.endpoints, markerField)]),
    );
    if (mark !== identity || field !== identity) throw emptied();
    if (version === seenVersion || unsaved.size > 0) return;
    const stored = await link.ask((redis) => redis.hgetall(keys.endpoints));
    if (unsaved.size > 0) return;
    seenVersion = version;
    for (const id of all.keys()) if (!(id in stored) && texts.has(id)) leave(id);
    const failures: unknown[] = [];
    for (const [id, text] of Object.entries(stored)) {
      try {
        if (id !== markerField) take(id, text);
      } catch (error) {
        failures.push(error); // the others are taken all the same
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  function reload(): Promise<void> {
    return (reloading ??= takeChanges().finally(() => (reloading = undefined)));
  }

  return {
    all,
    isStored: ({ id }) => !entering.has(id),
    async upToDate() {
      await changes.done().catch(() => {});
      if (seenVersion === '') await reload();
    },
    async add(endpoint) {
      const { id, stored } = endpoint;
      all.set(id, endpoint); // at once, so that it counts
      entering.add(id);
      try {
        stored.key = Number(await link.ask((redis) => redis.incr(keys.next)));
        subscribe(endpoint);
        const text = JSON.stringify(stored);
        await write('add', id, () => texts.set(id, text), text);
      } catch (error) {
        leave(id);
        throw error;
      } finally {
        entering.delete(id);
      }
    },
    remove: ({ id }) =>
      inTurn(async () => {
        await write('remove', id, () => leave(id));
      }),
    change: ({ id }, edit) =>
      inTurn(async () => {
        const endpoint = all.get(id);
        if (!endpoint) throw removedMeanwhile(id);
        const copy: WebhookEndpoint = { ...endpoint, stored: { ...endpoint.stored } };
        edit(copy);
        checkTopics(copy.topics);
        const text = JSON.stringify(copy.stored);
        await write(
          'change',
          id,
          () => {
            const now = all.get(id) ?? endpoint; // another server's change may have put another in its place
            texts.set(id, text);
            Object.assign(now.stored, copy.stored);
            Object.assign(now, { topics: copy.topics, keysAt: copy.keysAt, disabled: copy.disabled });
            subscribe(now);
          },
          text,
        );
      }),
    save({ stored }) {
      const text = JSON.stringify(stored);
      texts.set(stored.id, text);
      changes.add(write('change', stored.id, () => {}, text));
    },
    async current(id) {
      const known = all.get(id);
      if (known?.disabled === undefined && known) return known;
      if (known && unsaved.has(id)) return known;
      const text = await link.ask((redis) => redis.hget(keys.endpoints, id));
      if (text !== null) take(id, text);
      return all.get(id);
    },
    reload,
  };
}
