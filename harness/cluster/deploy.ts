// Replaces the servers of a trial, in the steps of core/policy/server/deploy-plan.ts: tells the proxy in
// front of them, drains, stops, starts again, and waits for each step to be over.

import { deploySteps, type DeployAsk, type DeployStep } from '../../core/policy/server/deploy-plan.ts';
import type { DrainPlan } from '../../core/policy/server/drain.ts';
import type { Clock } from '../../core/base/clock.ts';
import type { Member } from './member.ts';
import type { FrontProcess } from './in-front.ts';

/** A server, as far as a deploy needs it. */
type Replaced = Pick<Member, 'number' | 'running' | 'drain' | 'halt' | 'begin'>;

/** What has to be there for it. */
export type DeployScene = {
  clock: Clock;
  servers: readonly Replaced[];
  /** Undefined where subscribers know the servers themselves. */
  front: Pick<FrontProcess, 'drain' | 'ready'> | undefined;
  /** Aborted when the trial is over. */
  over: AbortSignal;
  /** The number that processes say the fault by. */
  act: number;
};

type ServerStep = Exclude<DeployStep, { do: 'pause' }>;

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

/** Takes a step for all of its servers at once. @returns why it could not be done for one of them */
async function each(step: ServerStep, scene: DeployScene): Promise<string | undefined> {
  const whys = await Promise.all(step.servers.map((number) => takeFor(step, number, scene)));
  return whys.find((why) => why !== undefined);
}

/**
 * Takes a step for one of its servers.
 * @returns why it could not be done, or undefined
 * @throws what the proxy in front says, where it cannot be told
 */
async function takeFor(step: ServerStep, number: number, scene: DeployScene): Promise<string | undefined> {
  const { servers, front } = scene;
  const server = servers[number - 1]!; // the steps name servers of the scene
  switch (step.do) {
    case 'divert':
      await front?.drain(number);
      return undefined;
    case 'admit':
      await front?.ready(number);
      return undefined;
    case 'drain':
      if (await drained(server, step.plan, scene)) return undefined;
      return `server ${number} was not drained: it ended, or still had clients long after the limit`;
    case 'stop':
      return (await server.halt()) ? undefined : `server ${number} did not run`;
    case 'start':
      return (await server.begin()) ? undefined : `server ${number} did not come up`;
  }
}

/** Whether all clients of a server have gone; false where it ends before, or says nothing. */
async function drained(
  server: Replaced,
  plan: DrainPlan,
  { clock, over, act }: DeployScene,
): Promise<boolean> {
  const settled = new AbortController();
  const lastUs = clock.nowUs() + (plan.limitMs + lateMs) * 1000;
  const late = clock.until(lastUs, AbortSignal.any([over, settled.signal])).then(() => false);
  try {
    return await Promise.race([server.drain(plan, act), late]);
  } finally {
    settled.abort();
  }
}
