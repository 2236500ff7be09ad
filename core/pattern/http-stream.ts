// Describes HTTP streaming: its options, and what follows from a response that does not end.

import { z } from 'zod';
import { oneWay, type Pattern } from './pattern.ts';
import { compression, gzip, heartbeat } from './shared-options.ts';
import { targetEntry } from './target-entry.ts';

const options = z.strictObject({ gzip, heartbeat });

export const httpStream = {
  title: 'HTTP streaming',
  how: 'one response that does not end, a line of JSON for each event',
  path: '/stream',
  options,
  quick: { heartbeat: '50ms' },
  lacks: { upstream: oneWay },
  holdsConnection: true,
  holdsRequest: () => true,
  meetsEveryMs: ({ heartbeat: every }) => every,
  pageOpens: 'fetch',
  compression,
  target: {
    entry: targetEntry('a response that does not end, lines in it'),
    clientOptions: ['gzip'],
  },
} as const satisfies Pattern<typeof options>;
