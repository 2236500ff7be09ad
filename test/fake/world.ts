// Holds what the scripted processes of a fake fleet share: virtual time, the script, and what happened.

import type { Acted, SelfSample, Window } from '../../core/protocol/control.ts';
import { newCounters, type Counters } from '../../core/result/counters.ts';
import type { CpuReading, ThreadUse } from '../../harness/process/cpu.ts';
import { createPeer, type Inbox, type Peer } from '../../harness/process/peer.ts';
import { virtualClock, type VirtualClock } from './clock.ts';
import { fakeOptions, type FakeOptions } from './pattern.ts';

type Message = { kind: string };
export type PublishedEvent = { topic: number; seq: number; plannedUs: number };

export type World = {
  clock: VirtualClock;
  /** By name. */
  running: Set<string>;
  /** What a process did for a fault, or had done to it, at that moment of virtual time. */
  happened: { name: string; what: Readonly<Record<string, unknown>>; atUs: number }[];
  /** The window that the load processes were given last. */
  window: Window | undefined;
  /** Who gets each event that is published. */
  deliver: Set<(event: PublishedEvent) => void>;
  options: FakeOptions;
  /** What the subscribers count; what one side counts the other one does too. */
  counters: Counters;
  /** The servers that listen, by name, in order, with what each counted. Subscribers are spread over them. */
  servers: Map<string, Counters>;
  names: Map<number, string>;
  /** When each process began, by its number. */
  began: Map<number, number>;
};

export function newWorld(): World {
  return {
    clock: virtualClock(),
    running: new Set(),
    happened: [],
    window: undefined,
    deliver: new Set(),
    options: fakeOptions.parse({}),
    counters: newCounters(),
    servers: new Map(),
    names: new Map(),
    began: new Map(),
  };
}

/** What a process says of itself. */
export function sampleNow({ clock }: World, cpuShare = 0.1): SelfSample {
  return {
    atUs: clock.nowUs(),
    cpuUs: Math.round(clock.nowUs() * cpuShare),
    rssBytes: 50e6,
    heapUsedBytes: 10e6,
    loopDelayP99Us: 100,
    loopDelayMaxUs: 200,
    gcCount: 1,
    gcPauseUs: 1000,
  };
}

/** What is read of a process from outside: one thread, as busy as the script says. */
export function cpuNow({ clock, options, window, names, began }: World, pid: number): CpuReading {
  const now = clock.nowUs();
  const beganUs = began.get(pid) ?? 0;
  if (!isServer(names.get(pid))) {
    const share = names.get(pid) === 'publisher' ? 0.1 : options.loadCpu;
    return oneThread(pid, { ranUs: (now - beganUs + 1) * share, waitedUs: 0 });
  }
  const { serverCpu, serverIdleCpu, serverWaits } = options;
  const busyUs = window
    ? Math.max(0, Math.min(now, window.toUs) - Math.max(beganUs, window.warmupFromUs))
    : 0;
  return oneThread(pid, {
    ranUs: (now - beganUs + 1) * serverIdleCpu + busyUs * (serverCpu - serverIdleCpu),
    waitedUs: busyUs * serverWaits,
  });
}

/** The server that a subscriber is at now; undefined while none runs. */
export function serverOf({ servers }: World, subscriber: number): Counters | undefined {
  const all = [...servers.values()];
  return all[subscriber % all.length];
}

function isServer(name = ''): boolean {
  return /^server(?: \d+)?$/.test(name);
}

function oneThread(pid: number, use: ThreadUse): CpuReading {
  return { threads: new Map([[pid, use]]), processesUs: new Map([[pid, use.ranUs]]) };
}

/** A scripted process. @param handle is given each command; after `stop` it ends */
export function scripted<C extends Message, R extends Message>(
  world: World,
  name: string,
  handle: (command: C, inbox: Inbox<R>, die: (how: string) => void) => void,
): Peer<C, R> {
  const { running, names, began, servers, clock } = world;
  return createPeer<C, R>(name, (inbox) => {
    running.add(name);
    const pid = 1000 + names.size;
    names.set(pid, name);
    began.set(pid, clock.nowUs());
    const die = (how: string) => {
      running.delete(name);
      servers.delete(name);
      inbox.ended(how);
    };
    return {
      pid,
      // As over IPC, a command arrives after the sender has gone on.
      send: (command) =>
        queueMicrotask(() => {
          if (running.has(name)) handle(command, inbox as Inbox<R>, die);
          if (command.kind === 'stop') die('exit code 0');
        }),
      kill: () => die('signal SIGKILL'),
    };
  });
}

/** What a busy process comes to late, in the measured phase alone. */
export function lateInWindow({ clock, window }: World, lateMs: number, run: () => void): void {
  const now = clock.nowUs();
  if (lateMs > 0 && window && now >= window.fromUs && now <= window.toUs) clock.at(now + lateMs * 1000, run);
  else run();
}

/** Does a process' part of a fault, as late as the script says, and says so to the harness. */
export function act(
  { clock, happened, options }: World,
  name: string,
  { act: number, ...what }: { kind: string; act: number },
  inbox: Inbox<Acted>,
): void {
  clock.at(clock.nowUs() + options.actsAfter * 1000, () => {
    happened.push({ name, what, atUs: clock.nowUs() });
    inbox.deliver({ kind: 'acted', act: number, atUs: clock.nowUs() });
  });
}
