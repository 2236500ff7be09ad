// Takes away what a run needs, one thing at a time: space, the right to write, descriptors, memory, ports. A
// sentence and the documented exit code must come of it; what was measured before is kept, and nothing is
// left.

import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../../../core/base/errors.ts';
import { exitCodeOf } from '../../../cli/run.ts';
import type { ChildRole } from './cases.ts';
import { ledgerMisses, leftMisses, wordMisses, type Miss } from './judge.ts';
import { leftOf, startCommand, type Command, type Ended } from './command.ts';
import { childOf, startRun, storedIn } from './runs.ts';
import { storeShortages } from './store-shortages.ts';
import type { Shortage } from './shortage.ts';
import type { Space } from './space.ts';

const variants = ['sse', 'websocket'];
/** Takes a descriptor of the server for each poll. */
const connecting = ['{ polling: { every: 200ms, connection: close } }', 'sse'];
/** Takes memory of every process for each event. */
const payload = '64KiB';
const limitMs = 60_000;

export const shortages: readonly Shortage[] = [
  {
    name: 'results on a full disk (tmpfs of 2 MB)',
    needs: ['root'],
    run: (space) =>
      refused(space, () =>
        startRun(space, variants, { more: ['--results', space.mount('full', 2 * 1024 ** 2)] }),
      ),
  },
  {
    name: 'the disk with the results fills up in the first trial',
    needs: ['root'],
    run: (space) => inTrial(space, 1, fill),
  },
  {
    name: 'the disk with the results fills up in the second trial',
    needs: ['root'],
    run: (space) => inTrial(space, 2, fill),
  },
  {
    name: 'results on a read-only file system',
    needs: ['root'],
    run: (space) => refused(space, () => startRun(space, variants, { more: ['--results', readOnly(space)] })),
  },
  {
    name: 'the file system with the results becomes read-only in the first trial',
    needs: ['root'],
    run: (space) => inTrial(space, 1, (path) => space.remount(path, 'ro')),
  },
  {
    name: 'the file system with the results becomes read-only in the second trial',
    needs: ['root'],
    run: (space) => inTrial(space, 2, (path) => space.remount(path, 'ro')),
  },
  { name: 'the JUnit file on a disk that has become full', needs: ['root'], run: junitOnFullDisk },
  {
    name: 'the folder for temporary files is read-only (webhook on SQLite)',
    needs: ['root'],
    run: temporaryReadOnly,
  },
  {
    name: 'no descriptors from the start (64)',
    needs: [],
    run: (space) =>
      refused(space, () => startRun(space, variants, { before: ['prlimit', '--nofile=64:64'] })),
  },
  {
    name: 'the harness runs out of descriptors in the first trial (prlimit)',
    needs: [],
    run: (space) => limited(space, 'harness', '--nofile', openDescriptors, startRun(space, variants)),
  },
  {
    name: 'the server runs out of descriptors in the first trial (prlimit)',
    needs: [],
    run: (space) =>
      limited(space, 'server', '--nofile', (pid) => openDescriptors(pid) - 5, startRun(space, connecting)),
  },
  ...(['server', 'load', 'publisher', 'harness'] as const).map((victim): Shortage => ({
    name: `the ${victim} gets no more memory in the first trial (prlimit --data)`,
    needs: [],
    run: (space) => limited(space, victim, '--data', dataBytes, startRun(space, variants, { payload })),
  })),
  { name: 'serve: the port is taken', needs: [], run: (space) => portTaken(space, ['serve', 'sse']) },
  { name: 'open: the port is taken', needs: [], run: (space) => portTaken(space, ['open']) },
  {
    name: 'four ephemeral ports for five subscribers (a network of its own)',
    needs: ['root'],
    run: fewPorts,
  },
  ...storeShortages,
];

/** The command refuses with a sentence and exit code 3, and makes nothing. */
async function refused(space: Space, start: () => Command): Promise<Miss[]> {
  const { exit, misses, output } = await ended(space, start());
  if (exit.code !== exitCodes.failed) misses.push(exitMiss(exit, exitCodes.failed));
  if (output.trim() === '') misses.push({ aspect: 'words', text: 'it said nothing' });
  return misses;
}

/** Something becomes of the file system with the results in the middle of a trial. */
async function inTrial(space: Space, trial: 1 | 2, act: (path: string) => void): Promise<Miss[]> {
  const results = space.mount('results', 40 * 1024 ** 2);
  const run = startRun(space, variants);
  await run.saw(new RegExp(String.raw`\[${trial}/2\].*measuring`));
  act(results);
  const { exit, misses, output } = await ended(space, run);
  if (exit.code !== exitCodes.failed) misses.push(exitMiss(exit, exitCodes.failed));
  if (!/Cannot write /.test(output))
    misses.push({
      aspect: 'words',
      text: `it did not say that it cannot write: ${output.trim().split('\n').at(-1)}`,
    });
  const { stored } = await storedIn(results);
  const elsewhere = [...output.matchAll(/\/\S+\.json\b/g)].some(([path]) => existsSync(path));
  if (trial === 2 && !elsewhere && (typeof stored !== 'object' || stored.result.trials.length === 0))
    misses.push({ aspect: 'account', text: 'the first trial was measured and is kept nowhere' });
  return misses;
}

