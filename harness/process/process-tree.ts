// Reads a process that is not ours, with its children, from Linux's /proc: which one it is, CPU, memory,
// descriptors. All of it is summed, since a server such as nginx is a master and its workers.

import { hostname } from 'node:os';
import { UserError } from '../../core/base/errors.ts';
import { noProcReason } from '../../core/result/machine-text.ts';
import type { TargetProcess } from '../../core/target/target.ts';
import { hasProc, systemFiles, type SystemFiles } from './system-files.ts';

/** What kind of ticks /proc/PID/stat counts CPU in: USER_HZ, which Linux fixes at 100 for programs. */
const usPerTick = 10_000;
const pageBytes = 4096;
const { read } = systemFiles;

/**
 * The process that a target file means.
 * @param readText of a file named in the target file
 * @throws UserError `target-process` when there is none, saying how it was looked for
 */
export function findProcess(
  given: TargetProcess,
  readText: (path: string) => string,
  files: Pick<SystemFiles, 'read'> = systemFiles,
): number {
  if (!hasProc(files))
    throw new UserError(
      'target-process',
      `"process" names a process to be read, and ${noProcReason}. Leave "process" out to measure without ` +
        'its CPU, memory and descriptors.',
    );
  if (given.pid !== undefined) return existing(given.pid, `process.pid names ${given.pid}`);
  if (given.pidFile !== undefined) {
    const text = readText(given.pidFile).trim();
    if (!/^\d{1,10}$/.test(text))
      throw new UserError(
        'target-process',
        `process.pidFile: ${given.pidFile} does not hold a process id: one whole number and nothing else.`,
      );
    return existing(Number(text), `process.pidFile ${given.pidFile} names ${text}`);
  }
  const port = given.port!; // one of the three is given
  const listeners = listenersOn(port);
  // Workers share their master's listening socket; the one whose parent does not is the master.
  const master = listeners.find((pid) => !listeners.includes(statOf(pid)?.parent ?? 0));
  if (master === undefined) {
    throw new UserError(
      'target-process',
      `process.port: no process of yours listens on TCP port ${port}. Is it running, under this user (or ` +
        "as root)? Another user's can be named by pid, and then gives CPU and memory but no descriptors.",
    );
  }
  return master;
}

function existing(pid: number, what: string): number {
  if (statOf(pid)) return pid;
  throw new UserError(
    'target-process',
    `${what}, and there is no such process. Is the system running? Leave "process" out to measure ` +
      'without its CPU, memory and descriptors.',
  );
}

/** The process and all below it that live now; empty when it is gone. */
export function treeOf(root: number): number[] {
  if (!statOf(root)) return [];
  const tree = [root];
  let scanned: Map<number, number[]> | undefined;
  // Grows while it is gone through.
  for (const pid of tree) tree.push(...(listedChildren(pid) ?? (scanned ??= scanChildren()).get(pid) ?? []));
  return tree;
}

/** As the kernel lists them, where it was built to (CONFIG_PROC_CHILDREN). */
function listedChildren(pid: number): number[] | undefined {
  const lists = threadsOf(pid).map((thread) => read(`/proc/${pid}/task/${thread}/children`));
  return lists.includes(undefined)
    ? undefined
    : lists.flatMap((list) =>
        list!
          .split(' ')
          .filter((one) => one !== '')
          .map(Number),
      );
}

