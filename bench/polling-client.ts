// CPU per request of our polling subscribers, against autocannon on the same server and URL, in turn.

import { nowUs } from '../core/clock.ts';
import { requestsOf } from '../core/counters.ts';
import type { LoadSample } from '../core/control.ts';
import { patterns, variantOf } from '../core/patterns.ts';
import { defaultLimits } from '../core/scenario.ts';
import { processes } from '../harness/fleet.ts';
import { rounds, sleep, spread, startProgram } from './tools.ts';

const subscribers = 100;
/** 100 subscribers every 20 ms: 5,000 requests a second, about what the server has room for. */
const every = '20ms';
const seconds = 8;

export async function main(): Promise<void> {
  const server = processes.server();
  const { options } = variantOf(patterns, 'polling', patterns.polling.options.parse({ every, conditional: false }));
  server.send({ kind: 'start', pattern: 'polling', options, limits: defaultLimits, seed: 1 });
  const { endpoint } = await server.next('listening', 10_000);
  const ours: number[] = [];
  const theirs: number[] = [];
  const rates: number[][] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      const { result } = startProgram(process.execPath, ['bench/peer-autocannon.mjs', `${endpoint.url}/poll?topics=news&since=none-0`, String(subscribers), String(seconds)]);
      const peer = (await result) as { cpuMicrosPerRequest: number; perSecond: number };
      theirs.push(peer.cpuMicrosPerRequest);
      rates[1]!.push(peer.perSecond);

      const load = processes.load(0);
      try {
        load.send({
          kind: 'start', pattern: 'polling', options, endpoint, first: 0, count: subscribers, subscribers, connectMs: 500, seed: 1, fanoutEvery: 1,
          topics: [{ name: 'news', count: 1, follow: 1, first: 0 }], reconnect: { base: 100, cap: 1000 },
        });
        await load.next('ready', 30_000);
        const fromUs = nowUs() + 2_000_000;
        const toUs = fromUs + seconds * 1e6;
        const samples: LoadSample[] = [];
        load.on('sample', (sample) => samples.push(sample));
        load.send({ kind: 'window', window: { warmupFromUs: fromUs - 1_000_000, fromUs, toUs, slotUs: 1_000_000 } });
        await sleep((toUs - nowUs()) / 1000 + 500);
        const first = samples.find(({ sample }) => sample.atUs >= fromUs)!;
        const last = samples.find(({ sample }) => sample.atUs >= toUs)!;
        const requests = requestsOf(last.counters) - requestsOf(first.counters);
        ours.push((last.sample.cpuUs - first.sample.cpuUs) / requests);
        rates[0]!.push(requests / seconds);
      } finally {
        await load.stop(3000);
      }
    }
  } finally {
    await server.stop(3000);
  }
  console.log(`ours:       ${spread(ours, 1)} µs CPU per request at ${spread(rates[0]!, 0)} requests/s`);
  console.log(`autocannon: ${spread(theirs, 1)} µs CPU per request at ${spread(rates[1]!, 0)} requests/s, closed loop`);
  console.log(`ratio ${spread(ours.map((value, i) => value / theirs[i]!))} (bound: 1)`);
}
