// Describes the memory of the host before the first subscriber connected and with all of them connected: what
// their connections take in the kernel, both ends, lies between the two.

import { z } from 'zod';

const bytes = z.int().min(0);

const reading = z.strictObject({
  availableBytes: bytes.describe('memory that programs may still use (MemAvailable of /proc/meminfo)'),
  slabBytes: bytes.describe(
    'objects of the kernel: sockets, files and their watchers (Slab of /proc/meminfo)',
  ),
  socketBytes: bytes.describe('buffers of TCP sockets (mem of TCP in /proc/net/sockstat)'),
});

export const hostMemory = z.strictObject({
  baseline: reading.describe('before the first subscriber'),
  connected: reading.describe('with all subscribers connected'),
  caches: z
    .array(
      z.strictObject({
        name: z.string().describe('as the kernel calls it'),
        bytes: bytes.describe('by which it grew'),
      }),
    )
    .optional()
    .describe(
      'the kernel caches that grew most, the largest first (/proc/slabinfo, which only root can read)',
    ),
});

export type HostMemory = z.infer<typeof hostMemory>;
/** One reading, with the size of each of the kernel's caches where that can be read. */
export type HostMemoryReading = z.infer<typeof reading> & { caches?: ReadonlyMap<string, number> };

/** Caches that are told of. */
const mostCaches = 8;
/** One that grew by less, as a share of all of the kernel's growth, is not worth a line. */
const leastShare = 0.01;

/** What lies between two readings; undefined where one could not be made. */
export function hostMemoryBetween(
  before: HostMemoryReading | undefined,
  after: HostMemoryReading | undefined,
): HostMemory | undefined {
  if (!before || !after) return undefined;
  const { caches: from, ...baseline } = before;
  const { caches: to, ...connected } = after;
  if (!from || !to) return { baseline, connected };
  const least = leastShare * kernelBytes({ baseline, connected });
  const caches = [...to]
    .map(([name, bytes]) => ({ name, bytes: bytes - (from.get(name) ?? 0) }))
    .filter(({ bytes: grown }) => grown > 0 && grown >= least)
    .toSorted((a, b) => b.bytes - a.bytes)
    .slice(0, mostCaches);
  return { baseline, connected, caches };
}

/** By how much the kernel's memory grew: its objects, and the buffers of sockets. */
export function kernelBytes({ baseline, connected }: Pick<HostMemory, 'baseline' | 'connected'>): number {
  return connected.slabBytes - baseline.slabBytes + connected.socketBytes - baseline.socketBytes;
}
