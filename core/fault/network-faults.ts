// Describes the faults of the way between processes: what becomes of the network, and subscribers that do not
// read what has come.

import { z } from 'zod';
import { byteRate, interval, share } from '../base/quantities.ts';
import { formatBytes, formatShare, writeDuration } from '../base/units.ts';
import {
  describeConditions,
  losesBytes,
  placements,
  troubledNetwork,
  type Conditions,
  type Placement,
} from '../network/conditions.ts';
import { defineFault } from './fault.ts';
import { at } from './fields.ts';

/** What the network's process is told. */
type Impose = {
  kind: 'impose';
  conditions: Conditions;
  reset: boolean;
  between: Placement;
  share: number;
  /** Until the end when left out. */
  forMs?: number;
};

const everything = 1;

/** A reset alone happens at once. */
const goesOn = (conditions: Conditions) => Object.keys(conditions).length > 0;
/** @param conditions undefined where the entry has another mistake, which is told by itself */
const isResetAlone = (conditions: Conditions | undefined) => conditions !== undefined && !goesOn(conditions);

export const network = defineFault({
  schema: z
    .strictObject({
      at,
      network: troubledNetwork.describe('how the network changes'),
      between: z
        .enum(placements)
        .default('clients')
        .describe('clients: connections of subscribers; broker: connections of servers to their broker'),
      share: share
        .prefault('100%')
        .describe(
          'share of these connections; with between: broker a share of the servers, each with all of its ' +
            'connections',
        ),
      for: interval
        .optional()
        .describe('how long; until the end of the trial when left out. A reset happens at once'),
    })
    .superRefine(({ network, for: forMs }, context) => {
      if (isResetAlone(network.conditions) && forMs !== undefined)
        context.addIssue({ code: 'custom', path: ['for'], message: 'a reset happens at once; leave it out' });
    })
    .transform(({ at: atMs, network: { conditions, reset }, between, share, for: forMs }) => ({
      kind: 'network' as const,
      atMs,
      conditions,
      reset,
      between,
      share,
      ...(forMs !== undefined && { forMs }),
    })),
  lasts: {
    what: 'trouble of the network',
    ms: ({ conditions, forMs }) => forMs ?? (goesOn(conditions) ? Infinity : undefined),
  },
  acts: ({ conditions, reset, between, share, forMs }) => {
    const command: Impose = {
      kind: 'impose',
      conditions,
      reset,
      between,
      share,
      ...(forMs !== undefined && { forMs }),
    };
    return [{ do: 'tell', role: 'network', command }];
  },
  did: ({ conditions, reset, between, share, forMs }) => {
    const part = share === everything ? 'all' : `${formatShare(share)} of the`;
    const those =
      between === 'clients'
        ? `${part} connections of subscribers`
        : `the connections of ${part} servers to their broker`;
    const what = [
      ...(reset ? ['reset'] : []),
      ...(goesOn(conditions) ? [describeConditions(conditions)] : []),
    ];
    const howLong = forMs === undefined ? 'until the end' : `for ${writeDuration(forMs)}`;
    return `${those}: ${what.join(', ')}${goesOn(conditions) ? ` ${howLong}` : ''}`;
  },
  effects: ({ conditions, reset, between }) => ({
    pollsLeftOut: 'unknown', // who waits for an answer does not ask
    ...(between === 'clients' && {
      reconnects: true,
      failures: true,
      ...((reset || losesBytes(conditions)) && { losesBytes: true }),
    }),
  }),
  notOnTarget: () => 'the scenario has a network between clients and our own servers',
});

export const slow = defineFault({
  schema: z
    .strictObject({
      at,
      slow: share.describe('this share of the subscribers reads slowly, or not at all'),
      rate: byteRate.prefault('0B/s').describe('how fast; not at all when left out'),
      for: interval.describe('how long; then they read normally again'),
    })
    .transform((v) => ({
      kind: 'slow' as const,
      atMs: v.at,
      share: v.slow,
      bytesPerS: v.rate,
      forMs: v.for,
    })),
  lasts: { what: 'slow reading', ms: ({ forMs }) => forMs },
  acts: ({ share, bytesPerS, forMs }) => [
    { do: 'tell', role: 'load', command: { kind: 'slow', share, bytesPerS, forMs } },
  ],
  did: ({ share, bytesPerS, forMs }) =>
    `${formatShare(share)} of the subscribers read ` +
    `${bytesPerS === 0 ? 'nothing' : `${formatBytes(bytesPerS)}/s`} for ${writeDuration(forMs)}`,
  effects: () => ({ reconnects: true }), // the server may cut them off
  notOnTarget: () => 'the scenario lets subscribers read slowly, which those of targets cannot do',
});
