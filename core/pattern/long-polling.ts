// Describes long polling: its options, and what follows from holding a request.

import { z } from 'zod';
import { duration, interval } from '../base/quantities.ts';
import { oneWay, type Pattern } from './pattern.ts';
import { compression, connection, gzip } from './shared-options.ts';
import { cursor, targetEntry } from './target-entry.ts';

const options = z.strictObject({
  hold: interval.prefault('25s').describe('how long the server holds a request that has nothing to say'),
  batch: duration
    .prefault('0s')
    .describe('how long the server collects more events after the first before it answers'),
  gzip,
  connection,
});

export const longPolling = {
  title: 'Long polling',
  how: 'the client asks, and the server holds the answer until there is one',
  path: '/long-poll',
  options,
  quick: { hold: '500ms', batch: '20ms' },
  lacks: { upstream: oneWay },
  holdsConnection: true,
  holdsRequest: () => true,
  fromHistory: true,
  waitMs: ({ batch }) => batch,
  meetsEveryMs: ({ hold }) => hold,
  compression,
  target: {
    entry: targetEntry('requests that are held until there is something', {
      cursor: cursor.default('etag'),
    }),
    clientOptions: ['gzip', 'connection'],
  },
} as const satisfies Pattern<typeof options>;
