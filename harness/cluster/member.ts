// Keeps one server of a trial over all its lives: the processes that it had, one after the other, as faults
// end and begin them. To the phases of a trial it is a peer like any other. While none of its processes runs
// it answers for itself with what it had counted until then; a new process begins anew, and adds.

import type { ServerCommand, ServerReport, SelfSample } from '../../core/protocol/control.ts';
import { addCounters, newCounters, type Counters } from '../../core/result/counters.ts';
import { createPeer, type Inbox, type Peer } from '../process/peer.ts';

type ServerPeer = Peer<ServerCommand, ServerReport>;
type Report<K extends ServerReport['kind']> = Extract<ServerReport, { kind: K }>;

export type Member = ServerPeer & {
  /** From 1. */
  readonly number: number;
  /** A process of it runs that no fault has ended. */
  readonly running: boolean;
  /** How often it went without counting a last time, by faults: what it did after its last sample is lost. */
  readonly kills: number;
  /**
   * A fault: it says goodbye, counts a last time and goes.
   * @returns whether it ran
   */
  halt(graceMs: number): Promise<boolean>;
  /**
   * A fault: it is gone at once.
   * @returns whether it ran; at once, and before the process is gone
   */
  killNow(): boolean;
  /**
   * A fault: a process of it starts, with what the first was told, on the same port.
   * @returns whether it listens
   */
  begin(limitMs: number): Promise<boolean>;
};

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

/** What a process of it says is passed on; samples with what those before it counted. */
const passedOn = Object.keys({
  listening: true,
  acted: true,
} satisfies Record<Exclude<ServerReport['kind'], 'sample' | 'stopped' | 'failed'>, true>) as readonly (
  | 'listening'
  | 'acted'
)[];

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
  let life: ServerPeer | undefined;
  let running = false;
  let kills = 0;
  let start: Extract<ServerCommand, { kind: 'start' }> | undefined;
  let past = nothing();
  /** Of the process that runs. */
  let last: Report<'sample'> | undefined;
  /** Asked of it and not answered. */
  let asked = 0;
  /** A fault has begun it again, and it does not listen yet: that it may fail then is the fault's. */
  let returning = false;
  let ending: Promise<unknown> = Promise.resolve();
  let over = false;
  let box!: Inbox<ServerReport>; // set as the peer is made

  const whole = (): Report<'sample'> => wholeOf(last, past, nowUs());
  const answerForIt = () => queueMicrotask(() => over || box.deliver(whole()));
  const live = (peer = spawn()) => {
    life = peer;
    running = true;
    asked = 0;
    peer.on('sample', (report) => {
      asked = Math.max(0, asked - 1);
      if (life !== peer) return;
      last = report;
      box.deliver(added(report, past));
    });
    for (const kind of passedOn) peer.on(kind, (report: ServerReport) => box.deliver(report));
    peer.broken.catch((reason: unknown) => {
      if (life === peer && running && !returning) box.broke(reason);
    });
    return peer;
  };
  /** What it did stays, and who waits for a sample gets that. */
  const buried = () => {
    past = pastOf(last, past);
    last = undefined;
    for (; asked > 0; asked--) answerForIt();
  };

  const first = later ? undefined : spawn();
  const peer = createPeer<ServerCommand, ServerReport>(first?.name ?? `server ${number}`, (inbox) => {
    box = inbox;
    return {
      pid: 0,
      send(command) {
        if (command.kind === 'start') start = command;
        if (command.kind === 'stop') return; // `stop` below tells it
        if (running) {
          if (command.kind === 'sample') asked++;
          life?.send(command);
        } else if (command.kind === 'sample') answerForIt();
      },
      kill() {},
    };
  });
  if (first) live(first);

  return {
    ...peer,
    number,
    get pid() {
      return life?.pid ?? 0;
    },
    get running() {
      return running;
    },
    get kills() {
      return kills;
    },
    async halt(graceMs) {
      if (!running || !life) return false;
      running = false;
      const before = last;
      const ended = life.stop(graceMs).then(() => {
        if (last === before) kills++;
        buried();
      });
      ending = ended;
      await ended;
      return true;
    },
    killNow() {
      if (!running || !life) return false;
      running = false;
      kills++;
      ending = life.kill().then(buried);
      return true;
    },
    async begin(limitMs) {
      if (running || !start) return false;
      await ending;
      if (running || over) return false;
      returning = true;
      const next = live();
      next.send(start);
      try {
        await next.next('listening', limitMs);
        returning = false;
      } catch {
        if (life === next) running = returning = false;
        await next.kill();
        return false;
      }
      if (over) await next.kill();
      return !over;
    },
    async stop(graceMs, hurry) {
      over = true;
      const gone = peer.stop(graceMs, hurry);
      running = false;
      await Promise.all([ending, life?.stop(graceMs, hurry)]);
      box.ended('asked to');
      await gone;
    },
  };
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
