// Describes what a network does to the connections that go through it: how a scenario writes it, and the
// numbers that follow. Scenarios, faults and the proxy's process share it; network/ carries it out.

import { z } from 'zod';
import { byteRate, duration, interval, share, size } from '../base/quantities.ts';
import { formatBytes, formatShare, writeDuration } from '../base/units.ts';

/** Which connections: those of clients to whatever they connect to, or those of servers to their broker. */
export const placements = ['clients', 'broker'] as const;
export type Placement = (typeof placements)[number];

/** What a proxy that knows no WebSocket answers to an Upgrade. */
const refusals = [400, 403, 502] as const;
/** Where the size is not said; nginx has buffers of 4 or 8 KiB. */
const bufferDefaultBytes = 8 * 1024;
const bufferMostBytes = 1024 ** 2;
/** Less would not carry a segment in a second, and what comes next would wait for minutes. */
const bandwidthLeastPerS = 1024;
/** TCP gives up, rather than being slow. */
const lossMost = 0.5;

/** `up`: from clients to servers, or from servers to the broker. */
export const directions = ['up', 'down'] as const;
export type Direction = (typeof directions)[number];

const bandwidth = byteRate.refine((perS) => perS >= bandwidthLeastPerS, {
  error: 'less than 1KiB/s is not possible',
});

/** What a network may be like all the time. */
const steadyShape = {
  latency: duration
    .optional()
    .describe('how much longer bytes take in each direction; a round trip takes twice this time longer'),
  jitter: duration
    .optional()
    .describe('the latency of each piece varies by up to this much, either way; the order of bytes is kept'),
  bandwidth: z
    .union([
      bandwidth.transform((perS) => ({ up: perS, down: perS })),
      z.strictObject({
        up: bandwidth.optional().describe('to the servers, or to the broker'),
        down: bandwidth.optional().describe('back from there'),
      }),
    ])
    .optional()
    .describe('limit of each connection: for both directions, or "up" (to the server) and "down" separately'),
  loss: share
    .refine((value) => value > 0 && value <= lossMost, { error: 'a loss is more than 0%, and 50% at most' })
    .optional()
    .describe('share of TCP segments that are lost and sent again; the bytes behind them wait'),
  idle: interval
    .optional()
    .describe('cuts connections on which nothing was sent for this long, as load balancers do'),
  upgrade: z
    .union([z.literal('refused').transform(() => 403 as const), z.literal(refusals), z.literal('stripped')])
    .optional()
    .describe(
      'refused: the network answers a WebSocket with 403 (or 400, 502); stripped: its Upgrade header ' +
        'is removed',
    ),
  responses: z
    .union([
      z.literal('buffered').transform(() => bufferDefaultBytes),
      size.refine((bytes) => bytes >= 1 && bytes <= bufferMostBytes, { error: 'from 1B to 1MiB' }),
    ])
    .optional()
    .describe(
      'buffered: a response is passed on when it ends, or in pieces of 8KiB (or the given size), as by ' +
        'a buffering proxy',
    ),
};

/** What only a fault makes of it: for a while, or at once. */
const faultShape = {
  reset: z.literal(true).optional().describe('connections are reset when it begins'),
  silence: z
    .enum(['both', ...directions])
    .optional()
    .describe('connections stay open and nothing passes: in both directions, or only up or down'),
  'black-hole': z.literal(true).optional().describe('new connections get no answer'),
  partition: z.literal(true).optional().describe('connections are reset, and so is every new one'),
};

type Written = z.output<z.ZodObject<typeof steadyShape & typeof faultShape>>;

/** What is done to a connection. Whatever is left out is as without a proxy. */
export type Conditions = {
  latencyMs?: number;
  jitterMs?: number;
  /** Bytes a second of each connection. */
  bandwidth?: { readonly [D in Direction]?: number | undefined };
  loss?: number;
  idleMs?: number;
  /** The status that answers an Upgrade, or its header is taken away. */
  upgrade?: (typeof refusals)[number] | 'stripped';
  /** Responses pass on in pieces of this size, and when they end. */
  bufferBytes?: number;
  silence?: 'both' | Direction;
  blackHole?: true;
  partition?: true;
};

