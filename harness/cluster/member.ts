// Keeps one server of a trial over all its lives: the processes that it had, one after the other, as faults
// end and begin them. To the phases of a trial it is a peer like any other. While none of its processes runs,
// it answers with the counts so far; the counts of a new process are added to them.

import type { ServerCommand, ServerReport, SelfSample } from '../../core/protocol/control.ts';
import type { DrainPlan } from '../../core/policy/server/drain.ts';
import { addCounters, newCounters, type Counters } from '../../core/result/counters.ts';
import { createPeer, type Inbox, type Peer } from '../process/peer.ts';

type ServerPeer = Peer<ServerCommand, ServerReport>;
type Report<K extends ServerReport['kind']> = Extract<ServerReport, { kind: K }>;

export type Member = ServerPeer & {
  /** From 1. */
  readonly number: number;
  /** Its process runs, and no fault has ended it. */
  readonly running: boolean;
  /** How often faults ended it without a last sample: its counts after the sample before are lost. */
  readonly kills: number;
  /**
   * A fault: it says goodbye, counts a last time and goes.
   * @returns whether it ran
   */
  halt(): Promise<boolean>;
  /**
   * A fault: it is gone at once.
   * @returns whether it ran; at once, and before the process is gone
   */
  killNow(): boolean;
  /**
   * A fault: it lets its clients go.
   * @param act the number that processes say the fault by
   * @returns whether all had gone before its process did
   */
  drain(plan: DrainPlan, act: number): Promise<boolean>;
  /**
   * A fault: its next process starts, with the same options as the first and on the same port.
   * @returns whether it listens
   */
  begin(): Promise<boolean>;
};

/** How long a server has to say goodbye to all that it holds; see core/policy/server/goodbye.ts. */
const goodbyeMs = 15_000;
/** Until a process of it listens that starts beside all that a trial does. */
const listenMs = 15_000;

/** What its processes that are gone have counted. */
type Past = {
  cpuUs: number;
  gcCount: number;
  gcPauseUs: number;
  counters: Counters;
  publishedEvents: number;
};

const nothing = (): Past => ({
  cpuUs: 0,
  gcCount: 0,
  gcPauseUs: 0,
  counters: newCounters(),
  publishedEvents: 0,
});

/** Reports of its process that are passed on as they are; earlier counts are added to samples. */
const passedOn = Object.keys({
  listening: true,
  acted: true,
} satisfies Record<
  Exclude<ServerReport['kind'], 'sample' | 'drained' | 'stopped' | 'failed'>,
  true
>) as readonly ('listening' | 'acted')[];

/** What is known of a member at one moment. */
type State = {
  readonly spawn: () => ServerPeer;
  readonly nowUs: () => number;
  /** Where its reports go. */
  box: Inbox<ServerReport>;
  /** Its process, or the last that it had. */
  life: ServerPeer | undefined;
  running: boolean;
  /** A fault has begun it again, and it does not listen yet: if it fails now, the fault has failed. */
  returning: boolean;
  kills: number;
  /** What its first process was told. */
  start: Extract<ServerCommand, { kind: 'start' }> | undefined;
  past: Past;
  /** Of the process that runs. */
  last: Report<'sample'> | undefined;
  /** Samples that were asked for and have not come. */
  asked: number;
  /** Those who wait until the process that runs has let its clients go, by the fault. */
  drains: Map<number, (drained: boolean) => void>;
  ending: Promise<unknown>;
  over: boolean;
};

/**
 * @param spawn starts a process of it
 * @param later whether a fault starts the first one; else it is there at once
 */
export function createMember(
  number: number,
  spawn: () => ServerPeer,
  nowUs: () => number,
  later = false,
): Member {
  const first = later ? undefined : spawn();
  let state!: State; // made with the peer, which is told where its reports go
  const peer = createPeer<ServerCommand, ServerReport>(first?.name ?? `server ${number}`, (box) => {
    state = newState(spawn, nowUs, box);
    return { pid: 0, send: (command) => send(state, command), kill() {} };
  });
  if (first) live(state, first);

  return {
    ...peer,
    number,
    get pid() {
      return state.life?.pid ?? 0;
    },
    get running() {
      return state.running;
    },
    get kills() {
      return state.kills;
    },
    halt: () => halt(state),
    killNow: () => killNow(state),
    drain: (plan, act) => drain(state, plan, act),
    begin: () => begin(state),
    async stop(graceMs, hurry) {
      state.over = true;
      const gone = peer.stop(graceMs, hurry);
      state.running = false;
      await Promise.all([state.ending, state.life?.stop(graceMs, hurry)]);
      state.box.ended('asked to');
      await gone;
    },
  };
}

