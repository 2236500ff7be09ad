// Starts a real nats-server of the test's own, with JetStream, on an ephemeral port and in a folder that goes
// with it, and does to it what happens to servers.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why a test that needs NATS is skipped; false where there is one. */
export const noNats =
  spawnSync('nats-server', ['--version']).status === 0
    ? false
    : 'nats-server is not installed (Debian: apt-get install nats-server)';

export type NatsServer = {
  url: string;
  port: number;
  /** It does nothing any more until `thaw`; its connections stay. */
  freeze(): void;
  thaw(): void;
  /** By SIGKILL. */
  kill(): Promise<void>;
  /** On the same port; with what JetStream had stored, or without. */
  restart(how?: { empty: boolean }): Promise<void>;
  stop(): Promise<void>;
};

export async function startNats(): Promise<NatsServer> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo; // of a TCP listener
  await new Promise((resolve) => probe.close(resolve));
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-nats-'));
  const store = join(folder, 'store');
  const config = join(folder, 'nats.conf');
  writeFileSync(
    config,
    `host: 127.0.0.1\nport: ${port}\nmax_payload: 16MB\njetstream { store_dir: ${JSON.stringify(store)} }\n`,
  );
  let child: ChildProcess;
  let gone: Promise<unknown>;

  async function start(): Promise<void> {
    const started = spawn('nats-server', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
    child = started;
    gone = new Promise((resolve) => started.once('exit', resolve));
    await new Promise<void>((resolve, reject) => {
      started.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('Server is ready')) resolve();
      });
      started.once('exit', () => reject(new Error('nats-server ended before it was ready')));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    child.kill('SIGCONT');
    child.kill(signal);
    await gone;
  }

  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    freeze() {
      child.kill('SIGSTOP');
      const untilMs = performance.now() + 5000;
      while (!standsStill(child.pid!) && performance.now() < untilMs);
    },
    thaw: () => void child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    async restart({ empty } = { empty: false }) {
      if (empty) rmSync(store, { recursive: true, force: true });
      await start();
    },
    async stop() {
      await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One of its threads may go on for a while after the signal. Where there is no /proc it is believed. */
function standsStill(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true;
  return readdirSync(tasks).every((task) => {
    const stat = readFileSync(`${tasks}/${task}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] === 'T';
  });
}
