// Compares our bytes with those that the kernel put on the wire: tcpdump on the loopback device, its TCP
// payload lengths added up. Where tcpdump is missing or not allowed it takes the host's TCP counters less
// their headers, and says so.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatNumber, formatShare } from '../../core/base/units.ts';
import { hostProbe } from '../../harness/process/probe.ts';
import { openStreams, sampled, withServer } from './counts.ts';
import { table, type Part } from './part.ts';

/** IPv4 and TCP with timestamps, which Linux uses on loopback. */
const headerBytes = 52;
const streams = 20;

type Capture = { stop(): Promise<number> };

/** @returns undefined where packets cannot be captured */
async function capture(port: string): Promise<Capture | undefined> {
  const child = spawn('tcpdump', ['-i', 'lo', '-nn', '-q', '-l', '-B', '65536', `tcp port ${port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [bytes, rest, said] = [0, '', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) bytes += Number(/ tcp (\d+)$/.exec(line)?.[1] ?? 0);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const closed = once(child, 'close').catch(() => {});
  child.on('error', () => {});
  for (let i = 0; i < 40 && child.exitCode === null && !said.includes('listening on'); i++) await sleep(50);
  if (!said.includes('listening on')) {
    child.kill();
    return undefined;
  }
  return {
    async stop() {
      await sleep(1500); // the kernel hands captured packets over in blocks
      child.kill('SIGINT');
      await closed;
      if (!said.includes('0 packets dropped by kernel')) throw new Error(`tcpdump lost packets: ${said}`);
      return bytes;
    },
  };
}

export const bytes: Part = {
  title: 'Bytes, counted on the wire',
  async run(quick) {
    const events = quick ? 100 : 500;
    const seen = await withServer('sse', async (server, url) => {
      const dump = await capture(new URL(url).port);
      const [before, hostBefore] = [(await sampled(server)).counters, hostProbe.networkCount()];
      const close = await openStreams(url, streams);
      const agent = { method: 'POST', body: JSON.stringify({ text: 'x'.repeat(500) }) };
      let published = 0;
      for (let i = 0; i < events; i++) {
        const { status } = await fetch(`${url}/topics/news`, agent);
        if (status === 201) published++;
      }
      await sleep(300);
      const [after, hostAfter] = [(await sampled(server)).counters, hostProbe.networkCount()];
      const payload = await dump?.stop();
      close();
      const host =
        hostBefore && hostAfter
          ? hostAfter.bytes - hostBefore.bytes - headerBytes * (hostAfter.segments - hostBefore.segments)
          : undefined;
      return {
        payload,
        host,
        ours: after.bytesIn + after.bytesOut - before.bytesIn - before.bytesOut,
        delivered: after.events,
        published,
      };
    });
    // The publisher's connections are on the same port and in nobody's count: what they
    // carry is measured by itself.
    const publishing = await publishedBytes(events);
    const [source, wire] =
      seen.payload === undefined
        ? ['host counters less headers (no packet capture here)', seen.host]
        : ['tcpdump', seen.payload];
    const publishOf = seen.payload === undefined ? publishing.host : publishing.payload;
    const subscribers = wire === undefined || publishOf === undefined ? Number.NaN : wire - publishOf;
    const off = (subscribers - seen.ours) / seen.ours;
    const bound = seen.payload === undefined ? 0.05 : 0.005;
    return {
      claims: [
        {
          text:
            `the bytes of ${streams} subscribers differ by ${formatShare(Number(off.toPrecision(2)))} ` +
            `between our counters and ${source} (within ${formatShare(bound)})`,
          held: Math.abs(off) <= bound,
        },
        {
          text:
            `${formatNumber(seen.delivered)} deliveries of ${formatNumber(seen.published)} events to ` +
            `${streams} subscribers`,
          held: seen.delivered === seen.published * streams,
        },
      ],
      markdown: table(
        ['what', 'bytes'],
        [
          [`on the wire, ${source}, publishing included`, formatNumber(wire ?? Number.NaN)],
          ['publishing alone, on a server without subscribers', formatNumber(publishOf ?? Number.NaN)],
          ['so the subscribers', formatNumber(subscribers)],
          ['our counters, both ways', formatNumber(seen.ours)],
        ],
      ),
    };
  },
};

async function publishedBytes(
  events: number,
): Promise<{ payload: number | undefined; host: number | undefined }> {
  return withServer('sse', async (_server, url) => {
    const dump = await capture(new URL(url).port);
    const before = hostProbe.networkCount();
    for (let i = 0; i < events; i++)
      await fetch(`${url}/topics/news`, { method: 'POST', body: JSON.stringify({ text: 'x'.repeat(500) }) });
    await sleep(300);
    const after = hostProbe.networkCount();
    return {
      payload: await dump?.stop(),
      host:
        before && after
          ? after.bytes - before.bytes - headerBytes * (after.segments - before.segments)
          : undefined,
    };
  });
}
