// Reads the memory of the host from /proc: how much is available, and how much the kernel holds in objects
// (root also sees in which). It counts for the whole host, so only a difference over a short while says
// something about a trial.

import type { HostMemoryReading } from '../../core/result/host-memory.ts';
import type { SystemFiles } from './system-files.ts';

const pageBytes = 4096;

/** @returns undefined where /proc does not say */
export function readHostMemory(
  files: Pick<SystemFiles, 'read'>,
  socketBytes: number | undefined,
): HostMemoryReading | undefined {
  const text = files.read('/proc/meminfo') ?? '';
  const bytesOf = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  };
  const [availableBytes, slabBytes] = [bytesOf('MemAvailable'), bytesOf('Slab')];
  if (availableBytes === undefined || slabBytes === undefined || socketBytes === undefined) return undefined;
  const caches = readCaches(files);
  return { availableBytes, slabBytes, socketBytes, ...(caches && { caches }) };
}

/**
 * Bytes of each cache, by slabinfo(5): slabs times pages of each.
 * @returns undefined for all but root, as a rule
 */
function readCaches(files: Pick<SystemFiles, 'read'>): ReadonlyMap<string, number> | undefined {
  const text = files.read('/proc/slabinfo');
  if (text === undefined) return undefined;
  const line = /^(\S+) +\d+ +\d+ +\d+ +\d+ +(\d+) .*: slabdata +\d+ +(\d+)/gm;
  return new Map(
    [...text.matchAll(line)].map(([, name, pages, slabs]) => [
      name!,
      Number(pages) * Number(slabs) * pageBytes,
    ]),
  );
}
