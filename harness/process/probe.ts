// Reads what can be seen of a process from outside, from Linux's /proc: descriptors, their limit, and the
// kernel's memory for TCP sockets. Elsewhere there is nothing to read and the result says "not measured".

import { parseDescriptorLimit } from '../../core/base/descriptor-limit.ts';
import { readCgroup, readThrottling, type ThrottleCount } from './cgroup.ts';
import { readCpu, type CpuReading } from './cpu.ts';
import type { HostMemoryReading } from '../../core/result/host-memory.ts';
import { readHostMemory } from './host-memory.ts';
import { hasProc, systemFiles, type SystemFiles } from './system-files.ts';

export type DescriptorCount = { total: number; sockets: number };

function countDescriptors(files: SystemFiles, pid: number): number | undefined {
  return files.list(`/proc/${pid}/fd`)?.length;
}

function classifyDescriptors(files: SystemFiles, pid: number): DescriptorCount | undefined {
  const folder = `/proc/${pid}/fd`;
  const entries = files.list(folder);
  if (!entries) return undefined;
  const isSocket = (entry: string) => files.link(`${folder}/${entry}`)?.startsWith('socket:') ?? false;
  return { total: entries.length, sockets: entries.filter(isSocket).length };
}

/** @returns undefined when there is none, or one could not be read */
export function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  return values.length === 0 || values.includes(undefined)
    ? undefined
    : values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

/** The descriptors of several processes; undefined when there is none, or one could not be read. */
export function sumDescriptors(
  counts: readonly (DescriptorCount | undefined)[],
): DescriptorCount | undefined {
  const total = sumKnown(counts.map((count) => count?.total));
  const sockets = sumKnown(counts.map((count) => count?.sockets));
  return total === undefined || sockets === undefined ? undefined : { total, sockets };
}

const pageBytes = 4096;

function kernelSocketBytes(files: SystemFiles): number | undefined {
  const match = /^TCP: .*\bmem (\d+)/m.exec(files.read('/proc/net/sockstat') ?? '');
  return match ? Number(match[1]) * pageBytes : undefined;
}

function rssBytes(files: SystemFiles, pid: number): number | undefined {
  const pages = files.read(`/proc/${pid}/statm`)?.split(' ')[1];
  return pages === undefined ? undefined : Number(pages) * pageBytes;
}

/** What this host's network stack has sent so far: TCP segments, and bytes with the headers of TCP and IP. */
export type NetworkCount = { segments: number; bytes: number };

function networkCount(files: SystemFiles): NetworkCount | undefined {
  const segments = counterIn(files.read('/proc/net/snmp'), 'Tcp', 'OutSegs');
  const bytes = counterIn(files.read('/proc/net/netstat'), 'IpExt', 'OutOctets');
  return segments === undefined || bytes === undefined ? undefined : { segments, bytes };
}

/** A value of the kernel's tables of two lines: names, then values, each led by the table's name. */
function counterIn(text: string | undefined, table: string, name: string): number | undefined {
  const [names, values] = (text ?? '')
    .split('\n')
    .filter((line) => line.startsWith(`${table}:`))
    .map((line) => line.split(' '));
  const at = names?.indexOf(name) ?? -1;
  return at < 0 ? undefined : Number(values?.[at]);
}

/** The range of local ports that connections take theirs from. */
export function ephemeralPorts(files: Pick<SystemFiles, 'read'>): { from: number; to: number } | undefined {
  const [from, to] = (files.read('/proc/sys/net/ipv4/ip_local_port_range') ?? '')
    .trim()
    .split(/\s+/)
    .map(Number);
  return from === undefined || to === undefined ? undefined : { from, to };
}

/** How many those are; undefined where the system does not say. */
export function ephemeralPortCount(files: Pick<SystemFiles, 'read'> = systemFiles): number | undefined {
  const range = ephemeralPorts(files);
  return range && range.to - range.from + 1;
}

/**
 * What a fleet reads of its processes and of the host. A target's fleet reads a whole
 * tree of processes instead. Each returns undefined where /proc does not say, or the process is gone.
 */
export type Probe = {
  /** Whether there is a /proc at all. */
  hasProc(): boolean;
  countDescriptors(pid: number): number | undefined;
  /** Tells sockets from the rest; costs one system call a descriptor, so call it sparingly. */
  classifyDescriptors(pid: number): DescriptorCount | undefined;
  descriptorLimit(pid: number): number | undefined;
  cpu(pid: number): CpuReading | undefined;
  /** Resident memory. */
  rssBytes(pid: number): number | undefined;
  /**
   * Kernel memory of all TCP sockets of the host (its network namespace), both ends of loopback connections
   * included: the `mem` figure of /proc/net/sockstat, which counts pages of socket buffers.
   */
  kernelSocketBytes(): number | undefined;
  /** Memory of the host; reading it makes nothing that it counts. */
  hostMemory(): HostMemoryReading | undefined;
  /**
   * TCP segments and IP bytes that the host sent (/proc/net/snmp OutSegs, /proc/net/netstat OutOctets).
   * Host-wide: a difference of two readings is the trial's only where nothing else talks. Loopback counts
   * each packet once as sent.
   */
  networkCount(): NetworkCount | undefined;
  /** How often the kernel stopped these processes because of a quota; none where there is no quota. */
  throttling(): readonly ThrottleCount[];
};

/** Resident memory of several processes; pages that they share count in each. */
export function rssOf(pids: readonly number[], probe: Pick<Probe, 'rssBytes'>): number {
  return pids.reduce((sum, pid) => sum + (probe.rssBytes(pid) ?? 0), 0);
}

export function createProbe(files: SystemFiles): Probe {
  return {
    hasProc: () => hasProc(files),
    countDescriptors: (pid) => countDescriptors(files, pid),
    classifyDescriptors: (pid) => classifyDescriptors(files, pid),
    descriptorLimit: (pid) => parseDescriptorLimit(files.read(`/proc/${pid}/limits`)),
    cpu: (pid) => readCpu([pid], files),
    rssBytes: (pid) => rssBytes(files, pid),
    kernelSocketBytes: () => kernelSocketBytes(files),
    hostMemory: () => readHostMemory(files, kernelSocketBytes(files)),
    networkCount: () => networkCount(files),
    throttling: () => readThrottling(files, readCgroup(files).throttleFiles),
  };
}

export const hostProbe: Probe = createProbe(systemFiles);
