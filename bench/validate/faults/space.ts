// Gives each case a folder, a folder for temporary files and a mark in the environment by which everything
// that it starts is found again, whatever its parent is by then. What a case leaves is reported and removed.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is left of a case, in words; empty lists when nothing is. */
export type Left = { processes: string[]; listeners: string[]; files: string[] };

export type Space = {
  folder: string;
  /** Its TMPDIR. */
  temporary: string;
  /** For whatever is started in it. */
  env: NodeJS.ProcessEnv;
  /** Processes that live and were started in it, by themselves or by one of its others. */
  processes(): number[];
  /** A file system in memory at a new folder of this name. */
  mount(name: string, sizeBytes: number): string;
  /** Mounts that folder again, read-only or with another size. */
  remount(path: string, options: string): void;
  /** Kills what still runs, unmounts, removes the folder. */
  remove(): Promise<void>;
};

const markName = 'PUSHBENCH_VALIDATE_FAULTS';
const open = new Set<Space>();
let spaces = 0;

// Nothing of a validation that is ended in the middle outlives it.
process.on('exit', () =>
  open.forEach((space) => {
    for (const pid of space.processes()) kill(pid);
    unmountAll(space.folder);
    rmSync(space.folder, { recursive: true, force: true });
  }),
);

export function newSpace(): Space {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-faults-'));
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  const mark = `${process.pid}-${++spaces}`;
  const space: Space = {
    folder,
    temporary,
    env: { ...process.env, TMPDIR: temporary, [markName]: mark },
    processes: () => pidsWith(`${markName}=${mark}`),
    mount(name, sizeBytes) {
      const path = join(folder, name);
      mkdirSync(path);
      command('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=755`, 'tmpfs', path]);
      return path;
    },
    remount: (path, options) => command('mount', ['-o', `remount,${options}`, path]),
    async remove() {
      for (let i = 0; i < 100 && space.processes().length > 0; i++) {
        for (const pid of space.processes()) kill(pid);
        await sleep(20);
      }
      unmountAll(folder);
      rmSync(folder, { recursive: true, force: true });
      open.delete(space);
    },
  };
  open.add(space);
  return space;
}

/** A process that was started with this in its environment. Zombies have no environment any more. */
function pidsWith(assignment: string): number[] {
  return readdirSync('/proc')
    .filter(
      (entry) =>
        /^\d+$/.test(entry) && (read(`/proc/${entry}/environ`) ?? '').split('\0').includes(assignment),
    )
    .map(Number);
}

/** `4711 node servers/process.ts (stopped)` */
export function describeProcess(pid: number): string {
  const words = (read(`/proc/${pid}/cmdline`) ?? '').split('\0').filter((word) => word !== '');
  const state = /^State:\s+(\w)/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return `${pid} ${words
    .map((word) => word.split('/').slice(-2).join('/'))
    .join(' ')
    .slice(0, 100)}${state === 'T' ? ' (stopped)' : ''}`;
}

/** Inodes of the TCP sockets on which these processes listen, with their ports. */
export function listenersOf(pids: readonly number[]): Map<string, number> {
  const held = new Set(pids.flatMap(socketsOf));
  return new Map([...allListeners()].filter(([inode]) => held.has(inode)));
}

/** Which of these sockets are still there. */
export function stillListening(before: ReadonlyMap<string, number>): string[] {
  const now = allListeners();
  return [...before].filter(([inode]) => now.has(inode)).map(([, port]) => `TCP port ${port}`);
}

function allListeners(): Map<string, number> {
  const lines = ['tcp', 'tcp6'].flatMap((name) => (read(`/proc/net/${name}`) ?? '').split('\n').slice(1));
  // Fields of a line: 1 the local address, 3 the state (0A: listening), 9 the inode.
  const fields = lines.map((line) => line.trim().split(/\s+/)).filter((one) => one[3] === '0A');
  return new Map(fields.map((one) => [one[9]!, Number.parseInt(one[1]!.split(':')[1]!, 16)]));
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // it was closed
      }
    });
  } catch {
    return []; // it is gone
  }
}

/** Children of a process, from /proc. */
export function childrenOf(pid: number): number[] {
  return (read(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter((one) => one !== '')
    .map(Number);
}

export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`) ?? '';
}

/** A zombie is none. */
export function isAlive(pid: number): boolean {
  return (read(`/proc/${pid}/cmdline`) ?? '') !== '';
}

/** Sends a signal to a process that may have gone. @returns whether it was there */
export function signalTo(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  signalTo(pid, 'SIGKILL');
}

function unmountAll(folder: string): void {
  const mounts = (read('/proc/self/mounts') ?? '')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts) spawnSync('umount', ['--lazy', path]);
}

/** @throws when the command does not do it */
function command(name: string, args: string[]): void {
  const { status, stderr } = spawnSync(name, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr.trim()}`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
