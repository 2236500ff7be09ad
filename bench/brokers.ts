// Measures how many events a second four servers take and pass on to one another through each broker, and
// what that costs them: CPU of all servers per event, without subscribers. Skips a broker that is not
// installed. What a broker adds to a delivery is measured by cluster-fan-out.ts.

import { Agent, request } from 'node:http';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import type { BrokerAccess } from '../core/protocol/control.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { processes } from '../harness/trial/fleet.ts';
import { accessTo, brokerKinds, type BrokerKind } from '../test/broker-servers.ts';
import { body128, cpuUsOf, rounds, sleep, spread } from './tools.ts';

const servers = 4;
const eventsPerS = 2000;
const seconds = 10;

export async function main(): Promise<void> {
  for (const kind of Object.keys(brokerKinds) as BrokerKind[]) {
    const { absent, start } = brokerKinds[kind];
    if (absent) {
      console.log(`${kind} skipped: ${absent}`);
      continue;
    }
    const broker = await start();
    try {
      const perEvent: number[] = [];
      const confirmed: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const taken = await publishFast(accessTo(kind, broker));
        perEvent.push(taken.cpuUs);
        confirmed.push(taken.share * 100);
      }
      console.log(
        `${kind}: ${spread(perEvent)} µs CPU of ${servers} servers per event at ${eventsPerS} events/s, ` +
          `${spread(confirmed, 0)} % of them confirmed in the same time`,
      );
    } finally {
      await broker.stop();
    }
  }
}

async function startServers(broker: BrokerAccess) {
  return Promise.all(
    Array.from({ length: servers }, async (_, seed) => {
      const server = processes.server();
      const { options } = variantOf(patterns, 'sse');
      server.send({ kind: 'start', pattern: 'sse', options, limits: defaultLimits, seed, broker });
      const { endpoint } = await server.next('listening', 10_000);
      return { server, endpoint };
    }),
  );
}

/** Publishes to the servers in turn. */
async function publishFast(broker: BrokerAccess): Promise<{ cpuUs: number; share: number }> {
  const all = await startServers(broker);
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const fromMs = performance.now();
  let sent = 0;
  let confirmed = 0;
  const timer = setInterval(() => {
    // As many as are due, however late the timer is.
    const due = ((performance.now() - fromMs) * eventsPerS) / 1000;
    while (sent < due) {
      const { publishUrl } = all[sent++ % servers]!.endpoint;
      const post = request(`${publishUrl}/topics/news`, { method: 'POST', agent }, (response) => {
        if (response.statusCode === 201) confirmed++;
        response.resume();
      });
      post.on('error', () => {});
      post.end(body128);
    }
  }, 5);
  const cpuUs = () => all.reduce((sum, { server }) => sum + cpuUsOf(server.pid), 0);
  try {
    await sleep(2000);
    const before = { confirmed, sent, cpuUs: cpuUs() };
    await sleep(seconds * 1000);
    const events = confirmed - before.confirmed;
    return { cpuUs: (cpuUs() - before.cpuUs) / events, share: events / (sent - before.sent) };
  } finally {
    clearInterval(timer);
    agent.destroy();
    await Promise.all(all.map(({ server }) => server.stop(3000)));
  }
}
