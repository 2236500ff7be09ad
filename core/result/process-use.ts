// Describes what a trial's processes took: CPU, memory, event loop, descriptors.

import { z } from 'zod';

const count = z.int().min(0);

export const processUse = z.strictObject({
  role: z.enum(['server', 'load', 'publisher']),
  index: count.optional().describe('among those of its role, from 0; left out in older results'),
  pid: count,
  cpuUs: z.number().describe('user and system CPU time during the measured phase'),
  wallUs: z.number().describe('length of the stretch that cpuUs was taken over'),
  rssBaselineBytes: z
    .number()
    .describe('resident memory before the first subscriber, after a forced collection'),
  rssConnectedBytes: z
    .number()
    .describe(
      'resident memory with all subscribers connected, before the first event, after a forced collection',
    ),
  rssPeakBytes: z.number(),
  loopDelayP99Us: z
    .number()
    .describe(
      "worst slot; a server's: how long a turn of its event loop took, the load side's: how late a timer " +
        'of 10 ms came to its turn',
    ),
  loopDelayMaxUs: z.number(),
  gcPauseUs: z.number().describe('total during the measured phase'),
  outside: z
    .literal(true)
    .optional()
    .describe(
      'a process that is not ours, read from /proc: no collection was forced, event loop and garbage ' +
        'collection were not measured and are 0',
    ),
});

export type ProcessUse = z.infer<typeof processUse>;

export const descriptors = z.strictObject({
  limit: count.describe("the server process's own soft limit, read at run time"),
  baseline: count,
  connected: count.describe('at rest: all subscribers connected, no event yet'),
  peak: count.describe('the highest sample, read once a slot of the series; a shorter peak goes unseen'),
  socketsBaseline: count,
  socketsConnected: count,
});
