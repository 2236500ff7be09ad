// Runs HAProxy in front of the servers of a trial: a master process with its workers, on a free port of the
// loopback address, in a folder that is removed with it. Through its runtime API it drains servers, closes
// their connections, reloads, and says what each server has.

import { writeFile } from 'node:fs/promises';
import { addressOf } from '../../../core/base/address.ts';
import { loopback, urlHost } from '../../../core/base/loopback.ts';
import { endedWithin, TrialFailure } from '../../process/peer.ts';
import { treeOf } from '../../process/process-tree.ts';
import {
  haproxyVersion,
  newPlace,
  run,
  untilReloaded,
  untilServerUp,
  untilUp,
  type Place,
  type Running,
} from './process.ts';
import { backendName, haproxyConfig, serverName, type HaproxySetup, type ServerPlace } from './config.ts';
import {
  createRuntime,
  RuntimeError,
  type HaproxyProcess,
  type Runtime,
  type ServerStat,
} from './runtime.ts';

/** Between being asked and being made to end. */
const graceMs = 2000;

export type HaproxyOptions = Pick<
  HaproxySetup,
  'mode' | 'sticky' | 'idleMs' | 'maxconn' | 'slowstartMs' | 'check' | 'connections'
> & {
  /** `http://127.0.0.1:PORT` of each server; the first is number 1. They need not run yet. */
  servers: readonly string[];
  /** Where each is asked for its health; there too when left out. */
  checked?: readonly string[] | undefined;
  /** For it to listen on. */
  freePort(): Promise<number>;
};

/** Numbers of servers are from 1. Calls reject with a `RuntimeError` where HAProxy refuses or is gone. */
export type Haproxy = {
  readonly role: 'in-front';
  /** The master process; undefined while it does not run. */
  readonly pid: number | undefined;
  /** Of the master, the worker, and the workers of before a reload that still hold connections. */
  pids(): number[];
  /** Rejects with a TrialFailure when it ends unasked; never resolves. */
  readonly broken: Promise<never>;
  /**
   * Resolves with the subscribers' address, when it takes connections there and knows which servers are up.
   */
  start(): Promise<{ url: string }>;
  /**
   * A server keeps its connections and gets no new ones. With sticky sessions this is HAProxy's state
   * "maintenance", since in its state "drain" a server still gets everybody whose cookie names it.
   */
  drain(server: number): Promise<void>;
  /**
   * A server gets connections again. Resolves when it does, or when checks have had time to say that it is
   * down. A server that has just started counts as down until the next check.
   */
  ready(server: number): Promise<void>;
  /** Closes all connections of a server at once, also those in workers from before a reload. */
  shutDown(server: number): Promise<void>;
  /** Each server's sessions, in the order of their numbers, those of all workers together. */
  sessions(): Promise<number[]>;
  /** Each server as the newest worker has it. */
  stats(): Promise<ServerStat[]>;
  /** New connections come to a new worker; the old one lives until its connections have ended. */
  reload(): Promise<void>;
  /** Ends it with all its connections, and removes its folder. */
  stop(): Promise<void>;
};

/** It does not run before its `start`. */
export function createHaproxy(options: HaproxyOptions): Haproxy {
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  const servers: ServerPlace[] = options.servers.map((url, i) => ({
    ...addressOf(url),
    checkPort: options.checked && addressOf(options.checked[i]!).port,
  }));
  let place: Place | undefined;
  let running: Running | undefined;
  let over = false;

  const there = (): { place: Place; running: Running; runtime: Runtime } => {
    if (!place || !running) throw new RuntimeError('gone', "HAProxy's runtime API is gone: it does not run");
    return { place, running, runtime: createRuntime(place.socket) };
  };
  const name = (server: number) => {
    if (servers[server - 1]) return `${backendName}/${serverName(server)}`;
    throw new RangeError(`there is no server ${server} behind HAProxy; there are ${servers.length}`);
  };
  const tell = async (command: string) => there().runtime.tell(command);

  return {
    role: 'in-front',
    get pid() {
      return running?.tree.child.pid;
    },
    pids: () => (running?.tree.child.pid === undefined ? [] : treeOf(running.tree.child.pid)),
    broken: broken.promise,
    async start() {
      haproxyVersion();
      place = await newPlace(await options.freePort());
      const { port, config, state } = place;
      const text = haproxyConfig({ ...options, host: loopback(), port, servers, stateFile: state });
      await writeFile(config, text);
      await writeFile(state, '1\n');
      if (over) {
        await place.folder.remove(); // it was stopped before there was one
        throw new TrialFailure('over', 'the trial is over');
      }
      running = run(place, broken.reject, () => (running = undefined));
      await untilUp(running, createRuntime(place.socket), servers.length, options.check);
      return { url: `${new URL(options.servers[0]!).protocol}//${urlHost(loopback())}:${port}` };
    },
    drain: async (server) => tell(`set server ${name(server)} state ${options.sticky ? 'maint' : 'drain'}`),
    async ready(server) {
      await tell(`set server ${name(server)} state ready`);
      await untilServerUp(there().runtime, serverName(server), options.check);
    },
    async shutDown(server) {
      const command = `shutdown sessions server ${name(server)}`;
      const { runtime } = there();
      await inEach(runtime, ({ pid, reloads }) =>
        reloads === 0 ? runtime.tell(command, pid) : runtime.endSessions(serverName(server), pid),
      );
    },
    async sessions() {
      const all = await everyStat(there().runtime);
      return servers.map((_, i) =>
        all.reduce((sum, one) => (one.name === serverName(i + 1) ? sum + one.sessions : sum), 0),
      );
    },
    stats: async () => there().runtime.stats(),
    async reload() {
      const { place: at, running: now, runtime } = there();
      const before = await runtime.processes();
      await writeFile(at.state, await runtime.stateFile());
      await runtime.ask('reload', 'master');
      await untilReloaded(runtime, before, now);
    },
    async stop() {
      over = true;
      const ending = running;
      if (ending) {
        ending.asked = true;
        ending.tree.signal('SIGCONT'); // one that stands still does not hear that it is asked to end
        ending.tree.signal('SIGTERM');
        await endedWithin(ending.tree.gone, () => ending.tree.signal('SIGKILL'), graceMs);
        ending.tree.signal('SIGKILL'); // workers whose master was killed
      }
      await place?.folder.remove();
    },
  };
}

/** Asks every worker; one that has just ended has nothing to say. */
async function inEach<T>(runtime: Runtime, ask: (worker: HaproxyProcess) => Promise<T>): Promise<T[]> {
  const workers = (await runtime.processes()).filter(({ type }) => type === 'worker');
  const answers = await Promise.all(
    workers.map(async (worker) => {
      try {
        return [await ask(worker)];
      } catch (error) {
        if (worker.reloads > 0 && error instanceof RuntimeError && error.code === 'gone') return [];
        throw error;
      }
    }),
  );
  return answers.flat();
}

async function everyStat(runtime: Runtime): Promise<ServerStat[]> {
  return (await inEach(runtime, ({ pid }) => runtime.stats(pid))).flat();
}
