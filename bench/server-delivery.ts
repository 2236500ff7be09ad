// Measures CPU per delivery of our SSE and WebSocket servers, against nginx with nchan (Debian: nginx and
// libnginx-mod-nchan) at the same subscribers and rate, read by the same sink. Skipped where nginx is absent.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { patterns } from '../core/pattern/registry.ts';
import { variantOf } from '../core/pattern/variant.ts';
import { defaultLimits } from '../core/scenario/scenario.ts';
import { processes } from '../harness/trial/fleet.ts';
import { body128, cpuUsOf, publishSteadily, rounds, sleep, spread, startProgram } from './tools.ts';

const subscribers = 5000;
const eventsPerS = 4;
const seconds = 10;
const nchanModule = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const nchanPort = 48_123;
/** As often as our WebSocket server does it; nchan leaves it out by itself. */
const pingS = 25;

/** What both servers offer: how a subscriber asks, and what nchan calls it. */
const streams = {
  sse: {
    requestFor: (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
    nchanName: 'eventsource',
  },
  websocket: {
    requestFor: (path: string) =>
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    nchanName: 'websocket',
  },
} as const;
type StreamName = keyof typeof streams;

export async function main(): Promise<void> {
  if (!existsSync(nchanModule)) {
    console.log(
      'skipped: nginx with nchan is not installed (Debian: apt-get install nginx libnginx-mod-nchan)',
    );
    return;
  }
  for (const pattern of Object.keys(streams) as StreamName[]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      theirs.push(await nchan(pattern));
      ours.push(await own(pattern));
    }
    console.log(
      `${pattern}: ours ${spread(ours)} µs CPU per delivery, nchan ${spread(theirs)} µs: ratio ` +
        `${spread(ours.map((value, i) => value / theirs[i]!))} (bound: 1)`,
    );
  }
}

async function own(pattern: StreamName): Promise<number> {
  const server = processes.server();
  try {
    server.send({
      kind: 'start',
      pattern,
      options: variantOf(patterns, pattern).options,
      limits: defaultLimits,
      seed: 1,
    });
    const { endpoint } = await server.next('listening', 10_000);
    const stop = publishSteadily(endpoint.publishUrl, 'news', eventsPerS, body128);
    const request = streams[pattern].requestFor(`${patterns[pattern].path}?topics=news`);
    const cpu = await deliver(server.pid, new URL(endpoint.url).port, request);
    stop();
    return cpu;
  } finally {
    await server.stop(3000);
  }
}

async function nchan(pattern: StreamName): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-nchan-'));
  const { requestFor, nchanName } = streams[pattern];
  writeFileSync(
    join(folder, 'nginx.conf'),
    `load_module ${nchanModule};
user root; worker_processes 1; daemon off; pid ${folder}/pid;
error_log ${folder}/error.log warn; worker_rlimit_nofile 20000;
events { worker_connections 15000; }
http { access_log off; nchan_shared_memory_size 128M;
  server { listen 127.0.0.1:${nchanPort} backlog=4096;
    location = /topics/news { nchan_publisher; nchan_channel_id news; }
    location = /subscribe { nchan_subscriber ${nchanName}; nchan_channel_id news;
      nchan_websocket_ping_interval ${pingS}; } } }
`,
  );
  const nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')], {
    stdio: 'inherit',
  });
  const gone = new Promise((resolve) => nginx.on('close', resolve));
  try {
    await sleep(1000);
    const children = readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .map(Number);
    // What nchan sends is the event as our server would send it.
    const envelope =
      '{"id":"k3f9a1-57","topic":"news","seq":57,"planned":123456789012,"sent":123456789012,' +
      `"accepted":123456789012,"body":${body128}}`;
    const stop = publishSteadily(`http://127.0.0.1:${nchanPort}`, 'news', eventsPerS, envelope);
    const cpu = await deliver(children[0]!, String(nchanPort), requestFor('/subscribe'));
    stop();
    return cpu;
  } finally {
    nginx.kill();
    await gone;
    rmSync(folder, { recursive: true });
  }
}

/** CPU of the server per delivery while the sink reads. */
async function deliver(pid: number, port: string, request: string): Promise<number> {
  const { result } = startProgram(process.execPath, [
    'bench/sink.ts',
    port,
    request,
    '"seq":',
    String(subscribers),
    String(seconds + 4),
  ]);
  await sleep(6000); // connected and settled
  const from = cpuUsOf(pid);
  const fromMs = performance.now();
  await sleep(seconds * 1000);
  const cpuUs = cpuUsOf(pid) - from;
  const elapsedS = (performance.now() - fromMs) / 1000;
  const { perSecond } = (await result) as { perSecond: number };
  const expected = subscribers * eventsPerS;
  if (Math.abs(perSecond / expected - 1) > 0.05)
    console.log(`  (the sink read ${Math.round(perSecond)} events/s where ${expected} were published)`);
  return cpuUs / (perSecond * elapsedS);
}
