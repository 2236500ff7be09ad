// Starts the real broker that a kind of broker needs, and says what each kind promises, for the tests of
// servers that brokers connect.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { BrokerAccess } from '../core/protocol/control.ts';
import { noKafka, startKafka } from './kafka-server.ts';
import { noNats, startNats } from './nats-server.ts';
import { noRedis, startRedis } from './servers/webhook/redis/redis-server.ts';

export type BrokerKind = BrokerAccess['kind'];

export type BrokerServer = {
  url: string;
  port: number;
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  restart(how?: { empty: boolean }): Promise<void>;
  stop(): Promise<void>;
};

type Promised = {
  /** Why its tests are skipped; false where it is installed. */
  absent: string | false;
  start(): Promise<BrokerServer>;
  /** One order of all events, and cursors that mean the same on every server. */
  order: boolean;
  /** Fetches what was missed, and gives a server that starts what came before. */
  keeps: boolean;
  /** Takes an event once that comes twice under one key. */
  dedupes: boolean;
  /** It can be started again, and one address leads to all of it, so that the way there can be cut. */
  comesBack: boolean;
};

/** With every write on disk, so that it has all after a kill. */
async function startKeepingRedis(): Promise<BrokerServer> {
  const redis = await startRedis({ persistent: true });
  return {
    ...redis,
    async restart({ empty } = { empty: false }) {
      if (empty) rmSync(join(redis.folder, 'appendonlydir'), { recursive: true, force: true });
      await redis.restart();
    },
  };
}

export const brokerKinds: Readonly<Record<BrokerKind, Promised>> = {
  'redis-pubsub': {
    absent: noRedis,
    start: startKeepingRedis,
    order: true,
    keeps: false,
    dedupes: true,
    comesBack: true,
  },
  'redis-streams': {
    absent: noRedis,
    start: startKeepingRedis,
    order: true,
    keeps: true,
    dedupes: true,
    comesBack: true,
  },
  nats: { absent: noNats, start: startNats, order: false, keeps: false, dedupes: false, comesBack: true },
  jetstream: { absent: noNats, start: startNats, order: true, keeps: true, dedupes: true, comesBack: true },
  kafka: { absent: noKafka, start: startKafka, order: true, keeps: true, dedupes: true, comesBack: false },
};

/** What one trial would be given. */
export function accessTo(kind: BrokerKind, { url }: Pick<BrokerServer, 'url'>): BrokerAccess {
  const name = `pushbench-${randomUUID().slice(0, 8)}`;
  return { kind, url, name, ...(kind === 'kafka' && { emulated: true }) };
}

export type Cable = {
  url: string;
  /** Cuts what goes through and lets nobody in until `mend`. */
  cut(): void;
  /** @param to another port than before, where it leads elsewhere now */
  mend(to?: number): void;
  close(): Promise<void>;
};

/** A way to a broker, or to a server, that can be cut. */
export async function cableTo({ url, port }: Pick<BrokerServer, 'url' | 'port'>): Promise<Cable> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let target = port;
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const broker = connect(target, '127.0.0.1');
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .once('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port; // of a TCP listener
  const cutAll = (): void => sockets.forEach((socket) => void socket.destroy());
  return {
    url: url.replace(`:${port}`, `:${own}`),
    cut() {
      isCut = true;
      cutAll();
    },
    mend(to = target) {
      target = to;
      isCut = false;
    },
    async close() {
      cutAll();
      server.close();
    },
  };
}
