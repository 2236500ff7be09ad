// Compares our counts with those of tools that we did not write: autocannon counts requests, ss and /proc
// count sockets.

import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { formatNumber } from '../../core/base/units.ts';
import { processes, type ServerPeer } from '../../harness/trial/fleet.ts';
import { table, type Part } from './part.ts';

const limitMs = 15_000;

export async function withServer<T>(
  pattern: string,
  use: (server: ServerPeer, url: string) => Promise<T>,
): Promise<T> {
  const server = processes.server();
  try {
    server.send({ kind: 'start', ...variantOf(patterns, pattern), limits: defaultLimits, seed: 1 });
    const { endpoint } = await server.next('listening', limitMs);
    return await use(server, endpoint.url);
  } finally {
    await server.stop(limitMs);
  }
}

export async function sampled(server: ServerPeer) {
  server.send({ kind: 'sample' });
  return server.next('sample', limitMs);
}

/** Event streams of Node's own client, open until the function that is returned is called. */
export async function openStreams(url: string, count: number): Promise<() => void> {
  const all = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<() => void>((resolve, reject) => {
          const asked = request(`${url}/events?topics=news`, { agent: false }, (response) => {
            response.resume();
            resolve(() => asked.destroy());
          });
          asked.on('error', reject).end();
        }),
    ),
  );
  return () => all.forEach((close) => close());
}

export const counts: Part = {
  title: 'Requests and sockets, counted by others',
  async run(quick) {
    const amount = quick ? 2000 : 20_000;
    const polls = await withServer('polling', async (server, url) => {
      const done = await autocannon({ url: `${url}/poll?topics=news`, connections: 10, amount });
      const { counters } = await sampled(server);
      return { theirs: done['2xx'], ours: counters.fullPolls + counters.emptyPolls };
    });
    const streams = quick ? 50 : 500;
    const sockets = await withServer('sse', async (server, url) => {
      const { port } = new URL(url);
      const probe = processes.probe.classifyDescriptors(server.pid);
      const close = await openStreams(url, streams);
      await sleep(200);
      const ss = execFileSync('ss', ['-Htn', 'state', 'established', `sport = :${port}`], {
        encoding: 'utf8',
      })
        .split('\n')
        .filter((line) => line !== '').length;
      const held = readdirSync(`/proc/${server.pid}/fd`).filter((fd) =>
        isSocket(`/proc/${server.pid}/fd/${fd}`),
      ).length;
      const own = processes.probe.classifyDescriptors(server.pid);
      const { subscribers } = await sampled(server);
      close();
      return {
        ss,
        held,
        sockets: own?.sockets,
        added: (own?.sockets ?? Number.NaN) - (probe?.sockets ?? Number.NaN),
        subscribers,
      };
    });
    const rows = [
      [
        'polls answered',
        formatNumber(polls.ours),
        `autocannon: ${formatNumber(polls.theirs)}`,
        polls.ours === polls.theirs,
      ],
      [
        'subscribers of the server',
        formatNumber(sockets.subscribers),
        `ss, established: ${formatNumber(sockets.ss)}`,
        sockets.subscribers === sockets.ss,
      ],
      [
        'sockets that they added',
        formatNumber(sockets.added),
        `ss, established: ${formatNumber(sockets.ss)}`,
        sockets.added === sockets.ss,
      ],
      [
        'sockets that the server holds',
        formatNumber(sockets.sockets ?? Number.NaN),
        `/proc/PID/fd: ${formatNumber(sockets.held)}`,
        sockets.sockets === sockets.held,
      ],
    ] as const;
    const equal = rows.filter(([, , , same]) => same).length;
    return {
      claims: [
        {
          text: `${equal} of ${rows.length} counts are the same to the last one`,
          held: equal === rows.length,
        },
      ],
      markdown: table(
        ['what', 'we count', 'others count', 'equal'],
        rows.map(([what, ours, theirs, same]) => [what, ours, theirs, same ? 'yes' : '**no**']),
      ),
    };
  },
};

function isSocket(link: string): boolean {
  try {
    return readlinkSync(link).startsWith('socket:');
  } catch {
    return false; // closed in the meantime
  }
}
