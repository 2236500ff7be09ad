// Holds the processes that a trial has beside its servers and its load side: the broker, what is in front of
// the servers. If one ends unexpectedly, the trial ends, and all of them end with the trial.

import { TrialFailure } from '../process/peer.ts';

/** What such a process is for; the process table of a result has a row by that name. */
export type BesideRole = 'broker' | 'in-front';

export type BesideProcess = {
  readonly role: BesideRole;
  /** Undefined while it does not run, and where it is not ours to read. */
  readonly pid: number | undefined;
  /** Where it is several processes: all that live now, `pid` among them. */
  pids?(): readonly number[];
  /** Rejects with a TrialFailure when it ends unasked; never resolves. */
  readonly broken: Promise<never>;
  /** Ends it, whatever it is doing, and removes what it kept. */
  stop(): Promise<void>;
};

/** A place in the process table: the role, and the index among those of it. */
export function placesOf(
  all: readonly BesideProcess[],
): { role: BesideRole; index: number; pid?: number | undefined; pids: readonly number[] }[] {
  const count = new Map<BesideRole, number>();
  return all.map((one) => {
    const { role, pid } = one;
    const index = count.get(role) ?? 0;
    count.set(role, index + 1);
    return { role, index, pid, pids: one.pids?.() ?? (pid === undefined ? [] : [pid]) };
  });
}

export type Beside = {
  /** Before it starts, so that it goes with the trial however far it came. */
  add(process: BesideProcess): void;
  readonly all: readonly BesideProcess[];
  /** Rejects when the first of them breaks, with its reason. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
};

export function createBeside(): Beside {
  const all: BesideProcess[] = [];
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {}); // it is awaited only by those who wait for something
  let over = false;
  return {
    all,
    broken: broken.promise,
    add(process) {
      if (over) throw new TrialFailure('over', 'the trial is over');
      all.push(process);
      process.broken.catch((reason: unknown) => broken.reject(reason));
    },
    async stop() {
      over = true;
      await Promise.all(all.map((process) => process.stop()));
    },
  };
}
