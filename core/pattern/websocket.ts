// Describes WebSocket: its options, and what a target file says of one.

import { z } from 'zod';
import { interval } from '../base/quantities.ts';
import type { Pattern } from './pattern.ts';
import { subscribeMessage, targetEntry } from './target-entry.ts';

const options = z.strictObject({
  deflate: z.boolean().default(false).describe('permessage-deflate'),
  ping: interval
    .prefault('25s')
    .describe('time between two pings; a client silent for two of them is cut off'),
  fallback: z
    .array(z.enum(['sse', 'long-polling']))
    .max(2)
    .refine((names) => new Set(names).size === names.length, { error: 'names a pattern twice' })
    .default([])
    .describe(
      'patterns that a client moves to, in this order, if it cannot get a WebSocket: sse, ' +
        'long-polling; none when left out',
    ),
  again: z
    .boolean()
    .default(false)
    .describe(
      'with fallback: the client also moves after a later loss; otherwise it keeps a transport that ' +
        'has worked',
    ),
});

export const websocket = {
  title: 'WebSocket',
  how: 'one connection on which both sides send messages',
  path: '/ws',
  options,
  quick: { ping: '50ms' },
  lacks: {},
  holdsConnection: true,
  meetsEveryMs: ({ ping }) => ping,
  fallsBackTo: ({ fallback }) => fallback,
  pageOpens: 'WebSocket',
  compression: ({ deflate }) => (deflate ? 'permessage-deflate' : undefined),
  target: {
    entry: targetEntry('a WebSocket', {
      protocol: z
        .string()
        .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, { error: 'the name of one subprotocol' })
        .optional()
        .describe('subprotocol to ask for'),
      send: z
        .array(subscribeMessage)
        .max(20)
        .default([])
        .describe(
          'messages to send once connected, in order; a message with {topic} is sent once for each topic',
        ),
    }),
    clientOptions: ['deflate'],
  },
} as const satisfies Pattern<typeof options>;
