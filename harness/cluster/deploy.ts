// Exchanges the servers of a trial, in the steps that core/policy/server/deploy-plan.ts says: tells what is
// in front of them, drains, stops, starts again, and waits for each step to be over.

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

/** How long a server has to say goodbye to those who are left. */
const goodbyeMs = 15_000;
/** Until a process of a server listens that starts beside all that a trial does. */
const listenMs = 15_000;
/** How much later than its limit a server may say that it is drained. */
const lateMs = 5000;
/** How often it is looked whether the server still runs. */
const lookEveryMs = 50;

/**
 * Begins a deploy.
 * @returns undefined where there is none to begin; else whether all steps could be done
 */
export function beginDeploy(ask: DeployAsk, scene: DeployScene): Promise<boolean> | undefined {
  const numbersOf = (running: boolean) =>
    scene.servers.filter((one) => one.running === running).map(({ number }) => number);
  const steps = deploySteps(ask, numbersOf(true), numbersOf(false));
  return 'why' in steps ? undefined : take(steps, scene);
}

async function take(steps: readonly DeployStep[], scene: DeployScene): Promise<boolean> {
  for (const step of steps) {
    scene.over.throwIfAborted();
    if (step.do === 'pause') await scene.clock.until(scene.clock.nowUs() + step.ms * 1000, scene.over);
    else if (!(await each(step, scene))) return false;
  }
  return true;
}

/** A step for all of its servers at once. @returns whether it could be done for all */
async function each(step: Exclude<DeployStep, { do: 'pause' }>, scene: DeployScene): Promise<boolean> {
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
          return server.running && drained(server, step.plan, scene);
        case 'stop':
          return server.halt(goodbyeMs);
        case 'start':
          return server.begin(listenMs);
      }
    }),
  );
  return done.every(Boolean);
}

/** Whether it has said so; not where a fault ends it meanwhile. */
async function drained(server: Member, plan: DrainPlan, scene: DeployScene): Promise<boolean> {
  const { clock, over } = scene;
  const act = -1 - scene.act; // below all faults: a deploy began before its first server acts
  const { promise, resolve } = Promise.withResolvers<boolean>();
  server.on('drained', (report) => void (report.act === act && resolve(true)));
  server.send({ kind: 'drain', ...plan, act });
  const lastUs = clock.nowUs() + (plan.limitMs + lateMs) * 1000;
  const inVain = async () => {
    while (server.running && clock.nowUs() < lastUs)
      await clock.until(clock.nowUs() + lookEveryMs * 1000, over);
    return false;
  };
  return Promise.race([promise, inVain()]);
}
