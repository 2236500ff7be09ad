// Reads from outside what processes used of the CPU, from Linux's /proc, so that a process that is too busy
// to say so is measured all the same. Each thread counts to the nanosecond (/proc/PID/task/*/schedstat).

import { systemFiles, type SystemFiles } from './system-files.ts';

/** What a thread used since it began. */
export type ThreadUse = {
  ranUs: number;
  /** Ready to run, while something else had the core. */
  waitedUs: number;
};

/** What processes used up to one moment. */
export type CpuReading = Readonly<{
  /** By the thread's number, which is one of its own on the whole host. */
  threads: ReadonlyMap<number, ThreadUse>;
  /**
   * By the process' number: all its threads, ended ones included. In steps of 10 ms, and up to two steps too
   * low.
   */
  processesUs: ReadonlyMap<number, number>;
}>;

/** Several readings of one moment as one; undefined where there is none. */
export function joinCpu(readings: readonly CpuReading[]): CpuReading | undefined {
  if (readings.length === 0) return undefined;
  return {
    threads: new Map(readings.flatMap(({ threads }) => [...threads])),
    processesUs: new Map(readings.flatMap(({ processesUs }) => [...processesUs])),
  };
}

/** Of processes that do not run. */
export const noCpu: CpuReading = { threads: new Map(), processesUs: new Map() };

/** What processes used between two moments. */
export type CpuUse = {
  ranUs: number;
  /** The thread that was busiest: it ran, or was ready to and waited for a core. */
  busiest: ThreadUse;
};

/** What /proc/PID/stat counts in: USER_HZ, which Linux fixes at 100 for programs. */
const usPerTick = 10_000;
/** User and system time are rounded down each. */
const tickSlackUs = 2 * usPerTick;
const nothing: ThreadUse = { ranUs: 0, waitedUs: 0 };

/**
 * @param pids the processes that count as one
 * @returns undefined where the kernel does not count so, or none of them lives
 */
export function readCpu(pids: readonly number[], files: SystemFiles = systemFiles): CpuReading | undefined {
  const threads = new Map<number, ThreadUse>();
  const processesUs = new Map<number, number>();
  for (const pid of pids) {
    for (const tid of files.list(`/proc/${pid}/task`) ?? []) {
      const use = parseSchedstat(files.read(`/proc/${pid}/task/${tid}/schedstat`));
      if (use) threads.set(Number(tid), use);
    }
    const us = parseStatUs(files.read(`/proc/${pid}/stat`));
    if (us !== undefined) processesUs.set(pid, us);
  }
  // A kernel without the count writes zeros, and a process that runs has used something.
  return [...threads.values()].some(({ ranUs }) => ranUs > 0) ? { threads, processesUs } : undefined;
}

/** `RAN WAITED TURNS`, in nanoseconds. */
export function parseSchedstat(text: string | undefined): ThreadUse | undefined {
  const [ran, waited] = (text ?? '').trim().split(' ').map(Number);
  return ran === undefined || waited === undefined || !(ran >= 0) || !(waited >= 0)
    ? undefined
    : { ranUs: ran / 1000, waitedUs: waited / 1000 };
}

/** User and system time of the process itself; children that ended are not in it. */
export function parseStatUs(text: string | undefined): number | undefined {
  // The name stands in brackets and may hold anything.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields?.[11]) + Number(fields?.[12]);
  return Number.isFinite(ticks) ? ticks * usPerTick : undefined;
}

/**
 * The CPU used from the first reading to the last. Each thread counts from one reading to the next, so a
 * thread that has ended in between keeps the use of its last reading. Its use after that is known from its
 * process, to 20 ms.
 * @param readings in the order of time
 */
export function cpuBetween(readings: readonly CpuReading[]): CpuUse {
  const used = new Map<number, ThreadUse>();
  const seen = new Map(readings[0]?.threads);
  for (const { threads } of readings.slice(1)) {
    for (const [tid, now] of threads) {
      const sum = used.get(tid) ?? nothing;
      const last = seen.get(tid) ?? nothing;
      // A number that counts from the beginning again is another thread's.
      const since = now.ranUs < last.ranUs ? nothing : last;
      used.set(tid, {
        ranUs: sum.ranUs + now.ranUs - since.ranUs,
        waitedUs: sum.waitedUs + Math.max(0, now.waitedUs - since.waitedUs),
      });
      seen.set(tid, now);
    }
  }
  const busiest = [...used.values()].reduce(
    (most, one) => (busyUs(one) > busyUs(most) ? one : most),
    nothing,
  );
  const threadsUs = [...used.values()].reduce((sum, { ranUs }) => sum + ranUs, 0);
  return { ranUs: Math.max(threadsUs, leastOfProcesses(readings)), busiest };
}

/** What the processes used at least, threads that were never seen included. */
function leastOfProcesses(readings: readonly CpuReading[]): number {
  const first = readings[0]?.processesUs;
  const last = readings.at(-1)?.processesUs;
  let sumUs = 0;
  for (const [pid, us] of last ?? []) sumUs += Math.max(0, us - (first?.get(pid) ?? 0) - tickSlackUs);
  return sumUs;
}

function busyUs({ ranUs, waitedUs }: ThreadUse): number {
  return ranUs + waitedUs;
}
