// Starts every process that the harness starts, so that none outlives it: neither when the harness is killed,
// nor when the process is stopped (SIGSTOP) at that moment and cannot notice. Linux ends a direct child with
// its parent where setpriv (util-linux) asks for it. A guardian ends the rest (what a child started itself,
// and children that setpriv did not reach in time, or where there is none): a shell that waits for the
// harness to go and then kills every process that carries its mark.

import { execFileSync, fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Socket } from 'node:net';
import { processesWith } from './process-tree.ts';

const markName = 'PUSHBENCH_HARNESS';
/** In the environment of all that this process starts, and of nothing else. */
const mark = `${markName}=${process.pid}-${randomBytes(8).toString('hex')}`;

/**
 * Reads until the harness is gone, then kills its processes. It keeps no process numbers, since the number of
 * an ended process is given to another. It looks processes up by the mark in their environment right before
 * it kills them, and a group goes with its leader. It takes several rounds, as processes may be starting
 * others.
 */
const guardianScript = `( cat > /dev/null
for round in 1 2 3 4 5 6 7 8 9 10; do
  found=$(grep -lsF -e "$0" /proc/[0-9]*/environ)
  [ -n "$found" ] || exit 0
  for file in $found; do
    pid=\${file#/proc/}; pid=\${pid%/environ}
    stat=$(cat /proc/$pid/stat 2> /dev/null) || continue
    set -- \${stat##*)}
    [ "$3" = "$pid" ] && kill -KILL -$pid 2> /dev/null
    kill -KILL $pid 2> /dev/null
  done
done ) <&3 3<&- > /dev/null 2>&1 &`;

let bound: boolean | undefined;
/** Whether the kernel can be asked to end a child with its parent. */
function canBind(): boolean {
  bound ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', '--', 'true'], { stdio: 'ignore' }).status === 0;
  return bound;
}

const binding = ['--pdeathsig', 'KILL', '--'];

let keeping: boolean | undefined;
/** Whether a process can be kept to some of the cores. */
export function canKeepToCores(): boolean {
  keeping ??=
    process.platform === 'linux' && spawnSync('taskset', ['-p', '1'], { stdio: 'ignore' }).status === 0;
  return keeping;
}

/**
 * Keeps this process, all its threads, and whatever it starts from now on to some of the cores.
 * @param cores as taskset writes them: `0`, `2-5,8`
 * @returns whether it could
 */
export function keepThisProcessTo(cores: string): boolean {
  const args = ['-a', '-c', '-p', cores, String(process.pid)];
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}

let guarded = false;
/**
 * Starts the guardian, once. It is not a child of this process, so that what stops all
 * children does not stop it.
 */
function guard(): void {
  if (guarded) return;
  guarded = true;
  const starter = spawn('sh', ['-c', guardianScript, mark], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  starter.on('error', () => {}); // no shell: then nobody guards
  starter.unref();
  const line = starter.stdio[3];
  // Neither end of it keeps this process alive; its end is what the guardian waits for.
  if (line instanceof Socket) line.on('error', () => {}).unref();
}

/**
 * The environment of a process that this one starts.
 * @param role tells some of them from the others, for `endMarked`
 */
export function markedEnvironment(role = ''): Record<string, string | undefined> {
  return { ...process.env, [markName]: `${mark.slice(markName.length + 1)}${role}` };
}

/**
 * Forks a module of ours, with a channel and its standard error to be read.
 * @param cores that it is kept to, as taskset (util-linux) writes them; all of this process's when left out
 */
export function forkChild(entry: URL, cores?: string): ChildProcess {
  const options = {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: markedEnvironment(),
  } as const;
  guard();
  // Each of them becomes the next, so that all of it is one process.
  const [execPath = process.execPath, ...execArgv] = [
    ...(canBind() ? ['setpriv', ...binding] : []),
    ...(cores === undefined ? [] : ['taskset', '-c', cores]),
    process.execPath,
  ];
  return fork(entry, { ...options, stdio: [...options.stdio], execPath, execArgv });
}

/** How a process ended, in words. */
export function endOf(code: number | null, signal: string | null): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** A command with whatever it starts in turn. */
export type ProcessTree = {
  readonly child: ChildProcess;
  /** Resolves with how the command itself ended, or why it could not be started. */
  readonly gone: Promise<string>;
  /** Sends a signal to the command and all in its process group. */
  signal(signal: NodeJS.Signals): void;
};

/** Starts a command in a process group of its own. */
export function startTree(
  file: string,
  args: readonly string[],
  options: { cwd?: string; stdio?: 'ignore' | 'pipe' } = {},
): ProcessTree {
  guard();
  const { cwd, stdio = 'ignore' } = options;
  const [command, all] = canBind() ? (['setpriv', [...binding, file, ...args]] as const) : [file, args];
  const child = spawn(command, all, {
    detached: true,
    stdio: ['ignore', stdio, stdio],
    env: markedEnvironment(),
    ...(cwd !== undefined && { cwd }),
  });
  const gone = new Promise<string>((resolve) =>
    child
      .once('close', (code, signal) => resolve(endOf(code, signal)))
      .once('error', ({ message }) => resolve(message)),
  );
  return {
    child,
    gone,
    signal(signal) {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // All of it has ended by itself.
      }
    },
  };
}

/**
 * Runs a short command while this process waits for it.
 * @returns what it wrote to standard output, without white space around it
 * @throws Error when it fails or takes longer
 */
export function runAtOnce(
  file: string,
  args: readonly string[],
  { cwd, timeoutMs }: { cwd?: string; timeoutMs: number },
): string {
  guard();
  const [command, all] = canBind() ? (['setpriv', [...binding, file, ...args]] as const) : [file, args];
  return execFileSync(command, all, {
    encoding: 'utf8',
    env: markedEnvironment(),
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: timeoutMs,
    ...(cwd !== undefined && { cwd }),
  }).trim();
}

const outputKeptBytes = 1024 ** 2;

/**
 * Runs a command to its end.
 * @returns what it wrote to standard output, without white space around it
 * @throws Error with what it said when it fails; the signal's reason when it is aborted, which
 *   ends the command at once
 */
export async function runToEnd(
  file: string,
  args: readonly string[],
  { cwd, signal }: { cwd?: string; signal: AbortSignal },
): Promise<string> {
  signal.throwIfAborted();
  const tree = startTree(file, args, { stdio: 'pipe', ...(cwd !== undefined && { cwd }) });
  const { child } = tree;
  let [stdout, stderr] = ['', ''];
  let problem: Error | undefined;
  child.stdout
    ?.setEncoding('utf8')
    .on('data', (text: string) => (stdout = (stdout + text).slice(-outputKeptBytes)));
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (stderr = (stderr + text).slice(-outputKeptBytes)));
  child.on('error', (error) => (problem = error));
  const onAbort = () => tree.signal('SIGKILL');
  signal.addEventListener('abort', onAbort, { once: true });
  await tree.gone;
  signal.removeEventListener('abort', onAbort);
  signal.throwIfAborted();
  if (problem) throw problem;
  if (child.exitCode !== 0) throw new Error(`Command failed: ${[file, ...args].join(' ')}\n${stderr.trim()}`);
  return stdout.trim();
}

/** Makes sure that the guardian ends what others start for this process (a browser that a library starts). */
export function guardOthers(): void {
  guard();
}

/** Kills everything that carries the mark with this role, and the groups that it leads. */
export function endMarked(role: string): void {
  for (const { pid, leads } of processesWith(`${mark}${role}`)) {
    try {
      process.kill(leads ? -pid : pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}
