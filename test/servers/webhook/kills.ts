// Kills a webhook server at random moments while events are published, and closes the ledger: what was confirmed must
// arrive, and what arrives twice must be an attempt whose outcome was not stored when the server died. Used by the
// test, which kills it some times, and by the benchmark, which kills it some hundred times.

import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

export type KillLedger = {
  kills: number;
  /** Events whose publication was confirmed; the endpoints that each went to. */
  confirmed: number;
  endpoints: number;
  deliveries: number;
  /** Confirmed deliveries that never came. */
  lost: number;
  /** Repetitions that came, and those that the store foretold: received, but not stored as delivered when the server was dead. */
  duplicates: number;
  foretold: number;
  /** Repetitions of deliveries that the store had as delivered: there is no excuse for them. */
  unexplained: number;
};

/**
 * @param random gives numbers in [0, 1): the moments of the kills
 * @param lifeMs a server lives for up to this long
 */
export async function killRepeatedly(kills: number, random: () => number, lifeMs: number, endpoints = 4): Promise<KillLedger> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-kills-'));
  const file = join(folder, 'store.db');
  const received = new Map<string, number>();
  /** Received before the latest kill and not stored then. */
  const excused = new Map<string, number>();
  const confirmed = new Set<string>();
  let unexplained = 0;
  let foretold = 0;
  const receiver = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume().on('end', () => {
      const key = `${request.url} ${String(request.headers['webhook-id'])}`;
      const before = received.get(key) ?? 0;
      received.set(key, before + 1);
      if (before > 0) {
        const left = excused.get(key) ?? 0;
        if (left > 0) excused.set(key, left - 1);
        else unexplained++;
      }
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo; // of a TCP listener

  /** Publishes one event after the other until it is told to stop or the server is gone. */
  async function publishTo(url: string, over: () => boolean): Promise<void> {
    while (!over()) {
      try {
        const response = await fetch(`${url}/topics/news`, { method: 'POST', body: '{"n":1}' });
        const { id } = (await response.json()) as { id: string };
        if (response.status === 201) confirmed.add(id);
      } catch {
        return; // the server is gone; what it did not confirm, nobody expects
      }
    }
  }

  /** What the dead server's database says of what was received. */
  function readExcuses(): void {
    const db = new DatabaseSync(file);
    const open = db.prepare('SELECT p.config, e.id FROM deliveries d JOIN events e ON e.key = d.event JOIN endpoints p ON p.key = d.endpoint WHERE d.state < 2').all() as { config: string; id: string }[];
    // A server may die before it has repeated what the one before it left; that is foretold once.
    const before = new Map(excused);
    excused.clear();
    for (const { config, id } of open) {
      const { url } = JSON.parse(config) as { url: string };
      const key = `${new URL(url).pathname} ${id}`;
      if (!received.has(key)) continue;
      excused.set(key, 1);
      if (before.get(key) !== 1) foretold++;
    }
    db.close();
  }

  try {
    for (let kill = 0; kill <= kills; kill++) {
      const { child, url } = await start(file);
      if (kill === 0) {
        for (let i = 0; i < endpoints; i++) {
          await fetch(`${url}/webhooks`, { method: 'POST', body: JSON.stringify({ url: `http://127.0.0.1:${port}/${i}`, events: ['news'] }) });
        }
      }
      let over = false;
      const publishers = Array.from({ length: 8 }, () => publishTo(url, () => over));
      if (kill < kills) {
        // Most lives count from the first confirmation, some end while the server has hardly begun.
        const before = confirmed.size;
        while (random() < 0.9 && confirmed.size === before) await sleep(1);
        await sleep(random() * lifeMs);
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
        await Promise.all(publishers);
        await sleep(20); // what it had sent arrives
        readExcuses();
      } else {
        await sleep(200);
        over = true;
        await Promise.all(publishers);
        const limitMs = performance.now() + 20_000;
        for (;;) {
          const { depth } = (await (await fetch(`${url}/webhooks/stats`)).json()) as { depth: number };
          if (depth === 0 || performance.now() > limitMs) break;
          await sleep(20);
        }
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.disconnect();
        await gone;
      }
    }
  } finally {
    receiver.closeAllConnections();
    receiver.close();
    rmSync(folder, { recursive: true });
  }
  let lost = 0;
  for (const id of confirmed) for (let i = 0; i < endpoints; i++) if (!received.has(`/${i} ${id}`)) lost++;
  const total = [...received.values()].reduce((sum, n) => sum + n, 0);
  return { kills, confirmed: confirmed.size, endpoints, deliveries: total, lost, duplicates: total - received.size, foretold, unexplained };
}

async function start(file: string): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(new URL('./kill-server.ts', import.meta.url), [file, JSON.stringify({ keep: 100_000_000 })], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').once('data', resolve);
    child.once('exit', () => reject(new Error('the server ended before it listened')));
  });
  return { child, url: (JSON.parse(line) as { url: string }).url };
}
