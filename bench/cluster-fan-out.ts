// Measures what a broker adds to the cost of a delivery: the CPU of four servers together that a broker
// connects, against the same four servers each fed every event directly, in turn. WebSocket, 1,000
// subscribers, 20 events a second. A broker that is not installed is skipped.

import { nowUs } from '../core/base/clock.ts';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import type { BrokerAccess } from '../core/protocol/control.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { brokerVersion, createBroker } from '../harness/cluster/brokers.ts';
import { processes, type ServerPeer } from '../harness/trial/fleet.ts';
import { body128, cpuUsOf, rounds, sleep, spread, startProgram } from './tools.ts';

const servers = 4;
const subscribers = 1000;
const eventsPerS = 20;
const seconds = 15;

/** How much more of the servers' CPU a delivery may cost than without a broker. */
const bounds = { 'redis-pubsub': 1.3, 'redis-streams': 1.6, nats: undefined, jetstream: undefined } as const;
type Kind = keyof typeof bounds;

export async function main(): Promise<void> {
  const kinds = (Object.keys(bounds) as Kind[]).filter(isInstalled);
  const direct: number[] = [];
  const through = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    direct.push(await cpuPerDelivery(undefined));
    for (const kind of kinds) through.get(kind)!.push(await withBroker(kind));
  }
  for (const [kind, values] of through)
    console.log(
      `${kind}: ${spread(values)} µs CPU per delivery, without a broker ${spread(direct)} µs: ` +
        `ratio ${spread(values.map((value, i) => value / direct[i]!))} (bound: ${bounds[kind] ?? 'none'})`,
    );
}

function isInstalled(kind: Kind): boolean {
  try {
    brokerVersion({ kind, url: undefined });
    return true;
  } catch (error) {
    console.log(`skipped: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function withBroker(kind: Kind): Promise<number> {
  const broker = createBroker({ kind, url: undefined });
  try {
    await broker.start();
    return await cpuPerDelivery(broker.access);
  } finally {
    await broker.stop();
  }
}

async function cpuPerDelivery(broker: BrokerAccess | undefined): Promise<number> {
  const all = Array.from({ length: servers }, (_, i) => processes.server(i));
  try {
    const endpoints = await Promise.all(all.map((server) => listening(server, broker)));
    const stop = publish(
      endpoints.map(({ publishUrl }) => publishUrl),
      broker ? 'in turn' : 'to all',
    );
    const cpuUs = await deliver(
      all.map(({ pid }) => pid),
      endpoints.map(({ url }) => new URL(url).port),
    );
    stop();
    return cpuUs;
  } finally {
    await Promise.all(all.map((server) => server.stop(3000)));
  }
}

async function listening(server: ServerPeer, broker: BrokerAccess | undefined) {
  server.send({
    kind: 'start',
    pattern: 'websocket',
    options: variantOf(patterns, 'websocket').options,
    limits: defaultLimits,
    seed: 1,
    ...(broker && { broker }),
  });
  return (await server.next('listening', 10_000)).endpoint;
}

/** Each event goes to one server, or to each of them; with a number, as in a cluster. */
function publish(urls: readonly string[], how: 'in turn' | 'to all'): () => void {
  const fromMs = performance.now();
  let seq = 0;
  let stopped = false;
  const next = () => {
    const to = how === 'to all' ? urls : [urls[seq % urls.length]!];
    seq++;
    for (const url of to)
      post(url, seq).catch((error: unknown) => {
        if (!stopped) throw error;
      });
    timer = setTimeout(next, Math.max(0, fromMs + (seq * 1000) / eventsPerS - performance.now()));
  };
  let timer = setTimeout(next);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

async function post(url: string, seq: number): Promise<void> {
  const stamp = String(nowUs());
  const headers = {
    'pushbench-planned': stamp,
    'pushbench-sent': stamp,
    'pushbench-seq': String(seq),
    'idempotency-key': `"news-${seq}"`,
  };
  const response = await fetch(`${url}/topics/news`, { method: 'POST', body: body128, headers });
  if (!response.ok) throw new Error(`a server answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** CPU of the servers together per delivery, while sinks read an equal part of the subscribers each. */
async function deliver(pids: readonly number[], ports: readonly string[]): Promise<number> {
  const request =
    `GET ${patterns.websocket.path}?topics=news HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n` +
    'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const sinks = ports.map((port) =>
    startProgram(
      process.execPath,
      ['bench/sink.ts', port, request, '"seq":', subscribers / servers, seconds + 4].map(String),
    ),
  );
  await sleep(4000); // connected and settled
  const used = () => pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
  const from = used();
  const fromMs = performance.now();
  await sleep(seconds * 1000);
  const cpuUs = used() - from;
  const elapsedS = (performance.now() - fromMs) / 1000;
  const read = (await Promise.all(sinks.map(({ result }) => result))) as { perSecond: number }[];
  const perSecond = read.reduce((sum, one) => sum + one.perSecond, 0);
  const expected = subscribers * eventsPerS;
  if (Math.abs(perSecond / expected - 1) > 0.05)
    console.log(`  (the sinks read ${Math.round(perSecond)} events/s where ${expected} were due)`);
  return cpuUs / (perSecond * elapsedS);
}
