// Describes what is done to the proxy in front of several servers. An entry of the table in faults.ts.

import { z } from 'zod';
import { at, serverNumber } from './fields.ts';
import { defineFault, type Effects } from './fault.ts';

const words = ['drain', 'ready', 'shutdown', 'reload'] as const;
export type FrontAction = (typeof words)[number];

const effects: Record<FrontAction, Effects> = {
  drain: {},
  ready: {},
  shutdown: { reconnects: true, failures: true, pollsLeftOut: 'unknown' },
  reload: {},
};

const said: Record<FrontAction, (server: string) => string> = {
  drain: (server) => `HAProxy gave no new connections to ${server}`,
  ready: (server) => `HAProxy gave connections to ${server} again`,
  shutdown: (server) => `HAProxy closed all connections of ${server} at once`,
  reload: () => 'HAProxy was reloaded',
};

export const inFront = defineFault({
  schema: z
    .strictObject({
      at,
      'in-front': z
        .enum(words)
        .describe(
          'a command to HAProxy: drain (a server keeps its connections and gets no new ones), ready ' +
            '(it gets connections again), shutdown (all of its connections are closed at once), reload',
        ),
      server: serverNumber.optional().describe('which server, by its number from 1; not with reload'),
    })
    .refine((v) => (v['in-front'] === 'reload') === (v.server === undefined), {
      path: ['server'],
      error: 'drain, ready and shutdown are for one server: name it; a reload is for all',
    })
    .transform((v) => ({
      kind: 'in-front' as const,
      atMs: v.at,
      how: v['in-front'],
      ...(v.server !== undefined && { server: v.server }),
    })),
  acts: ({ how, server }) => [{ do: 'in-front', how, server }],
  did: ({ how, server }) => said[how](`server ${server}`),
  effects: ({ how }) => effects[how],
  notOnTarget: () => 'the scenario controls our own proxy; the one in front of a target is not ours',
});
