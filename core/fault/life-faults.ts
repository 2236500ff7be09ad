// Describes the faults in which a process ends, or begins: servers that are stopped, killed and started
// again, and the broker between them. Entries of the table in faults.ts.

import { z } from 'zod';
import { interval } from '../base/quantities.ts';
import { formatShare, writeDuration } from '../base/units.ts';
import { defineFault, type Effects, type Which } from './fault.ts';
import { at, serverNumber, serversGone, serversRunning, whichText } from './fields.ts';

const text = (which: Which) => whichText(which, formatShare);
const notOnTarget = () => 'the scenario stops and starts servers, and only our own can be';

/**
 * Who asks a server that is gone gets no answer, and what the server did not confirm is published again, at
 * another one: later events of the topic may wait for that.
 */
const goneEffects: Effects = {
  reconnects: true,
  failures: true,
  latePublisher: true,
  pollsLeftOut: 'unknown',
};

export const stop = defineFault({
  schema: z
    .strictObject({
      at,
      stop: serversRunning.describe(
        'these servers say goodbye and end: one by its number from 1, a share such as 50%, or all',
      ),
    })
    .transform((v) => ({ kind: 'stop' as const, atMs: v.at, servers: v.stop })),
  acts: ({ servers }) => [{ do: 'stop', servers }],
  did: ({ servers }) => `${text(servers)} said goodbye and ended`,
  effects: () => goneEffects,
  notOnTarget,
});

export const kill = defineFault({
  schema: z
    .strictObject({
      at,
      kill: serversRunning.describe(
        'these servers are killed (SIGKILL): one by its number from 1, a share such as 50%, or all',
      ),
    })
    .transform((v) => ({ kind: 'kill' as const, atMs: v.at, servers: v.kill })),
  acts: ({ servers }) => [{ do: 'kill', servers }],
  did: ({ servers }) => `${text(servers)} ${typeof servers === 'number' ? 'was' : 'were'} killed`,
  effects: () => goneEffects,
  notOnTarget,
});

export const restart = defineFault({
  schema: z
    .strictObject({
      at,
      restart: serversGone.describe(
        'a server that was stopped or killed starts again, on the same port: by its number from 1, or all',
      ),
    })
    .transform((v) => ({ kind: 'restart' as const, atMs: v.at, servers: v.restart })),
  acts: ({ servers }) => [{ do: 'restart', servers }],
  did: ({ servers }) => `${servers === 'all' ? 'all servers that were gone' : text(servers)} started again`,
  effects: () => ({ failures: true }),
  notOnTarget,
});

export const start = defineFault({
  schema: z
    .strictObject({
      at,
      start: serverNumber.describe('a server starts that did not run before: the next number after the last'),
    })
    .transform((v) => ({ kind: 'start' as const, atMs: v.at, server: v.start })),
  acts: ({ server }) => [{ do: 'start', servers: server }],
  did: ({ server }) => `server ${server} started, which had not run before`,
  effects: () => ({ failures: true }),
  notOnTarget,
});

const brokerWords = {
  restart: 'was stopped and',
  kill: 'was killed and',
  freeze: 'stood still and',
} as const;

export const broker = defineFault({
  schema: z
    .strictObject({
      at,
      broker: z
        .enum(['restart', 'freeze', 'kill'])
        .describe("the broker's process is stopped (restart), frozen (freeze) or killed (kill)"),
      for: interval
        .optional()
        .describe(
          'how long it is away; then it is back with the data that it keeps. When left out, it does not ' +
            'come back',
        ),
    })
    .refine((v) => v.broker === 'kill' || v.for !== undefined, {
      path: ['for'],
      error: 'say for how long; only with broker: kill it may stay away',
    })
    .transform((v) => ({ kind: 'broker' as const, atMs: v.at, how: v.broker, forMs: v.for })),
  lasts: { what: 'absence of the broker', ms: ({ forMs }) => forMs },
  acts: ({ how, forMs }) => [{ do: 'broker', how, forMs }],
  did: ({ how, forMs }) =>
    forMs === undefined
      ? 'the broker was killed'
      : `the broker ${brokerWords[how]} came back after ${writeDuration(forMs)}`,
  effects: () => goneEffects,
  notOnTarget: () => 'the scenario disturbs a broker between our servers, and a target has none of ours',
});
