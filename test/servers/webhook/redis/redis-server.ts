// Starts a real redis-server of the test's own, on an ephemeral port and in a folder that goes with it, and
// does to it what happens to servers. A proxy in front of it loses what a test wants lost.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why a test that needs Redis is skipped; false where there is one. */
export const noRedis =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (Debian: apt-get install redis-server)';

export type RedisServer = {
  url: string;
  port: number;
  folder: string;
  /** It does nothing any more until `thaw`; its connections stay. */
  freeze(): void;
  thaw(): void;
  /** By SIGKILL. */
  kill(): Promise<void>;
  /** On the same port and folder. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/** @param persistent keeps every write in its folder, so that it has all after a kill */
export async function startRedis({ persistent = false } = {}): Promise<RedisServer> {
  const probe = createServer();
  const port = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-redis-'));
  const keeping = persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  let child: ChildProcess;
  let gone: Promise<unknown>;

  async function start(): Promise<void> {
    const started = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...keeping],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    child = started;
    gone = new Promise((resolve) => started.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      started.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('Ready to accept connections')) resolve();
      });
      started.once('exit', () => reject(new Error('redis-server ended before it was ready')));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    folder,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    restart: start,
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export type RedisProxy = {
  url: string;
  /**
   * From the next batch of events on: `answer` lets it through and loses what Redis says, `request` keeps it
   * back. The connection is cut in both cases.
   * @returns resolves when a batch was caught, with a function that sends on what was kept back
   */
  lose(what: 'answer' | 'request'): Promise<() => Promise<void>>;
  close(): Promise<void>;
};

/** What stands in a batch of events and in nothing else. */
const isBatch = (bytes: Buffer) => bytes.includes('pushbench:batch:') && bytes.includes('pushbench:events');

export async function proxyTo(port: number): Promise<RedisProxy> {
  const sockets = new Set<Socket>();
  let losing: { what: 'answer' | 'request'; caught: (release: () => Promise<void>) => void } | undefined;
  const server = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    }
    let isLost = false;
    client.on('data', (bytes: Buffer) => {
      if (losing && isBatch(bytes)) {
        const { what, caught } = losing;
        losing = undefined;
        isLost = true;
        const sendOn = async () => {
          redis.write(bytes);
          await once(redis, 'data'); // Redis has done it
        };
        const over = what === 'answer' ? sendOn().then(() => async () => {}) : Promise.resolve(sendOn);
        void over.then((release) => {
          client.destroy();
          caught(release);
        });
        return;
      }
      if (!isLost) redis.write(bytes);
    });
    redis.on('data', (bytes) => void (isLost || client.write(bytes)));
    redis.once('close', () => client.destroy());
    client.once('close', () => void (isLost || redis.destroy()));
  });
  return {
    url: `redis://127.0.0.1:${await listening(server)}`,
    lose: (what) => new Promise((caught) => (losing = { what, caught })),
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // of a TCP listener
}
