// Puts a proxy in front of something that tests connect to, and takes both down again.

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Conditions, Placement } from '../../core/network/conditions.ts';
import { createProxy, type NetworkProxy } from '../../network/proxy.ts';

export type Stand = AsyncDisposable & {
  proxy: NetworkProxy;
  port: number;
  /** Lays conditions on all or a share; returns what lifts them. */
  impose(conditions: Conditions, share?: number): () => void;
  reset(share?: number): void;
  /** A connection through the proxy, once it is open. */
  connect(): Promise<Socket>;
};

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

/** A proxy in front of `port`. */
export async function inFrontOf(port: number, steady?: Conditions): Promise<Stand> {
  const between: Placement = 'clients';
  const proxy = createProxy({
    seed: 1,
    ...(steady && { steady: { conditions: steady, between, share: 1 } }),
  });
  const [url] = await proxy.open([{ name: 'server', between, to: `http://127.0.0.1:${port}` }]);
  const own = Number(new URL(url!).port);
  return {
    proxy,
    port: own,
    impose: (conditions, share = 1) => proxy.impose({ conditions, between, share }),
    reset: (share = 1) => void proxy.impose({ conditions: {}, between, share, reset: true }),
    async connect() {
      const socket = connect({ port: own, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      return socket;
    },
    [Symbol.asyncDispose]: () => proxy.close(),
  };
}

/** A TCP server on a free port. */
export async function serve(handle: (socket: Socket) => void, options: { allowHalfOpen?: boolean } = {}) {
  const sockets = new Set<Socket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Everything that a socket gives until it ends. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Waits until something is so. */
export async function until(condition: () => boolean, what: string, limitMs = 10_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const pause = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