function fill(path: string): void {
  const megabyte = Buffer.alloc(1024 ** 2);
  try {
    for (let i = 0; i < 100; i++) appendFileSync(join(path, 'ballast'), megabyte);
  } catch {
    // It is full.
  }
}

function readOnly(space: Space): string {
  const path = space.mount('read-only', 40 * 1024 ** 2);
  space.remount(path, 'ro');
  return path;
}

async function junitOnFullDisk(space: Space): Promise<Miss[]> {
  const reports = space.mount('reports', 64 * 1024);
  const run = startRun(space, variants, { more: ['--junit', join(reports, 'junit.xml')] });
  await run.saw(/\[2\/2\].*measuring/);
  fill(reports);
  const { exit, misses } = await ended(space, run);
  if (exit.code !== exitCodes.failed) misses.push(exitMiss(exit, exitCodes.failed));
  const { stored } = await storedIn(join(space.folder, 'results'));
  if (typeof stored !== 'object' || stored.result.trials.length !== 2)
    misses.push({ aspect: 'account', text: 'the two trials that were measured are not kept' });
  return misses;
}

async function temporaryReadOnly(space: Space): Promise<Miss[]> {
  const run = startRun(space, ['{ webhook: { store: sqlite } }', 'sse'], {
    env: { TMPDIR: readOnly(space) },
  });
  return asTheResultSays(space, run, 'webhook store=sqlite');
}

/** @param limit of the process as it is now, after which it gets nothing more */
async function limited(
  space: Space,
  victim: 'harness' | ChildRole,
  option: '--nofile' | '--data',
  limit: (pid: number) => number,
  run: Command,
): Promise<Miss[]> {
  await run.saw(/\[1\/2\].*measuring/);
  const pid = victim === 'harness' ? run.pid : await childOf(run, victim, 1);
  if (pid === undefined) throw new Error(`there was no ${victim} process`);
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `${option}=${limit(pid)}`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
  if (victim === 'harness' && option === '--data') return diesWithReason(space, run);
  return asTheResultSays(space, run);
}

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function dataBytes(pid: number): number {
  // Every process has one.
  return Number(/^VmData:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

/**
 * The run goes to its end, and its exit code is what its result says.
 * @param failed the trial that cannot have been completed
 */
async function asTheResultSays(space: Space, run: Command, failed?: string): Promise<Miss[]> {
  const { exit, misses } = await ended(space, run);
  const { stored, unexplained } = await storedIn(join(space.folder, 'results'));
  if (unexplained.length > 0)
    misses.push({ aspect: 'account', text: `a folder without a result: ${unexplained.join(', ')}` });
  if (typeof stored !== 'object')
    return [
      ...misses,
      {
        aspect: 'account',
        text: stored ?? `no result was stored; it ended with ${exit.signal ?? exit.code}`,
      },
    ];
  const code = exitCodeOf(stored.result);
  if (exit.code !== code) misses.push(exitMiss(exit, code));
  const done = stored.result.trials.find(({ variant }) => variant.label === failed)?.outcome.status;
  if (done === 'completed') misses.push({ aspect: 'account', text: `the trial of ${failed} is not failed` });
  return [...misses, ...ledgerMisses(stored)];
}

/** A harness without memory may die of it, or get through with what it has. */
async function diesWithReason(space: Space, run: Command): Promise<Miss[]> {
  const { exit, misses } = await ended(space, run);
  const { stored } = await storedIn(join(space.folder, 'results'));
  if (typeof stored !== 'object') misses.push({ aspect: 'account', text: stored ?? 'no result was stored' });
  if (exit.signal !== null || typeof stored !== 'object')
    return misses.filter(({ aspect }) => aspect !== 'words'); // the runtime's own last words
  const code = exitCodeOf(stored.result);
  return exit.code === code ? misses : [...misses, exitMiss(exit, code)];
}

async function portTaken(space: Space, args: string[]): Promise<Miss[]> {
  const holder = createServer();
  await new Promise<void>((listening) => holder.listen(0, '127.0.0.1', listening));
  const { port } = holder.address() as AddressInfo; // of a TCP listener
  mkdirSync(join(space.folder, 'results')); // what open shows
  try {
    return await refused(space, () => startCommand(space, [...args, '--port', String(port)]));
  } finally {
    holder.close();
  }
}

async function fewPorts(space: Space): Promise<Miss[]> {
  const script =
    'ip link set lo up && echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"';
  return refused(space, () =>
    startRun(space, variants, { before: ['unshare', '--net', 'sh', '-c', script, 'sh'] }),
  );
}

async function ended(
  space: Space,
  command: Command,
): Promise<{ exit: Ended; misses: Miss[]; output: string }> {
  const exit = await Promise.race([
    command.ended,
    sleep(limitMs).then((): Ended => ({ code: null, signal: 'nothing, it still runs' })),
  ]);
  const left = await leftOf(space, new Map(), false, 3000);
  const output = command.output();
  // What could not be written where it should be may be kept there, and the user is told so.
  const files = left.files.filter((name) => !output.includes(name.replace(/^tmp\//, '')));
  return {
    exit,
    output,
    misses: [...leftMisses({ ...left, files }), ...wordMisses(output)],
  };
}

function exitMiss({ code, signal }: Ended, wanted: number): Miss {
  return {
    aspect: 'exit code',
    text: `${signal === null ? `exit code ${code}` : `ended by ${signal}`}, and it should be ${wanted}`,
  };
}
