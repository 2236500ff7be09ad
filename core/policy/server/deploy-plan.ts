// Decides in which steps the servers of a cluster are replaced: one after the other (rolling), or all at
// once for others that were started beside them (blue-green). Pure: the harness carries the steps out.

import type { DrainPlan } from './drain.ts';

export const deployKinds = ['rolling', 'blue-green'] as const;

export type DeployAsk = {
  readonly how: (typeof deployKinds)[number];
  readonly drain: DrainPlan;
  /** Rolling: between a server that is back and the next that goes. Blue-green: before the old ones go. */
  readonly pauseMs: number;
  /** Rolling: how many are replaced at a time. */
  readonly parallel: number;
};

/** One after the other; what a step names several servers for is done for all of them at once. */
export type DeployStep =
  /** What is in front gives them no new connections; where nothing is, they refuse by themselves later. */
  | { readonly do: 'divert'; readonly servers: readonly number[] }
  /** Those there are told to go, and it is over when they have gone. */
  | { readonly do: 'drain'; readonly servers: readonly number[]; readonly plan: DrainPlan }
  | { readonly do: 'stop'; readonly servers: readonly number[] }
  /** It is over when they listen. */
  | { readonly do: 'start'; readonly servers: readonly number[] }
  /** What is in front gives them connections again. */
  | { readonly do: 'admit'; readonly servers: readonly number[] }
  | { readonly do: 'pause'; readonly ms: number };

/** Why there are no steps. */
export type NoDeploy = { readonly why: string };

/**
 * @param running the servers that run, by their numbers
 * @param idle servers that do not run and may be started
 */
export function deploySteps(
  ask: DeployAsk,
  running: readonly number[],
  idle: readonly number[],
): DeployStep[] | NoDeploy {
  if (running.length === 0) return { why: 'no server runs then' };
  if (ask.how === 'rolling') return rolling(ask, running);
  if (idle.length < running.length)
    return { why: `there are ${running.length} servers to replace, and ${idle.length} to take their place` };
  return blueGreen(ask, running, idle.slice(0, running.length));
}

function rolling({ drain, pauseMs, parallel }: DeployAsk, running: readonly number[]): DeployStep[] {
  const batches = Array.from({ length: Math.ceil(running.length / parallel) }, (_, i) =>
    running.slice(i * parallel, (i + 1) * parallel),
  );
  return batches.flatMap((servers, i): DeployStep[] => [
    ...(i > 0 && pauseMs > 0 ? [{ do: 'pause', ms: pauseMs } as const] : []),
    { do: 'divert', servers },
    { do: 'drain', servers, plan: drain },
    { do: 'stop', servers },
    { do: 'start', servers },
    { do: 'admit', servers },
  ]);
}

function blueGreen(
  { drain, pauseMs }: DeployAsk,
  blue: readonly number[],
  green: readonly number[],
): DeployStep[] {
  return [
    // Otherwise the first one that listens gets every new connection, as it has the fewest.
    { do: 'divert', servers: green },
    { do: 'start', servers: green },
    ...(pauseMs > 0 ? [{ do: 'pause', ms: pauseMs } as const] : []),
    { do: 'admit', servers: green },
    { do: 'divert', servers: blue },
    { do: 'drain', servers: blue, plan: drain },
    { do: 'stop', servers: blue },
  ];
}

/**
 * How long a deploy takes at least, whatever starting and stopping take: a drain is over when the last
 * one was told.
 * @param count servers that run
 */
export function leastDeployMs({ how, drain, pauseMs, parallel }: DeployAsk, count: number): number {
  const windowMs = Math.min(drain.windowMs, drain.limitMs);
  if (how === 'blue-green') return windowMs + pauseMs;
  const batches = Math.ceil(count / parallel);
  return batches * windowMs + (batches - 1) * pauseMs;
}
