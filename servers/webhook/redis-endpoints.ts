// The registered endpoints, kept in Redis and shared by every server on it. Each server has a copy to work with; a
// version number in Redis tells that another server has changed something. What a copy does not know or has as
// disabled is looked up before anything is decided by it.

import type { RedisConnection } from 'bullmq';
import type { SignatureScheme } from '../../core/signature.ts';
import { endpointOf, type WebhookEndpoint } from './endpoints.ts';
import { createWrites, type Writes } from './redis-writes.ts';
import type { StoredEndpoint } from './store.ts';

export type RedisClient = Awaited<RedisConnection['client']>;

export type RedisEndpoints = {
  /** In the order in which this server heard of them. */
  readonly all: ReadonlyMap<string, WebhookEndpoint>;
  /** @throws TooManyTopics */
  add(endpoint: WebhookEndpoint): Promise<void>;
  save(endpoint: WebhookEndpoint): void;
  remove(endpoint: WebhookEndpoint): void;
  /** The endpoint as Redis has it, when the copy would have its deliveries cancelled. */
  current(id: string): Promise<WebhookEndpoint | undefined>;
  /** Takes over what other servers have changed. */
  reload(): Promise<void>;
  /** Resolves when what was changed here before is in Redis. */
  saved(): Promise<void>;
};

export type RedisEndpointsOptions = {
  client: RedisClient;
  prefix: string;
  scheme: SignatureScheme;
  subscribe: (endpoint: WebhookEndpoint) => void;
  /** Is given each change on its way to Redis. */
  writes: Writes;
};

export function createRedisEndpoints({ client, prefix, scheme, subscribe, writes }: RedisEndpointsOptions): RedisEndpoints {
  const keys = { endpoints: `${prefix}:endpoints`, version: `${prefix}:endpoints-version`, next: `${prefix}:endpoint-key` };
  const all = new Map<string, WebhookEndpoint>();
  /** What Redis has of each, as far as is known here. */
  const texts = new Map<string, string>();
  const leaving = new Set<string>();
  const changes = createWrites();
  let seenVersion: string | null = '';
  /** Changes of ours on their way: what Redis says is older. */
  let unsaved = 0;

  const increment = (key: string): Promise<unknown> => client.runCommand('incr', [key]); // the client has no name for it

  function change(made: Promise<unknown>): void {
    unsaved++;
    const whole = made.then(() => increment(keys.version)).finally(() => unsaved--);
    changes.add(whole);
    writes.add(whole);
  }

  function save({ stored }: WebhookEndpoint): void {
    const text = JSON.stringify(stored);
    texts.set(stored.id, text);
    change(client.hset(keys.endpoints, { [stored.id]: text }));
  }

  function take(id: string, text: string): void {
    if (texts.get(id) === text) return;
    texts.set(id, text);
    const before = all.get(id);
    const endpoint = endpointOf(JSON.parse(text) as StoredEndpoint, scheme, undefined); // written by `save` alone
    Object.assign(endpoint, before && { delivered: before.delivered, givenUp: before.givenUp, lastFailure: before.lastFailure, unsubscribe: before.unsubscribe });
    all.set(id, endpoint);
    subscribe(endpoint);
  }

  return {
    all,
    saved: changes.done,
    async add(endpoint) {
      all.set(endpoint.id, endpoint); // at once, so that it counts
      try {
        endpoint.stored.key = Number(await increment(keys.next));
        subscribe(endpoint);
      } catch (error) {
        all.delete(endpoint.id);
        throw error;
      }
      save(endpoint);
    },
    save,
    remove({ id, unsubscribe }) {
      unsubscribe();
      all.delete(id);
      texts.delete(id);
      leaving.add(id);
      const gone = client.hdel(keys.endpoints, id);
      change(gone.finally(() => leaving.delete(id)));
    },
    async current(id) {
      const known = all.get(id);
      if (known?.disabled === undefined && known) return known;
      if (leaving.has(id) || (known && unsaved > 0)) return known;
      const text = await client.hget(keys.endpoints, id);
      if (text !== null && !leaving.has(id)) take(id, text);
      return all.get(id);
    },
    async reload() {
      const version = await client.get(keys.version);
      if (version === seenVersion || unsaved > 0) return;
      const stored = await client.hgetall(keys.endpoints);
      if (unsaved > 0) return;
      seenVersion = version;
      for (const [id, text] of Object.entries(stored)) take(id, text);
      for (const [id, endpoint] of all) {
        if (id in stored || !texts.has(id)) continue;
        endpoint.unsubscribe();
        all.delete(id);
        texts.delete(id);
      }
    },
  };
}
