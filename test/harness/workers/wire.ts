// Stands between one end of a run and its Redis, and loses what a test wants lost.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'vitest';

export type Wire = {
  /** Of the Redis behind it. */
  url: string;
  /**
   * Cuts the connection on which Redis says this text next, and loses what it said.
   * @returns resolves when that has happened
   */
  loseAnswer(text: string): Promise<void>;
  /** From now on nothing passes, and nobody is told: as where a machine has lost its power. */
  cut(): void;
};

/** @param port of the Redis, on this machine */
export async function wireTo(t: TestContext, port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let isCut = false;
  let losing: { text: string; lost: () => void } | undefined;
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const one of [client, redis]) {
      sockets.add(one);
      one.on('error', () => {}).once('close', () => sockets.delete(one));
    }
    client.on('data', (bytes) => void (isCut || redis.write(bytes)));
    redis.on('data', (bytes: Buffer) => {
      if (!losing || !bytes.includes(losing.text)) return void (isCut || client.write(bytes));
      client.destroy();
      losing.lost();
      losing = undefined;
    });
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
    loseAnswer: (text) => new Promise((lost) => (losing = { text, lost })),
    cut: () => void (isCut = true),
  };
}
