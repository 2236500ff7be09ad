// Measures what a broker costs: CPU of four servers together per delivery, against the same four servers each
// fed every event directly; the subscribers are read by the same sink. And how many events a second four
// servers take and hand on to one another. Skipped where a broker is absent.

import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import type { BrokerAccess } from '../core/protocol/control.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { processes } from '../harness/trial/fleet.ts';
import { accessTo, brokerKinds, type BrokerKind } from '../test/broker-servers.ts';
import { body128, cpuUsOf, publishSteadily, rounds, sleep, spread } from './tools.ts';

const servers = 4;
const subscribers = 1000;
const eventsPerS = 20;
const seconds = 10;
/** So much CPU a delivery may take, of what it takes without a broker. */
const bounds: Record<BrokerKind, number> = {
  'redis-pubsub': 1.3,
  'redis-streams': 1.6,
  nats: 1.3,
  jetstream: 1.6,
};
const fastPerS = 2000;

export async function main(): Promise<void> {
  for (const kind of Object.keys(brokerKinds) as BrokerKind[]) {
    const { absent, start } = brokerKinds[kind];
    if (absent) {
      console.log(`${kind} skipped: ${absent}`);
      continue;
    }
    const broker = await start();
    try {
      const direct: number[] = [];
      const connected: number[] = [];
      const fast: number[] = [];
      for (let round = 0; round < rounds; round++) {
        direct.push(await fanOut(undefined));
        connected.push(await fanOut(accessTo(kind, broker)));
        fast.push(await manyEvents(accessTo(kind, broker)));
      }
      console.log(
        `${kind}: ${spread(connected)} µs CPU per delivery, without a broker ${spread(direct)} µs: ratio ` +
          `${spread(connected.map((value, i) => value / direct[i]!))} (bound: ${bounds[kind]}); ` +
          `at ${fastPerS} events/s ${spread(fast)} µs CPU of all servers per event`,
      );
    } finally {
      await broker.stop();
    }
  }
}

async function startServers(broker: BrokerAccess | undefined) {
  return Promise.all(
    Array.from({ length: servers }, async (_, seed) => {
      const server = processes.server();
      server.send({
        kind: 'start',
        pattern: 'sse',
        options: variantOf(patterns, 'sse').options,
        limits: defaultLimits,
        seed,
        ...(broker && { broker }),
      });
      const { endpoint } = await server.next('listening', 10_000);
      return { server, endpoint };
    }),
  );
}

/** CPU of all servers over the time, in microseconds. */
async function cpuOver(pids: readonly number[], lastsS: number): Promise<number> {
  const read = () => pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
  const from = read();
  await sleep(lastsS * 1000);
  return read() - from;
}

/** CPU per delivery. Without a broker each event is published to every server. */
async function fanOut(broker: BrokerAccess | undefined): Promise<number> {
  const all = await startServers(broker);
  const each = String(subscribers / servers);
  const sinks = all.map(({ endpoint }) =>
    spawn(
      process.execPath,
      [
        'bench/sink.ts',
        new URL(endpoint.url).port,
        `GET ${patterns.sse.path}?topics=news HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
          'Accept: text/event-stream\r\n\r\n',
        '"seq":',
        each,
        '600',
      ],
      { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
    ),
  );
  try {
    await Promise.all(sinks.map((sink) => once(sink, 'message')));
    const perServer = broker ? eventsPerS / servers : eventsPerS;
    const stops = all.map(({ endpoint }) => publishSteadily(endpoint.publishUrl, 'news', perServer, body128));
    await sleep(3000);
    const cpuUs = await cpuOver(
      all.map(({ server }) => server.pid),
      seconds,
    );
    for (const stop of stops) stop();
    return cpuUs / (subscribers * eventsPerS * seconds);
  } finally {
    for (const sink of sinks) sink.kill();
    await Promise.all(all.map(({ server }) => server.stop(3000)));
  }
}

/** CPU of all servers per event, with nobody to deliver to. */
async function manyEvents(broker: BrokerAccess): Promise<number> {
  const all = await startServers(broker);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  let sent = 0;
  let confirmed = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < fastPerS / 100; i++) {
      const { publishUrl } = all[sent++ % servers]!.endpoint;
      const post = request(`${publishUrl}/topics/news`, { method: 'POST', agent }, (response) => {
        if (response.statusCode === 201) confirmed++;
        response.resume();
      });
      post.on('error', () => {});
      post.end(body128);
    }
  }, 10);
  try {
    await sleep(2000);
    const before = confirmed;
    const cpuUs = await cpuOver(
      all.map(({ server }) => server.pid),
      seconds,
    );
    const events = confirmed - before;
    if (events < fastPerS * seconds * 0.95)
      console.log(`  (${Math.round(events / seconds)} events/s were confirmed of ${fastPerS})`);
    return cpuUs / events;
  } finally {
    clearInterval(timer);
    agent.destroy();
    await Promise.all(all.map(({ server }) => server.stop(3000)));
  }
}
