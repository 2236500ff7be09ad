// Simulates trials in a thread of its own, so that the command that asks for them hears signals meanwhile. It
// is given the scenario and makes the schedule from it, event by event.

import { parentPort } from 'node:worker_threads';
import { UserError } from '../core/base/errors.ts';
import { scheduleOf, type Schedule } from '../core/plan/schedule.ts';
import type { Trial } from '../core/result/result.ts';
import { sourcesIn } from '../harness/plan/sources.ts';
import { models } from '../simulation/registry.ts';
import { simulateTrial, type SimulatedTrialInput } from '../simulation/simulate.ts';

/** A trial, with the folder in which the scenario's traces and bodies are. */
export type Asked = Omit<SimulatedTrialInput, 'schedule' | 'computed'> & { folder: string };
/** What comes back in the end; an error that is none of a user's ends the thread. */
export type Answer = { trial: Trial } | { code: string; message: string };
/** What the thread says; until the end, how much it has computed. */
export type Said = Answer | { computed: number };

const saidEveryMs = 200;
/** Of the last scenario: files are read once for all its trials. */
let last: { key: string; schedule: Schedule } | undefined;

parentPort?.on('message', (asked: Asked) => {
  parentPort?.postMessage(answerTo(asked));
});

function answerTo({ folder, ...asked }: Asked): Answer {
  let saidMs = performance.now();
  const computed = (share: number) => {
    if (performance.now() - saidMs < saidEveryMs) return;
    saidMs = performance.now();
    parentPort?.postMessage({ computed: share } satisfies Said);
  };
  try {
    const schedule = scheduleIn(folder, asked);
    return { trial: simulateTrial({ ...asked, schedule, computed }, models, new Date()) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.code, message: error.message };
  }
}

function scheduleIn(folder: string, { scenario }: Pick<Asked, 'scenario'>): Schedule {
  const { seed, subscribers, payload, phases, topics } = scenario;
  const key = JSON.stringify([folder, seed, subscribers, payload, phases, topics]);
  if (last?.key !== key) last = { key, schedule: scheduleOf(scenario, sourcesIn(folder)) };
  return last.schedule;
}
