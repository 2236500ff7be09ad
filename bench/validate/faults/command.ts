// Runs pushbench as a user does, from the command line, and tells what of it still runs and which files it
// left.

import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../core/base/errors.ts';
import { describeProcess, stillListening, type Left, type Space } from './space.ts';

export type Ended = { code: number | null; signal: string | null };
export type Command = {
  child: ChildProcess;
  pid: number;
  output(): string;
  ended: Promise<Ended>;
  /** Resolves when it has printed this. */ saw(text: RegExp): Promise<void>;
};

const main = resolve('cli/main.ts');

/**
 * Runs pushbench in a space, in a process group of its own, as a terminal does.
 * @param before a program that runs it, with its arguments
 */
export function startCommand(
  space: Space,
  args: readonly string[],
  before: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Command {
  const [program, ...rest] = [...before, process.execPath, main, ...args];
  const child = spawn(program!, rest, {
    cwd: space.folder,
    env: { ...space.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  const waiting = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      waiting.forEach((look) => look());
    });
  const ended = new Promise<Ended>((done) => {
    child.once('error', (error) => {
      output += messageOf(error);
      done({ code: null, signal: null });
    });
    child.once('exit', (code, signal) => {
      // What it printed is read to its end, unless a process that it left holds the pipe.
      const finish = () => done({ code, signal });
      child.once('close', finish);
      setTimeout(finish, 300);
    });
  });
  return {
    child,
    pid: child.pid ?? 0,
    ended,
    output: () => output,
    saw: (text) =>
      new Promise((seen, failed) => {
        const look = () => void (text.test(output) && seen());
        waiting.add(look);
        look();
        void ended.then(() => failed(new Error(`it ended before it said ${text}: ${output}`)));
      }),
  };
}

/** What still runs when the time is up, in words. */
export async function remaining(space: Space, limitMs: number): Promise<string[]> {
  const until = performance.now() + limitMs;
  while (space.processes().length > 0 && performance.now() < until) await sleep(20);
  return space.processes().map(describeProcess);
}

/**
 * What is left when the time is up, or nothing as soon as nothing is. A process that has been killed closes
 * its sockets a moment after it has gone from the lists.
 * @param listeners that it had, from before
 * @param killed whether it was killed outright: it may leave what it was writing beside its result
 */
export async function leftOf(
  space: Space,
  listeners: ReadonlyMap<string, number>,
  killed: boolean,
  limitMs: number,
): Promise<Left> {
  const until = performance.now() + limitMs;
  for (;;) {
    const left: Left = {
      processes: space.processes().map(describeProcess),
      listeners: stillListening(listeners),
      files: filesLeft(space, killed),
    };
    if (Object.values(left).flat().length === 0 || performance.now() >= until) return left;
    await sleep(20);
  }
}

function filesLeft(space: Space, killed: boolean): string[] {
  const parts = killed
    ? []
    : readdirSync(space.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
        name.endsWith('.part'),
      );
  return [...readdirSync(space.temporary).map((name) => `tmp/${name}`), ...parts];
}
