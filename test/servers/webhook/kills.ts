// Kills webhook servers at random moments while events are published, and closes the ledger: what was
// confirmed must arrive, and what arrives twice must be an attempt whose outcome was not stored when
// its server died. One server on a database file, or several that share a store (kill-stores.ts), of
// which one is killed while the others work on. Used by the test, which kills some times, and by the
// benchmark, which kills some hundred times.

import { fork, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKillStore, type KillStore } from './kill-stores.ts';

export type KillLedger = {
  kills: number;
  /** Events whose publication was confirmed; the endpoints that each went to. */
  confirmed: number;
  endpoints: number;
  deliveries: number;
  /** Confirmed deliveries that never came. */
  lost: number;
  /** Repetitions that came. */
  duplicates: number;
  /**
   * Those that the store made possible: received, but under way by what it held when a server was dead. With
   * one server, exactly these come again.
   */
  foretold: number;
  /** Repetitions of deliveries that the store had as settled: there is no excuse for them. */
  unexplained: number;
};

/** Nobody's endpoint. */
const probePath = '/probe';
/** Deliveries that publishers let wait: a group of Kafka that lost a member delivers nothing for seconds. */
const mostWaiting = 2000;
/** Where nothing has come for so long, nothing comes any more. */
const silentMs = 60_000;

type Life = { child: ChildProcess; url: string; publishers: Promise<void>[] };

/**
 * @param random gives numbers in [0, 1): the moments of the kills
 * @param lifeMs from one kill to the next it is up to this long
 */
export async function killRepeatedly(
  store: KillStore,
  kills: number,
  random: () => number,
  lifeMs: number,
  endpoints = 4,
): Promise<KillLedger> {
  const keeping = await openKillStore(store);
  const received = new Map<string, number>();
  /** Received before the latest kill and not settled then. */
  const excused = new Map<string, number>();
  const confirmed = new Set<string>();
  let unexplained = 0;
  let foretold = 0;
  let over = false;
  let latestMs = performance.now();
  const receiver = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.url === probePath) return void response.end();
    request.resume().on('end', () => {
      const key = `${request.url} ${String(request.headers['webhook-id'])}`;
      latestMs = performance.now();
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

  /**
   * Resolves when what a dead server had sent has been read: connections are accepted in the order
   * in which they came, and what stood in the sockets before is read before a request that comes
   * later is answered twice.
   */
  async function readAll(): Promise<void> {
    for (let i = 0; i < 3; i++)
      await (
        await fetch(`http://127.0.0.1:${port}${probePath}`, { headers: { connection: 'close' } })
      ).arrayBuffer();
  }

  /** Publishes one event after the other until all is over or the server is gone. */
  async function publishTo(url: string): Promise<void> {
    while (!over) {
      if (confirmed.size * endpoints - received.size > mostWaiting) {
        await sleep(20);
        continue;
      }
      try {
        const response = await fetch(`${url}/topics/news`, { method: 'POST', body: '{"n":1}' });
        const { id } = (await response.json()) as { id: string };
        if (response.status === 201) confirmed.add(id);
      } catch {
        return; // the server is gone; what it did not confirm, nobody expects
      }
    }
  }

  async function begin(): Promise<Life> {
    const { child, url } = await start(keeping.options);
    return { child, url, publishers: [] };
  }

  function publish(life: Life): void {
    life.publishers = Array.from({ length: 8 / keeping.servers }, () => publishTo(life.url));
  }

  /** What the store has under way when a server is dead. */
  async function readExcuses(): Promise<void> {
    const open = await keeping.unsettled();
    // A server may die before it has repeated what the one before it left; that is foretold once.
    const before = new Map(excused);
    excused.clear();
    for (const key of open) {
      if (!received.has(key)) continue;
      excused.set(key, 1);
      if (before.get(key) !== 1) foretold++;
    }
  }

  const lives: Life[] = [];
  try {
    for (let i = 0; i < keeping.servers; i++) lives.push(await begin());
    for (let i = 0; i < endpoints; i++) {
      await fetch(`${lives[0]!.url}/webhooks`, {
        method: 'POST',
        body: JSON.stringify({ url: `http://127.0.0.1:${port}/${i}`, events: ['news'] }),
      });
    }
    for (const { url } of lives) {
      while (
        ((await (await fetch(`${url}/webhooks`)).json()) as { webhooks: unknown[] }).webhooks.length <
        endpoints
      )
        await sleep(20);
    }
    lives.forEach(publish);
    for (let kill = 0; kill < kills; kill++) {
      const which = Math.floor(random() * lives.length);
      const { child, publishers } = lives[which]!;
      // Most lives count from the first confirmation, some end while the server has hardly begun.
      const before = confirmed.size;
      const waits = random() < 0.9;
      while (waits && confirmed.size === before) await sleep(1);
      await sleep(random() * lifeMs);
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      await Promise.all(publishers);
      await readAll();
      await readExcuses();
      lives[which] = await begin();
      publish(lives[which]);
    }
    await sleep(200);
    over = true;
    await Promise.all(lives.flatMap(({ publishers }) => publishers));
    latestMs = performance.now();
    for (;;) {
      const { depth } = (await (await fetch(`${lives[0]!.url}/webhooks/stats`)).json()) as { depth: number };
      if (depth === 0 || performance.now() > latestMs + silentMs) break;
      await sleep(20);
    }
  } finally {
    over = true;
    await Promise.all(
      lives.map(
        ({ child }) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.disconnect();
          }),
      ),
    );
    receiver.closeAllConnections();
    receiver.close();
    await keeping.remove();
  }
  let lost = 0;
  for (const id of confirmed) for (let i = 0; i < endpoints; i++) if (!received.has(`/${i} ${id}`)) lost++;
  const total = [...received.values()].reduce((sum, n) => sum + n, 0);
  return {
    kills,
    confirmed: confirmed.size,
    endpoints,
    deliveries: total,
    lost,
    duplicates: total - received.size,
    foretold,
    unexplained,
  };
}

/** A webhook server in a process of its own. */
export async function start(options: Record<string, unknown>): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(
    new URL('./kill-server.ts', import.meta.url),
    [JSON.stringify({ keep: 100_000_000, ...options })],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  );
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').once('data', resolve);
    child.once('exit', () => reject(new Error('the server ended before it listened')));
  });
  return { child, url: (JSON.parse(line) as { url: string }).url };
}
