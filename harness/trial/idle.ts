// Reads what a server's process costs while nothing is published: its timers, its open connections, and what
// the harness asks of it. A cost a delivery is what comes on top.

import { cpuBetween, type CpuReading } from '../process/cpu.ts';
import type { ServerPeer } from './fleet.ts';
import { replyLimitMs, type Stage } from './stage.ts';

/** After the collection of garbage, which other threads end. */
const settleUs = 50_000;
/** A turn of the servers' shared timers (core/policy/server/turns.ts) is in it. */
const idleUs = 500_000;

type Read = { atUs: number; reading: CpuReading | undefined };

/**
 * Waits for half a second and reads.
 * @param samplesPerS how often a server is sampled in the measured phase
 * @returns of each server the share of a core that it used; undefined where it cannot be read
 */
export async function idleShares(
  stage: Pick<Stage, 'plan' | 'fleet' | 'peers' | 'over'>,
  samplesPerS: number,
): Promise<(number | undefined)[]> {
  const {
    fleet: { clock, probe },
    peers: { servers },
    over,
  } = stage;
  const readAll = () =>
    servers.map(({ pid, running }): Read => ({
      atUs: clock.nowUs(),
      reading: running ? probe.cpu(pid) : undefined,
    }));
  await clock.until(clock.nowUs() + settleUs, over);
  const from = readAll();
  if (from.every(({ reading }) => reading === undefined)) return servers.map(() => undefined);
  await clock.until(clock.nowUs() + idleUs, over);
  const to = readAll();
  await Promise.all(servers.map((server) => sampled(server, replyLimitMs(stage))));
  const after = readAll();
  return servers.map(({ running }, i) => {
    if (!running) return 0; // a fault starts it later
    const idle = ranUs(from[i]!, to[i]!);
    const sample = ranUs(to[i]!, after[i]!);
    if (idle === undefined || sample === undefined) return undefined;
    const share = idle / (to[i]!.atUs - from[i]!.atUs);
    const own = share * (after[i]!.atUs - to[i]!.atUs);
    return share + (Math.max(0, sample - own) * samplesPerS) / 1e6;
  });
}

async function sampled(server: ServerPeer, limitMs: number): Promise<void> {
  server.send({ kind: 'sample' });
  await server.next('sample', limitMs);
}

function ranUs(from: Read, to: Read): number | undefined {
  return from.reading && to.reading ? cpuBetween([from.reading, to.reading]).ranUs : undefined;
}
