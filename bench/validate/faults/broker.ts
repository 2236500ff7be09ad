// Kills and stops a Redis that a webhook server works through, at the drawn moment, while it is published
// to. Redis writes each command to disk before it answers, so that nothing it has confirmed may be lost.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerCase } from './cases.ts';
import type { Space } from './space.ts';
import {
  conclude,
  publishUntil,
  serveWebhooks,
  startReceiver,
  type Answer,
  type StoreSeen,
} from './webhook-server.ts';

const publishers = 4;
/** It is published to for so long when the broker is back. */
const afterwardsMs = 1000;

export type Broker = {
  url: string;
  child(): ChildProcess;
  /** Starts it again on the same port and data. */ restart(): Promise<void>;
  stop(): Promise<void>;
};

/** @param more settings of redis-server */
export async function startBroker(space: Space, more: readonly string[] = []): Promise<Broker> {
  const port = await freePort();
  const folder = join(space.folder, 'redis');
  mkdirSync(folder);
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
    ...more,
  ];
  const start = async () => {
    const started = spawn('redis-server', args, { env: space.env, stdio: ['ignore', 'pipe', 'ignore'] });
    await new Promise<void>((ready, failed) => {
      started.stdout
        .setEncoding('utf8')
        .on('data', (text: string) => text.includes('Ready to accept connections') && ready());
      started.once('exit', () => failed(new Error('redis-server ended before it was ready')));
    });
    return started;
  };
  let child = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    child: () => child,
    async restart() {
      child = await start();
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

export async function runBrokerCase({ act, afterMs, forMs }: BrokerCase, space: Space): Promise<StoreSeen> {
  const broker = await startBroker(space);
  const receiver = await startReceiver();
  const server = await serveWebhooks(space, ['store=redis', `redis=${broker.url}`], receiver);
  const over = new AbortController();
  const answers: Answer[] = [];
  const publishing = Array.from({ length: publishers }, (_, i) =>
    publishUntil(server.url, `publisher-${i + 1}`, over.signal, answers),
  );
  await sleep(afterMs);
  await strike(broker, act, forMs);
  await sleep(afterwardsMs);
  over.abort();
  await Promise.all(publishing);
  // The server has to end before its broker does, which is none of the server's to wait for.
  const stopped = server.command.ended.then(() => broker.stop());
  const seen = await conclude(space, server, receiver, answers);
  await stopped;
  return {
    ...seen,
    left: {
      ...seen.left,
      processes: seen.left.processes.filter((one) => !one.startsWith(`${broker.child().pid} `)),
    },
  };
}

async function strike(broker: Broker, act: BrokerCase['act'], forMs: number): Promise<void> {
  const child = broker.child();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  if (act === 'kill') {
    child.kill('SIGKILL');
    await gone;
    await sleep(forMs);
    return broker.restart();
  }
  child.kill('SIGSTOP');
  await sleep(forMs);
  if (act === 'pause') return void child.kill('SIGCONT');
  child.kill('SIGKILL');
  await gone;
  return broker.restart();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, '127.0.0.1', listening));
  const { port } = probe.address() as AddressInfo; // of a TCP listener
  await new Promise((closed) => probe.close(closed));
  return port;
}
