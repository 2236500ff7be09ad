// Keeps what the servers of the kill tests must not lose: a database file, a Redis, or a queue (of SQS or in
// Kafka) with a Redis.
// Says what it has as not settled when a server is dead.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import type { DeliveryRecord } from '../../../servers/webhook/queue/records.ts';
import { markerField } from '../../../servers/webhook/redis/identify.ts';
import { noKafka, startKafka } from '../../kafka-server.ts';
import { noRedis, startRedis } from './redis/redis-server.ts';
import { startSqs } from './sqs/sqs-server.ts';

export type KillStore = 'sqlite' | 'redis' | 'sqs' | 'kafka';

const stores: Readonly<Record<KillStore, () => Keeping | Promise<Keeping>>> = {
  sqlite: onSqlite,
  redis: onRedis,
  sqs: onSqs,
  kafka: onKafka,
};

/** Why a store cannot be had on this machine; false where it can. */
export const missingFor: Readonly<Record<KillStore, string | false>> = {
  sqlite: false,
  redis: noRedis,
  sqs: noRedis,
  kafka: noKafka || noRedis,
};

export async function openKillStore(store: KillStore): Promise<Keeping> {
  return stores[store]();
}

/** Where the servers keep what they must not lose. */
export type Keeping = {
  servers: number;
  options: Record<string, unknown>;
  /** What the store has as not settled: the endpoint's path and the event's id of each. */
  unsettled(): Promise<string[]>;
  remove(): Promise<void>;
};

function onSqlite(): Keeping {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-kills-'));
  const file = join(folder, 'store.db');
  return {
    servers: 1,
    options: { store: 'sqlite', file },
    async unsettled() {
      const db = new DatabaseSync(file);
      const rows = db
        .prepare(
          'SELECT p.config, e.id FROM deliveries d JOIN events e ON e.key = d.event JOIN endpoints p ON ' +
            'p.key = d.endpoint WHERE d.state < 2',
        )
        .all() as { config: string; id: string }[];
      db.close();
      return rows.map(({ config, id }) => keyOf((JSON.parse(config) as { url: string }).url, id));
    },
    remove: async () => rmSync(folder, { recursive: true }),
  };
}

async function onRedis(): Promise<Keeping> {
  const server = await startRedis();
  const redis = new Redis(server.url);
  return {
    servers: 2,
    options: { store: 'redis', redis: server.url },
    async unsettled() {
      const byId = await endpointUrls(redis, 'pushbench:endpoints');
      // A dead server's jobs stay active for some seconds; then they wait for their turn again, or stand back
      // where their endpoint has enough under way, and have been stalled.
      const [active, waiting] = await Promise.all(
        ['active', 'wait'].map((list) => redis.lrange(`pushbench:deliveries:${list}`, 0, -1)),
      );
      const delayed = await redis.zrange('pushbench:deliveries:delayed', '0', '-1');
      const isActive = new Set(active);
      const jobs = await Promise.all(
        [...new Set([...isActive, ...waiting!, ...delayed])].map(async (id) => ({
          id,
          fields: await redis.hmget(`pushbench:deliveries:${id}`, 'data', 'stc'),
        })),
      );
      return jobs.flatMap(({ id, fields: [text, stalled] }) => {
        if (!text || (!isActive.has(id) && !stalled)) return [];
        const { endpoint, event } = JSON.parse(text) as { endpoint: string; event: string };
        return [keyOf(byId.get(endpoint)!, event)];
      });
    },
    async remove() {
      redis.disconnect();
      await server.stop();
    },
  };
}

function keyOf(url: string, event: string): string {
  return `${new URL(url).pathname} ${event}`;
}

/** The address of each endpoint, by its id. */
async function endpointUrls(redis: Redis, key: string): Promise<Map<string, string>> {
  const stored = Object.entries(await redis.hgetall(key))
    .filter(([id]) => id !== markerField)
    .map(([, text]) => JSON.parse(text) as { id: string; config: string });
  return new Map(stored.map(({ id, config }) => [id, (JSON.parse(config) as { url: string }).url]));
}

/** A delivery that is pending and has come was under way at the server that died, or is so at another. */
async function pendingRecords(redis: Redis, prefix: string): Promise<string[]> {
  const ids = await redis.zrange(`${prefix}:pending`, '0', '-1');
  if (ids.length === 0) return [];
  const [texts, byId] = await Promise.all([
    redis.mget(ids.map((id) => `${prefix}:delivery:${id}`)),
    endpointUrls(redis, `${prefix}:endpoints`),
  ]);
  return texts.flatMap((text) => {
    if (text === null) return [];
    const { endpoint, event } = JSON.parse(text) as DeliveryRecord;
    return [keyOf(byId.get(endpoint)!, event)];
  });
}

async function onSqs(): Promise<Keeping> {
  const [server, queues] = await Promise.all([startRedis(), startSqs()]);
  const redis = new Redis(server.url);
  const sqs = await queues.create('webhooks');
  return {
    servers: 3,
    // What a dead server had comes again when its visibility timeout is over, 5 s after this one.
    options: { store: 'sqs', redis: server.url, sqs, timeout: '1s' },
    unsettled: () => pendingRecords(redis, 'pushbench:sqs:000000000000/webhooks'),
    async remove() {
      redis.disconnect();
      await Promise.all([server.stop(), queues.stop()]);
    },
  };
}

async function onKafka(): Promise<Keeping> {
  const [server, cluster] = await Promise.all([startRedis(), startKafka()]);
  const redis = new Redis(server.url);
  return {
    servers: 3,
    // What a dead server had comes again when its session has ended, and is claimed up to 5 s after this.
    options: { store: 'kafka', redis: server.url, kafka: `${cluster.url}/webhooks`, timeout: '1s' },
    async unsettled() {
      // The cluster chooses its name itself.
      const [endpoints] = await redis.keys('pushbench:kafka:*:endpoints');
      return endpoints === undefined ? [] : pendingRecords(redis, endpoints.replace(/:endpoints$/, ''));
    },
    async remove() {
      redis.disconnect();
      await Promise.all([server.stop(), cluster.stop()]);
    },
  };
}