/** By asking every process for its parent, which takes milliseconds. */
function scanChildren(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const entry of listed('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = statOf(Number(entry))?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  return children;
}

function threadsOf(pid: number): string[] {
  return listed(`/proc/${pid}/task`);
}

/** CPU since each began, and memory. */
export function useOf(pids: readonly number[]): { cpuUs: number; rssBytes: number } {
  let cpuUs = 0;
  for (const pid of pids) cpuUs += preciseCpuUs(pid) ?? statOf(pid)?.cpuUs ?? 0;
  // Pages that several processes share would count once for each, so of several each counts its own share.
  const rssBytes = pids.reduce(
    (sum, pid) => sum + ((pids.length > 1 ? proportionalBytes(pid) : undefined) ?? residentBytes(pid) ?? 0),
    0,
  );
  return { cpuUs, rssBytes };
}

function statOf(pid: number): { parent: number; cpuUs: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name stands in brackets and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  if (!fields || fields[0] === 'Z') return undefined;
  // utime, stime, and those of children that ended.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { parent: Number(fields[1]), cpuUs: ticks * usPerTick };
}

/**
 * To the nanosecond, of the threads that live; a tick of /proc/PID/stat is 10 ms, more
 * than a light trial takes.
 */
function preciseCpuUs(pid: number): number | undefined {
  const times = threadsOf(pid).map((thread) =>
    Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0]),
  );
  return times.length === 0 || times.some((ns) => !(ns > 0))
    ? undefined
    : times.reduce((sum, ns) => sum + ns, 0) / 1000;
}

function residentBytes(pid: number): number | undefined {
  const pages = read(`/proc/${pid}/statm`)?.split(' ')[1];
  return pages === undefined ? undefined : Number(pages) * pageBytes;
}

function proportionalBytes(pid: number): number | undefined {
  const kib = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Listening TCP sockets of this machine: `socket:[INODE]`, as descriptors name them, and port. */
function listeningSockets(): { socket: string; port: number }[] {
  const lines = ['tcp', 'tcp6'].flatMap((name) => (read(`/proc/net/${name}`) ?? '').split('\n').slice(1));
  return lines.flatMap((line) => {
    // st 0A: listening; field 9: the inode.
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state !== '0A') return [];
    return [
      { socket: `socket:[${inode}]`, port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16) },
    ];
  });
}

function listenersOn(port: number): number[] {
  const sockets = new Set(
    listeningSockets()
      .filter((one) => one.port === port)
      .map(({ socket }) => socket),
  );
  if (sockets.size === 0) return [];
  return listed('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => holds(pid, sockets))
    .sort((a, b) => a - b);
}

/** TCP ports on which these processes listen. */
export function portsOf(pids: readonly number[]): number[] {
  const open = listeningSockets().filter(({ socket }) => pids.some((pid) => holds(pid, new Set([socket]))));
  return [...new Set(open.map(({ port }) => port))].sort((a, b) => a - b);
}

/** A process that listens on the port and started before the process `pid` did. */
export function earlierListener(port: number, pid: number): number | undefined {
  const since = Number(startTicksOf(pid) ?? Number.NaN);
  return listenersOn(port).find((one) => Number(startTicksOf(one) ?? Number.NaN) < since);
}

function holds(pid: number, sockets: ReadonlySet<string>): boolean {
  // The descriptors of another user's process, or of an ended one, cannot be listed.
  return listed(`/proc/${pid}/fd`).some((fd) => sockets.has(link(`/proc/${pid}/fd/${fd}`)));
}

function link(path: string): string {
  return systemFiles.link(path) ?? '';
}

/** Nothing where the folder is gone, or the system has none. */
function listed(folder: string): string[] {
  return systemFiles.list(folder) ?? [];
}

/**
 * When a process started, in ticks since the machine did (field 22 of /proc/PID/stat): with it a
 * process is told from an earlier one of the same number. `undefined` when there is none, or it has
 * ended and nobody has looked yet.
 */
export function startTicksOf(pid: number): string | undefined {
  const text = read(`/proc/${pid}/stat`);
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return !fields || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

/** Host, boot and PID namespace: in another one of them the number of a process says nothing. */
export function thisPlace(): string {
  return [hostname(), read('/proc/sys/kernel/random/boot_id')?.trim() ?? '', link('/proc/self/ns/pid')].join(
    ' ',
  );
}

/** The processes in whose environment this stands (`NAME=value`), and whether each leads its group. */
export function processesWith(assignment: string): { pid: number; leads: boolean }[] {
  return listed('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      if (!read(`/proc/${entry}/environ`)?.split('\0').includes(assignment)) return [];
      const stat = read(`/proc/${entry}/stat`);
      return stat === undefined
        ? []
        : [{ pid: Number(entry), leads: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] === entry }];
    });
}
