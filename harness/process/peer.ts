// Speaks with a child process: commands go in, reports come out, and its end is noticed. What the commands
// mean is the phases' of a trial.

import type { ChildProcess } from 'node:child_process';
import { later } from '../../core/base/clock.ts';
import type { Failed } from '../../core/protocol/control.ts';
import { messageOf } from '../../core/base/errors.ts';
import { endOf, forkChild } from './child.ts';

/** Why a trial could not be finished. `code` is stable; the message says what happened and what to try. */
export class TrialFailure extends Error {
  override readonly name = 'TrialFailure';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Message = { kind: string };
type ReportOf<R, K> = Extract<R, { kind: K }>;

export type Peer<Command extends Message, Report extends Message> = {
  readonly name: string;
  readonly pid: number;
  send(command: Command): void;
  /**
   * The first report of that kind that has not been taken yet.
   * @param fits others of the kind go where they would go if nobody waited
   * @throws TrialFailure when the peer fails, ends, or is silent for `timeoutMs`
   */
  next<K extends Exclude<Report, Failed>['kind']>(
    kind: K,
    timeoutMs: number,
    fits?: (report: ReportOf<Report, K>) => boolean,
  ): Promise<ReportOf<Report, K>>;
  /** All reports of that kind that have come and that nobody has taken; they count as taken from then on. */
  takeAll<K extends Report['kind']>(kind: K): ReportOf<Report, K>[];
  /** Calls `listener` with each report of that kind instead of keeping it for `next`. */
  on<K extends Report['kind']>(kind: K, listener: (report: ReportOf<Report, K>) => void): void;
  /** Rejects with a TrialFailure as soon as the peer fails, ends unasked or is stopped; never resolves. */
  readonly broken: Promise<never>;
  /**
   * Asks it to stop, and ends it by force after `graceMs`. Resolves when it is gone. Ends every `next` too.
   * @param hurry where this is aborted, before or in between, the grace is short
   */
  stop(graceMs: number, hurry?: AbortSignal): Promise<void>;
  /** Ends it by force at once, as a fault. Resolves when it is gone. Ends every `next` too. */
  kill(): Promise<void>;
};

/** The grace of a process when the run is interrupted: the whole run has to be gone within 3 s. */
export const hurriedGraceMs = 800;

/**
 * How a peer gets its reports and passes its commands; the part that differs between a
 * process and a scripted one.
 */
export type Wire<Command> = {
  pid: number;
  send(command: Command): void;
  /** Ends it by force. */
  kill(): void;
};

/** The half of a peer that takes reports in and hands them to the callers that wait for them. */
export type Inbox<Report> = {
  deliver(report: Report): void;
  ended(how: string): void;
  /** It is of no use any more, for this reason. */
  broke(reason: unknown): void;
};

/**
 * Builds a peer around a wire.
 * @param connect is given where reports and the end are to be announced, and returns the wire
 */
export function createPeer<Command extends Message, Report extends Message>(
  name: string,
  connect: (inbox: Inbox<Report | Failed>) => Wire<Command>,
): Peer<Command, Report> {
  const kept: Report[] = [];
  /** Each says whether it takes the report. */
  const waiting = new Map<string, (report: Report) => boolean>();
  const listeners = new Map<string, (report: Report) => void>();
  const gone = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  let stopping = false;

  const wire = connect({
    deliver(report) {
      if (report.kind === 'failed' && 'code' in report) {
        broken.reject(new TrialFailure(report.code, `${name}: ${report.message}`));
        return;
      }
      const message = report as Report; // every other kind is one of the peer's own
      if (waiting.get(message.kind)?.(message)) return;
      const listener = listeners.get(message.kind);
      if (listener) listener(message);
      else if (kept.length < 1000) kept.push(message);
    },
    ended(how) {
      if (!stopping)
        broken.reject(
          new TrialFailure('child-ended', `the ${name} process ended in the middle of the trial (${how})`),
        );
      gone.resolve();
    },
    broke: (reason) => broken.reject(reason),
  });

  return {
    name,
    pid: wire.pid,
    send: (command) => wire.send(command),
    broken: broken.promise,
    async next(kind, timeoutMs, fits = () => true) {
      type Wanted = ReportOf<Report, typeof kind>;
      const isWanted = (report: Report) => report.kind === kind && fits(report as Wanted);
      const at = kept.findIndex(isWanted);
      if (at >= 0) return kept.splice(at, 1)[0] as Wanted;
      const { promise, resolve, reject } = Promise.withResolvers<Report>();
      waiting.set(kind, (report) => {
        if (!isWanted(report)) return false;
        waiting.delete(kind); // the next one may come before this one is looked at
        resolve(report);
        return true;
      });
      const clear = later(timeoutMs, () => {
        reject(
          new TrialFailure(
            'child-silent',
            `the ${name} process did not report "${kind}" within ${timeoutMs / 1000} s`,
          ),
        );
      });
      try {
        return (await Promise.race([promise, broken.promise])) as Wanted;
      } finally {
        clear();
        waiting.delete(kind);
      }
    },
    takeAll(kind) {
      const own = kept.filter((report) => report.kind === kind);
      kept.splice(0, kept.length, ...kept.filter((report) => report.kind !== kind));
      return own as ReportOf<Report, typeof kind>[]; // by their kind
    },
    on(kind, listener) {
      listeners.set(kind, listener as (report: Report) => void);
    },
    async stop(graceMs, hurry) {
      stopping = true;
      broken.reject(new TrialFailure('stopped', `the ${name} process was stopped`));
      try {
        wire.send({ kind: 'stop' } as Command); // every command set has it
      } catch {
        wire.kill();
      }
      await endedWithin(gone.promise, wire.kill, graceMs, hurry);
    },
    async kill() {
      stopping = true;
      broken.reject(new TrialFailure('stopped', `the ${name} process was killed`));
      wire.kill();
      await gone.promise;
    },
  };
}

/**
 * Waits for something to end, and makes it end when the grace is over: the short one as
 * soon as there is a hurry.
 */
export async function endedWithin(
  gone: Promise<unknown>,
  kill: () => void,
  graceMs: number,
  hurry?: AbortSignal,
): Promise<void> {
  const clears = [later(hurry?.aborted ? Math.min(graceMs, hurriedGraceMs) : graceMs, kill)];
  const onHurry = () => void clears.push(later(Math.min(graceMs, hurriedGraceMs), kill));
  hurry?.addEventListener('abort', onHurry, { once: true });
  try {
    await gone;
  } finally {
    hurry?.removeEventListener('abort', onHurry);
    for (const clear of clears) clear();
  }
}

const stderrKeptBytes = 16 * 1024;

/**
 * Starts a child process of ours as a peer.
 * @param entry the module that the child runs
 * @param cores that it is kept to, as `forkChild` takes them
 */
export function forkPeer<Command extends Message, Report extends Message>(
  name: string,
  entry: URL,
  cores?: string,
): Peer<Command, Report> {
  return createPeer<Command, Report>(name, (inbox) => {
    const child = forkChild(entry, cores);
    child.on('message', (report) => inbox.deliver(report as Report)); // both ends are this package
    onEnd(child, (how) => inbox.ended(how));
    return {
      pid: child.pid ?? 0,
      send: (command) => sendTo(child, command),
      kill: () => child.kill('SIGKILL'),
    };
  });
}

/** Calls `ended` when the child is gone or could not be started: with how, and what it said last. */
export function onEnd(child: ChildProcess, ended: (how: string) => void): void {
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrKeptBytes);
  });
  child.on('error', (error) => ended(messageOf(error)));
  // 'close' rather than 'exit': by then all that it wrote has been read.
  child.on('close', (code, signal) => ended(withStderr(endOf(code, signal), stderr)));
}

function sendTo(child: ChildProcess, command: Message): void {
  // A child that has just died is announced by 'close'; a failed send would say the same less clearly.
  if (child.connected) child.send(command, () => {});
}

function withStderr(how: string, stderr: string): string {
  const said = sentenceOf(stderr.trim());
  return said === '' ? how : `${how}; it said: ${said}`;
}

/** What the runtime says when it gives up, without the trace of its own stack that follows. */
function sentenceOf(stderr: string): string {
  return /^(?:FATAL ERROR|#\s+Fatal error).*$/m.exec(stderr)?.[0] ?? stderr;
}
