// Reads what a run has here, of the machine and of the container around this process: cores, memory,
// descriptors, ports, a loopback address.

import { spawnSync } from 'node:child_process';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { parseDescriptorLimit } from '../../core/base/descriptor-limit.ts';
import { readLoopback, type Loopback } from '../../core/base/loopback.ts';
import { readCgroup, type CgroupLimits } from '../process/cgroup.ts';
import { ephemeralPortCount } from '../process/probe.ts';
import { hasProc, systemFiles, type SystemFiles } from '../process/system-files.ts';

export type Machine = {
  /** That this process may run on: all, or those of its affinity and cpuset. */
  cores: number;
  /** What a quota leaves of them, where that is less. */
  quotaCores?: number;
  /** `undefined` where it cannot be read; then it is not checked. */
  freeBytes: number | undefined;
  /** Of a container, where that is less than the machine has. */
  memoryLimitBytes?: number;
  descriptorLimit: number | undefined;
  ephemeralPorts: number | undefined;
  /** 127.0.0.1 when left out; `none`: no loopback interface is up. */
  loopback?: Loopback | 'none';
  /** Left out where there is one. */
  hasProc?: false;
  /** Whether a process may be given so many descriptors; it may when left out. */
  mayHold?(descriptors: number): boolean;
};

export function thisMachine(
  files: SystemFiles = systemFiles,
  loopback: Loopback | 'none' = readLoopback(),
): Machine {
  const limits = readCgroup(files);
  const cores = coresOf(files) ?? availableParallelism();
  const { quotaCores, memory } = limits;
  const proc = hasProc(files);
  return {
    cores,
    ...(quotaCores !== undefined && quotaCores < cores && { quotaCores }),
    // Elsewhere "free" leaves out memory that caches would give back, so it does not tell what is available.
    freeBytes: proc ? freeBytes(limits) : undefined,
    ...(memory && memory.limitBytes < totalmem() && { memoryLimitBytes: memory.limitBytes }),
    descriptorLimit: parseDescriptorLimit(files.read('/proc/self/limits')),
    ephemeralPorts: ephemeralPortCount(files),
    ...(loopback !== '127.0.0.1' && { loopback }),
    ...(!proc && { hasProc: false }),
    mayHold,
  };
}

/** By trying: whether a hard limit may be raised depends on the user, the container and its host. */
function mayHold(descriptors: number): boolean {
  return spawnSync('sh', ['-c', `ulimit -n ${descriptors}`]).status === 0;
}

/** Cores that a run has: a quota counts as the cores that it is worth. */
export function usableCores({ cores, quotaCores = cores }: Pick<Machine, 'cores' | 'quotaCores'>): number {
  return Math.min(cores, quotaCores);
}

/**
 * By affinity and cpuset, of the cores that are online. What Node says has a quota in it already, rounded.
 * @returns undefined where the system does not say
 */
function coresOf(files: Pick<SystemFiles, 'read'>): number | undefined {
  return usableNumbers(files)?.length;
}

/**
 * The numbers of the cores that this process may run on.
 * @returns undefined where the system does not say
 */
export function usableNumbers(files: Pick<SystemFiles, 'read'> = systemFiles): number[] | undefined {
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(files.read('/proc/self/status') ?? '')?.[1];
  if (allowed === undefined) return undefined;
  const online = files.read('/sys/devices/system/cpu/online')?.trim();
  const inBoth = rangesOf(allowed).flatMap(([from, to]) =>
    (online === undefined ? [[from, to] as const] : rangesOf(online)).flatMap(([first, last]) => {
      const [low, high] = [Math.max(from, first), Math.min(to, last)];
      return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);
    }),
  );
  return inBoth.length > 0 ? inBoth : undefined;
}

/** `0-3,8` */
function rangesOf(list: string): (readonly [from: number, to: number])[] {
  return list.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number);
    return from <= to ? [[from, to] as const] : [];
  });
}

function freeBytes({ memory }: CgroupLimits): number {
  // Node counts caches as taken, so under a limit that we can read ourselves it is not asked.
  return Math.min(freemem(), memory?.freeBytes ?? (process.availableMemory() || Infinity));
}
