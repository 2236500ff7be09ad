// Describes the faults of deploys, and faults that look like a deploy to a client: servers that drain, that
// are replaced, or that refuse. Entries of the table in faults.ts.

import { z } from 'zod';
import { duration, interval } from '../base/quantities.ts';
import { writeDuration } from '../base/units.ts';
import { deployKinds } from '../policy/server/deploy-plan.ts';
import type { DrainPlan } from '../policy/server/drain.ts';
import { refuseModes } from '../policy/server/refuse.ts';
import { defineFault, type Effects } from './fault.ts';
import { at, mostServers, serverNumber, whichText } from './fields.ts';

const notOnTarget = () =>
  'the scenario tells servers to send their clients away, and only our own servers can do that';

/** A draining server refuses new clients, and its old ones reconnect later, elsewhere. */
const goodbyeEffects: Effects = { reconnects: true, failures: true, pollsLeftOut: 'unknown' };

/** How clients are sent away; docs/cluster/deploys.md. */
const letGoFields = {
  window: duration.prefault('10s').describe('clients are sent away over this time; 0s: all at once'),
  limit: duration
    .optional()
    .describe(
      'connections that are left then are closed, counted from the beginning like the window; 5s after ' +
        'it when left out',
    ),
  advise: duration
    .optional()
    .describe('each client is advised a wait before it comes back, drawn between 0 and this time'),
};

type LetGo = { window: number; limit?: number | undefined; advise?: number | undefined };
const afterWindowMs = 5000;

const limitHolds = ({ window, limit }: LetGo) => limit === undefined || limit >= window;
const limitTooShort = {
  path: ['limit'],
  error: 'shorter than the window, so that some would be closed before they are told; make it as long',
};

function planOf({ window, limit = window + afterWindowMs, advise }: LetGo): DrainPlan {
  return { windowMs: window, limitMs: limit, ...(advise !== undefined && { adviseMs: advise }) };
}

const modes = refuseModes.filter((mode) => mode !== 'off');
const refusals = {
  'accept-then-close': 'closed new connections as soon as it had accepted them',
  'dependency-down': 'refused its subscribers, as a dependency was down',
} as const;

export const drain = defineFault({
  schema: z
    .strictObject({
      at,
      drain: z
        .union([serverNumber, z.literal('all')])
        .describe(
          'these servers send their clients away and take no new ones: one by its number from 1, or all',
        ),
      ...letGoFields,
    })
    .refine(limitHolds, limitTooShort)
    .transform((v) => ({ kind: 'drain' as const, atMs: v.at, servers: v.drain, plan: planOf(v) })),
  acts: ({ servers, plan }) => [
    {
      do: 'tell',
      role: 'server',
      command: { kind: 'drain', ...plan },
      server: servers === 'all' ? undefined : servers,
    },
  ],
  did: ({ servers, plan }) =>
    `${whichText(servers, String)} began to let ${servers === 'all' ? 'their' : 'its'} clients go, ` +
    (plan.windowMs === 0 ? 'all at once' : `over ${writeDuration(plan.windowMs)}`),
  effects: () => goodbyeEffects,
  notOnTarget,
});

export const refuse = defineFault({
  schema: z
    .strictObject({
      at,
      refuse: z
        .enum(modes)
        .describe(
          'accept-then-close: new connections are closed as soon as they are accepted; ' +
            'dependency-down: all subscribers are sent away with an error, and new ones refused',
        ),
      for: interval.describe('for how long'),
      server: serverNumber.optional().describe('only this one of several servers, by its number from 1'),
    })
    .transform((v) => ({
      kind: 'refuse' as const,
      atMs: v.at,
      mode: v.refuse,
      forMs: v.for,
      ...(v.server !== undefined && { server: v.server }),
    })),
  lasts: { what: 'refusal', ms: ({ forMs }) => forMs },
  acts: ({ mode, forMs, server }) => [
    { do: 'tell', role: 'server', command: { kind: 'refuse', mode, forMs }, server },
  ],
  did: ({ mode, forMs, server }) =>
    `${server === undefined ? 'the server' : `server ${server}`} ${refusals[mode]}, ` +
    `for ${writeDuration(forMs)}`,
  // A publisher that has to connect again meanwhile cannot.
  effects: ({ mode }) => ({
    ...goodbyeEffects,
    ...(mode === 'accept-then-close' && { latePublisher: true }),
  }),
  notOnTarget,
});

export const deploy = defineFault({
  schema: z
    .strictObject({
      at,
      deploy: z
        .enum(deployKinds)
        .describe(
          'rolling: one server after the other is drained, stopped and started again; blue-green: the ' +
            'same number of new servers starts, and then the old ones are drained and stopped',
        ),
      ...letGoFields,
      pause: duration
        .prefault('0s')
        .describe('rolling: between two servers; blue-green: before the old servers are drained'),
      parallel: z
        .int()
        .min(1)
        .max(mostServers)
        .default(1)
        .describe('rolling: how many servers are replaced at a time'),
    })
    .refine(limitHolds, limitTooShort)
    .refine(({ deploy: how, parallel }) => how === 'rolling' || parallel === 1, {
      path: ['parallel'],
      error: 'with blue-green all are replaced at once; leave it out',
    })
    .transform((v) => ({
      kind: 'deploy' as const,
      atMs: v.at,
      ask: { how: v.deploy, drain: planOf(v), pauseMs: v.pause, parallel: v.parallel },
    })),
  acts: ({ ask }) => [{ do: 'deploy', ask }],
  did: ({ ask: { how, drain: plan, parallel } }) =>
    how === 'blue-green'
      ? 'all servers were replaced by others, ' +
        (plan.windowMs === 0
          ? 'and clients were let go at once'
          : `with ${writeDuration(plan.windowMs)} for the goodbyes`)
      : `all servers were replaced, ${parallel === 1 ? 'one after the other' : `${parallel} at a time`}, ` +
        (plan.windowMs === 0
          ? 'each let its clients go at once'
          : `with ${writeDuration(plan.windowMs)} for the goodbyes of each`),
  effects: () => ({ ...goodbyeEffects, latePublisher: true }),
  notOnTarget,
});
