// Describes polling: its options, and what follows from asking on a schedule.

import { z } from 'zod';
import { interval, share } from '../base/quantities.ts';
import { oneWay, type Pattern } from './pattern.ts';
import { compression, connection, gzip } from './shared-options.ts';
import { cursor, targetEntry } from './target-entry.ts';

const options = z.strictObject({
  every: interval.prefault('1s').describe('time between two polls of one subscriber'),
  jitter: share
    .prefault('10%')
    .describe('each wait differs from `every` by up to this share, so that clients do not all poll at once'),
  conditional: z.boolean().default(true).describe('send If-None-Match and accept 304 for "nothing new"'),
  gzip,
  connection,
});

export const polling = {
  title: 'Polling',
  how: 'the client asks on a schedule',
  path: '/poll',
  options,
  quick: { every: '200ms' },
  lacks: { upstream: oneWay },
  holdsConnection: true,
  fromHistory: true,
  waitMs: ({ every, jitter }) => every * (1 + jitter),
  asksEveryMs: ({ every }) => every,
  meetsEveryMs: ({ every }) => every,
  answersAtOnce: true,
  compression,
  target: {
    entry: targetEntry('polls that are answered at once', {
      cursor: cursor.default('etag'),
      untilEmpty: z
        .boolean()
        .default(false)
        .describe('an answer contains only one event, so the client asks again at once until there is none'),
    }),
    clientOptions: ['every', 'jitter', 'gzip', 'connection'],
  },
} as const satisfies Pattern<typeof options>;
