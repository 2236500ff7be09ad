// Measures CPU per request of our polling subscribers, against autocannon on the same server and URL. They
// take turns in closed loop, each as fast as it can, and at the same rate, which is how subscribers poll.

import type { Endpoint } from '../core/protocol/control.ts';
import { requestsOf } from '../core/result/counters.ts';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { processes } from '../harness/trial/fleet.ts';
import { rounds, sampleOver, spread, startProgram } from './tools.ts';

const subscribers = 100;
const seconds = 8;
const perS = 5000;

type Loop = { name: string; every: string; rate?: number };
const loops: readonly Loop[] = [
  // A poll is due before the last one is answered, so the next follows at once.
  { name: 'closed loop', every: '1ms' },
  { name: `${perS} requests/s`, every: `${(1000 * subscribers) / perS}ms`, rate: perS },
];

type Use = { cpuMicrosPerRequest: number; perSecond: number };

export async function main(): Promise<void> {
  const server = processes.server();
  const optionsOf = (every: string) =>
    variantOf(patterns, 'polling', patterns.polling.options.parse({ every, conditional: false })).options;
  server.send({
    kind: 'start',
    pattern: 'polling',
    options: optionsOf('1s'),
    limits: defaultLimits,
    seed: 1,
  });
  const { endpoint } = await server.next('listening', 10_000);
  try {
    for (const { name, every, rate } of loops) {
      const ours: Use[] = [];
      const theirs: Use[] = [];
      for (let round = 0; round < rounds; round++) {
        theirs.push(await autocannon(endpoint, rate));
        ours.push(await subscribersOf(endpoint, optionsOf(every)));
      }
      const cpu = (uses: readonly Use[]) =>
        spread(
          uses.map((use) => use.cpuMicrosPerRequest),
          1,
        );
      const reached = (uses: readonly Use[]) =>
        spread(
          uses.map((use) => use.perSecond),
          0,
        );
      console.log(
        `${name}: ours ${cpu(ours)} µs CPU per request at ${reached(ours)}/s, autocannon ${cpu(theirs)} ` +
          `µs at ${reached(theirs)}/s`,
      );
      console.log(
        '  ratio ' +
          `${spread(ours.map((use, i) => use.cpuMicrosPerRequest / theirs[i]!.cpuMicrosPerRequest))} ` +
          '(bound: 1)',
      );
    }
  } finally {
    await server.stop(3000);
  }
}

async function autocannon({ url }: Endpoint, rate: number | undefined): Promise<Use> {
  const address = `${url}/poll?topics=news&since=none-0`;
  const { result } = startProgram(process.execPath, [
    'bench/peer-autocannon.mjs',
    address,
    String(subscribers),
    String(seconds),
    ...(rate === undefined ? [] : [String(rate)]),
  ]);
  return (await result) as Use; // what peer-autocannon.mjs prints
}

async function subscribersOf(endpoint: Endpoint, options: Readonly<Record<string, unknown>>): Promise<Use> {
  const load = processes.load(0);
  try {
    load.send({
      kind: 'start',
      pattern: 'polling',
      options,
      endpoint,
      first: 0,
      count: subscribers,
      subscribers,
      connectMs: 500,
      seed: 1,
      fanoutEvery: 1,
      topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
      reconnect: { base: 100, cap: 1000 },
    });
    await load.next('ready', 30_000);
    const { first, last } = await sampleOver(load, seconds);
    const requests = requestsOf(last.counters) - requestsOf(first.counters);
    return {
      cpuMicrosPerRequest: (last.sample.cpuUs - first.sample.cpuUs) / requests,
      perSecond: (requests / (last.sample.atUs - first.sample.atUs)) * 1e6,
    };
  } finally {
    await load.stop(3000);
  }
}
