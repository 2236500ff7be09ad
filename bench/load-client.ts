// Measures CPU per delivered event of our load process, against readers that do less. 5,000 subscribers get
// 20,000 deliveries a second from our own server; all readers take the same stream, in turn.
//
// The readers that do less are the `ws` client and a program that only counts, which PUSHBENCH_READER names:
// its arguments are PORT REQUEST_FILE NEEDLE CONNECTIONS SECONDS, and it prints {"cpuMicrosPerEvent": ...}.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../core/base/median.ts';
import type { Endpoint } from '../core/protocol/control.ts';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { processes } from '../harness/trial/fleet.ts';
import { body128, publishSteadily, rounds, sampleOver, spread, startProgram } from './tools.ts';

const subscribers = 5000;
const eventsPerS = 4;
const seconds = 8;

/** What a reader sends, and a client of others that reads the same, where there is one. */
const readers = {
  sse: {
    request: 'GET /events?topics=news HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n',
    peer: undefined,
  },
  websocket: {
    request:
      'GET /ws?topics=news HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    peer: 'bench/peer-ws.ts',
  },
} as const;

export async function main(): Promise<void> {
  const reader = process.env['PUSHBENCH_READER'];
  if (!reader) console.log('(PUSHBENCH_READER names no reader program: the ratio to it is not measured)');
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-bench-'));
  try {
    for (const pattern of Object.keys(readers) as (keyof typeof readers)[])
      await measure(pattern, reader, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function measure(
  pattern: keyof typeof readers,
  reader: string | undefined,
  folder: string,
): Promise<void> {
  const server = processes.server();
  const { options } = variantOf(patterns, pattern);
  server.send({ kind: 'start', pattern, options, limits: defaultLimits, seed: 1 });
  const { endpoint } = await server.next('listening', 10_000);
  const stop = publishSteadily(endpoint.publishUrl, 'news', eventsPerS, body128);
  const port = new URL(endpoint.url).port;
  const request = join(folder, pattern);
  writeFileSync(request, readers[pattern].request);
  const ours: number[] = [];
  const theirs: number[] = [];
  const ws: number[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      if (reader) {
        const { result } = startProgram(reader, [
          port,
          request,
          '"seq":',
          String(subscribers),
          String(seconds),
        ]);
        theirs.push(((await result) as { cpuMicrosPerEvent: number }).cpuMicrosPerEvent);
      }
      ours.push(await ourLoad(pattern, options, endpoint));
      const { peer } = readers[pattern];
      if (peer !== undefined) {
        const { result } = startProgram(process.execPath, [
          peer,
          `${endpoint.url.replace('http', 'ws')}/ws?topics=news`,
          String(subscribers),
          String(seconds),
        ]);
        ws.push(((await result) as { cpuMicrosPerEvent: number }).cpuMicrosPerEvent);
      }
    }
  } finally {
    stop();
    await server.stop(3000);
  }
  console.log(`${pattern}: ${spread(ours)} µs CPU per delivered event`);
  if (theirs.length > 0) {
    console.log(
      `  ${spread(theirs)} µs for the reader that only counts: ratio ` +
        `${spread(ours.map((value, i) => value / theirs[i]!))} (bound: 1.6)`,
    );
  }
  if (ws.length > 0)
    console.log(`  ${spread(ws)} µs for the ws client: ratio ${(median(ours) / median(ws)).toFixed(2)}`);
}

async function ourLoad(
  pattern: string,
  options: Readonly<Record<string, unknown>>,
  endpoint: Endpoint,
): Promise<number> {
  const load = processes.load(0);
  try {
    load.send({
      kind: 'start',
      pattern,
      options,
      endpoint,
      first: 0,
      count: subscribers,
      subscribers,
      connectMs: 3000,
      seed: 1,
      fanoutEvery: 1,
      topics: [{ name: 'news', count: 1, follow: 1, first: 0 }],
      reconnect: { base: 100, cap: 1000 },
    });
    await load.next('ready', 30_000);
    const { first, last } = await sampleOver(load, seconds);
    return (last.sample.cpuUs - first.sample.cpuUs) / (last.counters.events - first.counters.events);
  } finally {
    await load.stop(3000);
  }
}
