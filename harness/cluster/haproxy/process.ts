// Starts HAProxy's processes and waits for them: until it answers and knows which servers are up, and until a
// reload has made a new worker.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, UserError } from '../../../core/base/errors.ts';
import { runAtOnce, startTree, type ProcessTree } from '../../process/child.ts';
import { asBlock, keepLastLines } from '../../process/last-lines.ts';
import { ownFolder, type OwnFolder } from '../../process/own-folder.ts';
import { TrialFailure } from '../../process/peer.ts';
import type { HealthCheck } from '../../../core/scenario/servers.ts';
import { RuntimeError, type HaproxyProcess, type Runtime } from './runtime.ts';

const startMs = 10_000;
const reloadMs = 10_000;
const lookEveryMs = 20;
const versionMs = 5000;

/**
 * Which HAProxy is installed: `haproxy 2.6.12-1+deb12u3`.
 * @throws UserError when there is none
 */
export function haproxyVersion(): string {
  let text: string;
  try {
    text = runAtOnce('haproxy', ['-v'], { timeoutMs: versionMs });
  } catch {
    throw new UserError(
      'in-front',
      'servers.in-front: HAProxy is started for each trial, and it is not installed; ' +
        'apt-get install haproxy, or let subscribers find servers by a list (servers: { in-front: list }).',
      exitCodes.failed,
    );
  }
  return `haproxy ${/\bversion (\S+)/.exec(text)?.[1] ?? ''}`.trimEnd();
}

export type Place = { folder: OwnFolder; port: number; config: string; state: string; socket: string };
export type Running = {
  tree: ProcessTree;
  /** It takes connections. */
  up: boolean;
  /** It was asked to end. */
  asked: boolean;
  /** How it ended; undefined while it runs. */
  ended: string | undefined;
  /** What it printed last, to stand below a message. */
  said(): string;
};

/** @param port that it listens on */
export async function newPlace(port: number): Promise<Place> {
  const folder = await ownFolder('pushbench-haproxy-');
  const { path } = folder;
  return {
    folder,
    port,
    config: join(path, 'haproxy.cfg'),
    state: join(path, 'servers.state'),
    socket: join(path, 'master.sock'),
  };
}

/** @param broke is told when it ends unasked after it was up; `ended`, whenever it does */
export function run(
  { config, socket }: Place,
  broke: (reason: TrialFailure) => void,
  ended: () => void,
): Running {
  // In the foreground with a master, which is the way of its unit file: it hands listeners from one worker
  // to the next, and knows the workers of before.
  const tree = startTree('haproxy', ['-W', '-S', `${socket},mode,600,level,admin`, '-f', config], {
    stdio: 'pipe',
  });
  const lastLines = keepLastLines([tree.child.stdout, tree.child.stderr]);
  const own: Running = {
    tree,
    up: false,
    asked: false,
    ended: undefined,
    said: () => asBlock(lastLines()),
  };
  void tree.gone.then((how) => {
    own.ended = how;
    if (own.up && !own.asked)
      broke(
        new TrialFailure('in-front-ended', `HAProxy ended in the middle of the trial (${how}).${own.said()}`),
      );
    ended();
  });
  return own;
}

/** Until it answers and has checked every server: then it knows which are not there yet. */
export async function untilUp(
  running: Running,
  runtime: Runtime,
  count: number,
  { everyMs }: HealthCheck,
): Promise<void> {
  const limitMs = startMs + everyMs;
  for (const untilMs = performance.now() + limitMs; performance.now() < untilMs;) {
    try {
      const servers = await runtime.stats();
      if (servers.length === count && servers.every(({ isSure }) => isSure)) {
        running.up = true;
        return;
      }
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      if (running.ended !== undefined) break;
    }
    await sleep(lookEveryMs);
  }
  const { ended } = running;
  const what = ended === undefined ? `was not ready within ${limitMs / 1000} s` : `ended (${ended})`;
  throw new TrialFailure(
    'in-front',
    `HAProxy was started in front of the servers and ${what}.${running.said()}`,
  );
}

/** Until a server is up, or as many checks as that takes, and one more, have had time. */
export async function untilServerUp(
  runtime: Runtime,
  name: string,
  { everyMs, rise }: HealthCheck,
): Promise<void> {
  const isUp = async () =>
    (await runtime.stats()).some((one) => one.name === name && one.status.startsWith('UP'));
  for (const untilMs = performance.now() + (rise + 1) * everyMs; performance.now() < untilMs;) {
    if (await isUp()) return;
    await sleep(lookEveryMs);
  }
}

/** @param before what ran before it was told to reload */
export async function untilReloaded(
  runtime: Runtime,
  before: readonly HaproxyProcess[],
  running: Running,
): Promise<void> {
  const master = (all: readonly HaproxyProcess[]) => all.find(({ type }) => type === 'master');
  const { reloads = 0, failedReloads = 0 } = master(before) ?? {};
  const known = new Set(before.map(({ pid }) => pid));
  for (const untilMs = performance.now() + reloadMs; performance.now() < untilMs;) {
    try {
      const all = await runtime.processes();
      const now = master(all);
      if (now && now.failedReloads > failedReloads)
        throw new RuntimeError('refused', `HAProxy refused to reload.${running.said()}`);
      const isNew = all.some(({ pid, type }) => type === 'worker' && !known.has(pid));
      if (now && now.reloads > reloads && isNew) return void (await runtime.stats());
    } catch (error) {
      // For a moment nobody answers, and the newest worker is not there yet.
      if (!(error instanceof RuntimeError) || error.code === 'refused') throw error;
    }
    if (running.ended !== undefined)
      throw new RuntimeError('gone', `HAProxy ended while it reloaded (${running.ended}).${running.said()}`);
    await sleep(lookEveryMs);
  }
  throw new RuntimeError('late', `HAProxy did not reload within ${reloadMs / 1000} s.${running.said()}`);
}
