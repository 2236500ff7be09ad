// What the tests of the command line share: running it as a user does, in a folder of its own.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { vi, type TestContext } from 'vitest';
import { exitsOf, exitTable } from '../../cli/exit-table.ts';
import { reportFailure } from '../../cli/failure.ts';
import { createProgram } from '../../cli/program.ts';
import { exitCodeOf } from '../../cli/run.ts';
import { resultSchema, type Result } from '../../core/result/result.ts';

export type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string };
export type Running = {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when standard error or output has shown this. */ saw(text: RegExp): Promise<void>;
};

const main = resolve('cli/main.ts');
/** The command line on scripted processes. */
export const scripted: [string, ...string[]] = [
  process.execPath,
  '--import',
  pathToFileURL(resolve('test/fake/cli.ts')).href,
  main,
];

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function start(
  args: string[],
  cwd: string,
  command: [string, ...string[]] = [process.execPath, main],
): Running {
  const child = spawn(command[0], [...command.slice(1), ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  const waiting: { text: RegExp; resolve: () => void }[] = [];
  const look = () => {
    for (const one of waiting) if (one.text.test(stdout + stderr)) one.resolve();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    look();
  });
  const ended = new Promise<Ended>((done) =>
    child.on('close', (code, signal) => done({ code, signal, stdout, stderr })),
  );
  return {
    child,
    ended,
    saw: (text) =>
      new Promise((resolveSaw, reject) => {
        waiting.push({ text, resolve: resolveSaw });
        look();
        void ended.then((end) =>
          reject(new Error(`it ended (${end.code}) before it said ${text}: ${end.stdout}${end.stderr}`)),
        );
      }),
  };
}

/** As `start`, on scripted processes in virtual time: a busy machine decides nothing, seconds take none. */
export function startScripted(args: string[], cwd: string): Running {
  return start(args, cwd, scripted);
}

/** As `start`, with a report that is drawn at once, or never: a busy machine does not decide it. */
export function startDrawing(drawn: 'at-once' | 'never', args: string[], cwd: string): Running {
  const pages = `${pathToFileURL(resolve('test/fake/pages.ts')).href}?drawn=${drawn}`;
  return start(args, cwd, [process.execPath, '--import', pages, main]);
}

class Exit extends Error {}

/**
 * As `start(args, cwd).ended`, without a process of its own: for what a command prints, writes and ends with.
 * How it is started and stopped, only `start` shows. One at a time: folder and output are the process's.
 */
export async function call(args: string[], cwd: string): Promise<Ended> {
  const printed = { stdout: '', stderr: '' };
  const take = (stream: keyof typeof printed) => (text: string | Uint8Array) => {
    printed[stream] += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take('stdout')),
    vi.spyOn(process.stderr, 'write').mockImplementation(take('stderr')),
    vi.spyOn(console, 'log').mockImplementation((...parts) => void take('stdout')(`${format(...parts)}\n`)),
    vi.spyOn(console, 'error').mockImplementation((...parts) => void take('stderr')(`${format(...parts)}\n`)),
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      process.exitCode = code;
      throw new Exit();
    }),
  ];
  const folder = process.cwd();
  process.chdir(cwd);
  try {
    await createProgram().parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof Exit)) process.exitCode = reportFailure(error);
  } finally {
    process.chdir(folder);
    for (const spy of spies) spy.mockRestore();
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = undefined;
  assertTold(args, code);
  return { code, signal: null, ...printed };
}

/** Every exit code that a test sees is in the table of its command, which help and documentation show. */
function assertTold(args: readonly string[], code: number): void {
  const told = exitTable[args.slice(0, 2).join(' ')] ?? exitTable[args[0] ?? ''];
  if (!told || args.includes('--help')) return;
  assert.ok(
    exitsOf(told).some((one) => one.code === code),
    `cli/exit-table.ts does not say that "${args.join(' ')}" may end with ${code}`,
  );
}

/** A scenario of a few seconds in a file of its own. */
export function writeScenario(folder: string, more = '', measure = '1500ms'): string {
  const path = join(folder, 'small.yaml');
  writeFileSync(
    path,
    `question: Does it run?
subscribers: 5
topics: { news: { publish: 20/s } }
phases: { connect: 200ms, warmup: 250ms, measure: ${measure}, drain: 2s }
${more}
`,
  );
  return path;
}

/** Processes below `pid`, from /proc. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export function resultFolders(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'results')).map((name) => join(folder, 'results', name));
  } catch {
    return [];
  }
}

/**
 * A run that measured on this machine: every trial went to its end and missed nothing, and the exit code is
 * that of its result. Whether the trials count depends on how quiet the machine is, and is not looked at.
 */
export function assertMeasured(end: Ended, folder: string): Result {
  const [results] = resultFolders(folder);
  assert.ok(results, end.stdout + end.stderr);
  const result = resultSchema.parse(JSON.parse(readFileSync(join(results, 'result.json'), 'utf8')));
  assert.deepEqual(
    result.trials.map(({ outcome }) => outcome.status === 'completed' && outcome.ledger.missed),
    result.trials.map(() => 0),
    end.stdout + end.stderr,
  );
  assert.equal(end.code, exitCodeOf(result), end.stdout + end.stderr);
  return result;
}
