// Reads what a process knows about itself: CPU, memory, event-loop delay, garbage collection. Every child
// process uses it. The harness reads what can be seen from outside (descriptors, kernel memory).

import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { nowUs } from '../base/clock.ts';
import type { SelfSample } from './control.ts';

/** Of the timer that tells how late a process comes to its turn. */
const resolutionMs = 10;

/**
 * Starts to watch this process.
 * @param loop how its event loop is measured. `turns`: how long each turn took, which costs nothing while the
 *   process is idle: for servers, whose CPU is a figure (a timer of 10 ms costs 5 to 8 ms of it a second).
 *   `timer`: how late a timer came, which sees a process too that is kept from running: for the load side,
 *   which must be told when it is starved.
 * @returns a function that gives the sample since the last call (loop delay) or since the start (all else)
 */
export function watchSelf(loop: 'turns' | 'timer'): () => SelfSample {
  const delay = monitorEventLoopDelay(
    loop === 'turns' ? { samplePerIteration: true } : { resolution: resolutionMs },
  );
  const ownMs = loop === 'turns' ? 0 : resolutionMs;
  delay.enable();
  let gcCount = 0;
  let gcPauseUs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      gcCount++;
      gcPauseUs += Math.round(entry.duration * 1000);
    }
  });
  observer.observe({ entryTypes: ['gc'] });

  let memory = process.memoryUsage();
  return () => {
    const { user, system } = process.cpuUsage();
    try {
      memory = process.memoryUsage();
    } catch {
      // It is read from a file, and the process may have no descriptor left for one: then it is as it was.
    }
    const { rss, heapUsed } = memory;
    // A timer's reading holds its own interval; what is above that is delay.
    const beyond = (ns: number) => Math.max(0, Math.round(ns / 1000 - ownMs * 1000));
    const sample = {
      atUs: nowUs(),
      cpuUs: user + system,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      loopDelayP99Us: delay.count === 0 ? 0 : beyond(delay.percentile(99)),
      loopDelayMaxUs: delay.count === 0 ? 0 : beyond(delay.max),
      gcCount,
      gcPauseUs,
    };
    delay.reset();
    return sample;
  };
}

/** A full garbage collection, so that resident memory can be compared before and after. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
}