/** @returns only the conditions that are written, so that one set can be laid over another */
function conditionsOf(written: Partial<Written>): Conditions {
  const all = {
    latencyMs: written.latency,
    jitterMs: written.jitter,
    bandwidth: written.bandwidth,
    loss: written.loss,
    idleMs: written.idle,
    upgrade: written.upgrade,
    bufferBytes: written.responses,
    silence: written.silence,
    blackHole: written['black-hole'],
    partition: written.partition,
  };
  // What is left is of the type's own keys, none undefined.
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Conditions;
}

const jitterFits = ({ latency = 0, jitter = 0 }: Partial<Written>) => jitter <= latency;
const jitterMessage = 'jitter is more than latency, and nothing arrives before it was sent';

/** A scenario's `network`: what it is like from the first connection to the last. */
export const steadyNetwork = z
  .strictObject({
    ...steadyShape,
    between: z
      .enum(placements)
      .default('clients')
      .describe('clients: between subscribers and servers (or HAProxy); broker: between servers and broker'),
  })
  .refine(jitterFits, { error: jitterMessage, path: ['jitter'] })
  .refine((written) => Object.keys(conditionsOf(written)).length > 0, {
    error: 'it sets no property of the network; leave it out',
  })
  .transform(({ between, ...rest }) => ({ between, conditions: conditionsOf(rest) }));
export type SteadyNetwork = z.output<typeof steadyNetwork>;

/** A fault's `network`: what becomes of it. */
export const troubledNetwork = z
  .strictObject({ ...steadyShape, ...faultShape })
  .refine(jitterFits, { error: jitterMessage, path: ['jitter'] })
  .refine((written) => Object.values(written).some((value) => value !== undefined), {
    error: `what happens to the network: ${Object.keys({ ...steadyShape, ...faultShape }).join(', ')}`,
  })
  .transform((written) => ({ reset: written.reset === true, conditions: conditionsOf(written) }));

/** What the conditions look at in HTTP/1.1; nothing of it works on connections that speak anything else. */
export function looksInside({ upgrade, bufferBytes }: Conditions): boolean {
  return upgrade !== undefined || bufferBytes !== undefined;
}

/** Whether bytes that one side sent may never reach the other, or connections that one side counts. */
export function losesBytes(conditions: Conditions): boolean {
  const { idleMs, silence, blackHole, partition } = conditions;
  return (
    looksInside(conditions) ||
    [idleMs, silence, blackHole, partition].some((condition) => condition !== undefined)
  );
}

/** For people: `latency 40ms ± 10ms, 1 % of segments lost`. */
export function describeConditions(conditions: Conditions): string {
  const { latencyMs, jitterMs, bandwidth, loss, idleMs, upgrade, bufferBytes, silence } = conditions;
  const ways = { both: 'either way', up: 'to the servers', down: 'from the servers' };
  const parts = [
    latencyMs !== undefined &&
      `latency ${writeDuration(latencyMs)}${jitterMs ? ` ± ${writeDuration(jitterMs)}` : ''} each way`,
    bandwidth && describeBandwidth(bandwidth),
    loss !== undefined && `${formatShare(loss)} of segments lost`,
    idleMs !== undefined && `connections silent for ${writeDuration(idleMs)} cut`,
    upgrade !== undefined &&
      (upgrade === 'stripped' ? 'Upgrade headers removed' : `Upgrade answered ${upgrade}`),
    bufferBytes !== undefined && `responses held up to ${formatBytes(bufferBytes)}`,
    silence && `nothing passed ${ways[silence]}`,
    conditions.blackHole && 'new connections got no answer',
    conditions.partition && 'connections reset, new ones too',
  ];
  return parts.filter((part) => typeof part === 'string').join(', ');
}

function describeBandwidth({ up, down }: NonNullable<Conditions['bandwidth']>): string {
  if (up !== undefined && up === down) return `${formatBytes(up)}/s each way`;
  return [
    ...(up === undefined ? [] : [`${formatBytes(up)}/s up`]),
    ...(down === undefined ? [] : [`${formatBytes(down)}/s down`]),
  ].join(' and ');
}
