// Reads what can be seen of a process from outside, from Linux's /proc: descriptors, their limit, and the
// kernel's memory for TCP sockets. Elsewhere there is nothing to read and the result says "not measured".

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

import { descriptorLimit } from '../../core/base/descriptor-limit.ts';
import { readCpu } from './cpu.ts';

export { descriptorLimit };

export type DescriptorCount = { total: number; sockets: number };

/** @returns undefined where /proc is not to be had or the process is gone */
export function countDescriptors(pid: number): number | undefined {
  return attempt(() => readdirSync(`/proc/${pid}/fd`).length);
}

/** Tells sockets from the rest; costs one system call a descriptor, so call it sparingly. */
export function classifyDescriptors(pid: number): DescriptorCount | undefined {
  return attempt(() => {
    const folder = `/proc/${pid}/fd`;
    const entries = readdirSync(folder);
    const isSocket = (entry: string) =>
      attempt(() => readlinkSync(`${folder}/${entry}`).startsWith('socket:')) ?? false;
    return { total: entries.length, sockets: entries.filter(isSocket).length };
  });
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

/**
 * Kernel memory of all TCP sockets of the host (its network namespace), both ends of loopback connections
 * included: the `mem` figure of /proc/net/sockstat, which counts pages of socket buffers.
 */
export function kernelSocketBytes(): number | undefined {
  return attempt(() => {
    const match = /^TCP: .*\bmem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'));
    return match ? Number(match[1]) * pageBytes : undefined;
  });
}

/** What this host's network stack has sent so far: TCP segments, and bytes with the headers of TCP and IP. */
export type NetworkCount = { segments: number; bytes: number };

/**
 * TCP segments and IP bytes that the host sent (/proc/net/snmp OutSegs, /proc/net/netstat OutOctets).
 * Host-wide: a difference of two readings is the trial's only where nothing else talks. Loopback counts
 * each packet once as sent.
 */
export function networkCount(): NetworkCount | undefined {
  return attempt(() => {
    const segments = counterIn('/proc/net/snmp', 'Tcp', 'OutSegs');
    const bytes = counterIn('/proc/net/netstat', 'IpExt', 'OutOctets');
    return segments === undefined || bytes === undefined ? undefined : { segments, bytes };
  });
}

/** A value of the kernel's tables of two lines: names, then values, each led by the table's name. */
function counterIn(file: string, table: string, name: string): number | undefined {
  const [names, values] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${table}:`))
    .map((line) => line.split(' '));
  const at = names?.indexOf(name) ?? -1;
  return at < 0 ? undefined : Number(values?.[at]);
}

/** The range of local ports that connections take theirs from. */
export function ephemeralPorts(): { from: number; to: number } | undefined {
  return attempt(() => {
    const [from, to] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
      .trim()
      .split(/\s+/)
      .map(Number);
    return from === undefined || to === undefined ? undefined : { from, to };
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/**
 * What a fleet reads of its processes and of the host. A target's fleet reads a whole
 * tree of processes instead.
 */
export const hostProbe = {
  countDescriptors,
  classifyDescriptors,
  descriptorLimit,
  cpu: (pid: number) => readCpu([pid]),
  kernelSocketBytes,
  networkCount,
};
export type Probe = typeof hostProbe;
