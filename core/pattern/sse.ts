// Describes SSE: its options, and what follows from the HTTP version that it goes over.

import { z } from 'zod';
import { duration } from '../base/quantities.ts';
import { oneWay, type Pattern } from './pattern.ts';
import { compression, gzip, heartbeat } from './shared-options.ts';
import { targetEntry } from './target-entry.ts';

const options = z.strictObject({
  over: z
    .enum(['h1', 'h2', 'h2c'])
    .default('h1')
    .describe('HTTP/1.1, HTTP/2 over TLS, or cleartext HTTP/2 with prior knowledge'),
  gzip,
  heartbeat,
  retry: duration.prefault('1s').describe('reconnection time the server tells its clients'),
});

export const sse = {
  title: 'SSE',
  how: 'one text/event-stream response that browsers read and reopen by themselves',
  path: '/events',
  options,
  unnamedInLabels: ['over'],
  quick: { heartbeat: '50ms' },
  lacks: { upstream: oneWay },
  holdsConnection: true,
  holdsRequest: ({ over }) => over === 'h1',
  httpVersion: ({ over }) => over,
  meetsEveryMs: ({ heartbeat: every }) => every,
  pageOpens: 'EventSource',
  compression,
  target: { entry: targetEntry('a text/event-stream'), clientOptions: ['gzip'] },
} as const satisfies Pattern<typeof options>;
