// Replaces the servers of a trial, in the steps of core/policy/server/deploy-plan.ts: tells the proxy in
// front of them, drains, stops, starts again, and waits for each step to be over.

import { deploySteps, type DeployAsk, type DeployStep } from '../../core/policy/server/deploy-plan.ts';
import type { DrainPlan } from '../../core/policy/server/drain.ts';
import type { Clock } from '../../core/base/clock.ts';
import type { Member } from './member.ts';
import type { FrontProcess } from './in-front.ts';

/** What has to be there for it. */
export type DeployScene = {
  clock: Clock;
  servers: readonly Member[];
  /** Undefined where subscribers know the servers themselves. */
  front: Pick<FrontProcess, 'drain' | 'ready'> | undefined;
  /** Aborted when the trial is over. */
  over: AbortSignal;
  /** The number that processes say the fault by. */
  act: number;
};

/** How much later than its limit a server may say that it is drained. */
const lateMs = 15_000;

/**
 * Begins a deploy.
 * @returns undefined where there is none to begin; else why not all steps could be done, or undefined
 */
export function beginDeploy(ask: DeployAsk, scene: DeployScene): Promise<string | undefined> | undefined {
  const numbersOf = (running: boolean) =>
    scene.servers.filter((one) => one.running === running).map(({ number }) => number);
  const steps = deploySteps(ask, numbersOf(true), numbersOf(false));
  return 'why' in steps ? undefined : take(steps, scene);
}

async function take(steps: readonly DeployStep[], scene: DeployScene): Promise<string | undefined> {
  for (const step of steps) {
    scene.over.throwIfAborted();
    if (step.do === 'pause') await scene.clock.until(scene.clock.nowUs() + step.ms * 1000, scene.over);
    else {
      const why = await each(step, scene);
      if (why !== undefined) return why;
    }
  }
  return undefined;
}

/** What a step that could not be done for a server says of it. */
const whyNot = {
  divert: 'could not be taken out of what is in front',
  admit: 'could not be put back into what is in front',
  drain: 'was not drained: it ended, or still had clients long after the limit',
  stop: 'did not run',
  start: 'did not come up again',
} as const;

/** A step for all of its servers at once. @returns why it could not be done for one of them */
async function each(
  step: Exclude<DeployStep, { do: 'pause' }>,
  scene: DeployScene,
): Promise<string | undefined> {
  const { servers, front } = scene;
  const done = await Promise.all(
    step.servers.map((number): boolean | Promise<boolean> => {
      const server = servers[number - 1];
      if (!server) return false;
      switch (step.do) {
        case 'divert':
          return front ? front.drain(number).then(() => true) : true;
        case 'admit':
          return front ? front.ready(number).then(() => true) : true;
        case 'drain':
          return drained(server, step.plan, scene);
        case 'stop':
          return server.halt();
        case 'start':
          return server.begin();
      }
    }),
  );
  const number = step.servers[done.indexOf(false)];
  return number === undefined ? undefined : `server ${number} ${whyNot[step.do]}`;
}

/** Whether all clients of a server have gone; false where it ends before, or says nothing. */
async function drained(server: Member, plan: DrainPlan, { clock, over, act }: DeployScene): Promise<boolean> {
  const settled = new AbortController();
  const lastUs = clock.nowUs() + (plan.limitMs + lateMs) * 1000;
  const late = clock.until(lastUs, AbortSignal.any([over, settled.signal])).then(() => false);
  try {
    return await Promise.race([server.drain(plan, act), late]);
  } finally {
    settled.abort();
  }
}
