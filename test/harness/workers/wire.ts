// Stands between one end of a run and its Redis, and loses what a test wants lost.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'vitest';

export type Wire = {
  /** Of the Redis behind it. */
  url: string;
  /** From now on nothing passes, and nobody is told: as where a machine has lost its power. */
  cut(): void;
};

/** @param port of the Redis, on this machine */
export async function wireTo(t: TestContext, port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const one of [client, redis]) {
      sockets.add(one);
      one.on('error', () => {}).once('close', () => sockets.delete(one));
    }
    client.on('data', (bytes) => void (isCut || redis.write(bytes)));
    redis.on('data', (bytes) => void (isCut || client.write(bytes)));
    client.once('close', () => void (isCut || redis.destroy()));
    redis.once('close', () => void (isCut || client.destroy()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port: own } = server.address() as AddressInfo; // of a TCP listener
  return {
    url: `redis://127.0.0.1:${own}`,
    cut: () => void (isCut = true),
  };
}