function newState(spawn: State['spawn'], nowUs: State['nowUs'], box: Inbox<ServerReport>): State {
  return {
    spawn,
    nowUs,
    box,
    life: undefined,
    running: false,
    returning: false,
    kills: 0,
    start: undefined,
    past: nothing(),
    last: undefined,
    asked: 0,
    drains: new Map(),
    ending: Promise.resolve(),
    over: false,
  };
}

/** To its process; while none runs it answers for itself. */
function send(state: State, command: ServerCommand): void {
  if (command.kind === 'start') state.start = command;
  if (command.kind === 'stop') return; // `stop` above tells its process itself
  if (command.kind === 'sample' && !state.running) return answerForIt(state);
  if (command.kind === 'sample') state.asked++;
  if (state.running) state.life?.send(command);
}

/** Not at once: the caller begins to wait for the answer only after this call. */
function answerForIt(state: State): void {
  queueMicrotask(() => {
    if (!state.over) state.box.deliver(wholeOf(state.last, state.past, state.nowUs()));
  });
}

function live(state: State, peer: ServerPeer): void {
  Object.assign(state, { life: peer, running: true, asked: 0 });
  peer.on('sample', (report) => {
    if (state.life !== peer) return;
    state.asked = Math.max(0, state.asked - 1);
    state.last = report;
    state.box.deliver(added(report, state.past));
  });
  peer.on('drained', (report) => {
    settleDrain(state, report.act, true);
    state.box.deliver(report);
  });
  for (const kind of passedOn) peer.on(kind, (report: ServerReport) => state.box.deliver(report));
  peer.broken.catch((reason: unknown) => {
    if (state.life === peer && state.running && !state.returning) state.box.broke(reason);
  });
}

function drain(state: State, plan: DrainPlan, act: number): Promise<boolean> {
  if (!state.running) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  state.drains.set(act, resolve);
  send(state, { kind: 'drain', ...plan, act });
  return promise;
}

function settleDrain(state: State, act: number, drained: boolean): void {
  state.drains.get(act)?.(drained);
  state.drains.delete(act);
}

/** Its process is gone. What it did stays, and is what those get who wait for a sample. */
function bury(state: State): void {
  for (const act of state.drains.keys()) settleDrain(state, act, false);
  state.past = pastOf(state.last, state.past);
  state.last = undefined;
  for (; state.asked > 0; state.asked--) answerForIt(state);
}

async function halt(state: State): Promise<boolean> {
  const { running, life, last } = state;
  if (!running || !life) return false;
  state.running = false;
  state.ending = life.stop(goodbyeMs).then(() => {
    if (state.last === last) state.kills++; // it hung, and was ended by force
    bury(state);
  });
  await state.ending;
  return true;
}

function killNow(state: State): boolean {
  const { running, life } = state;
  if (!running || !life) return false;
  state.running = false;
  state.kills++;
  state.ending = life.kill().then(() => bury(state));
  return true;
}

async function begin(state: State): Promise<boolean> {
  const { start } = state;
  if (state.running || !start) return false;
  await state.ending;
  if (state.running || state.over) return false;
  const next = state.spawn();
  state.returning = true;
  live(state, next);
  next.send(start);
  try {
    await next.next('listening', listenMs);
    state.returning = false;
  } catch {
    // What did not come up is gone, unless it has been killed meanwhile.
    const isLast = state.life === next;
    if (isLast) Object.assign(state, { running: false, returning: false });
    await next.kill();
    if (isLast) bury(state);
    return false;
  }
  if (state.over) await next.kill();
  return !state.over;
}

function pastOf(last: Report<'sample'> | undefined, past: Past): Past {
  if (!last) return past;
  const { sample, counters, publishedEvents } = added(last, past);
  const { cpuUs, gcCount, gcPauseUs } = sample;
  return { cpuUs, gcCount, gcPauseUs, counters, publishedEvents };
}

/** A sample of a process with what those before it counted. */
function added(report: Report<'sample'>, past: Past): Report<'sample'> {
  const { sample } = report;
  return {
    ...report,
    sample: {
      ...sample,
      cpuUs: sample.cpuUs + past.cpuUs,
      gcCount: sample.gcCount + past.gcCount,
      gcPauseUs: sample.gcPauseUs + past.gcPauseUs,
    },
    counters: addCounters(past.counters, report.counters),
    publishedEvents: report.publishedEvents + past.publishedEvents,
  };
}

/** What it says while no process of it runs: nothing is held, nothing is added. */
function wholeOf(last: Report<'sample'> | undefined, before: Past, atUs: number): Report<'sample'> {
  const { counters, publishedEvents, ...past } = pastOf(last, before);
  const sample: SelfSample = {
    ...past,
    atUs,
    rssBytes: 0,
    heapUsedBytes: 0,
    loopDelayP99Us: 0,
    loopDelayMaxUs: 0,
  };
  return { kind: 'sample', sample, counters, subscribers: 0, publishedEvents };
}
