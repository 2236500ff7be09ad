// Describes what a trial's processes took: CPU, memory, event loop, descriptors.

import { z } from 'zod';

const count = z.int().min(0);

export const processUse = z.strictObject({
  role: z
    .enum(['server', 'load', 'publisher', 'broker', 'in-front', 'network'])
    .describe(
      'broker: connects several servers; in-front: HAProxy; network: our proxy that makes the network worse',
    ),
  index: count
    .optional()
    .describe('number among the processes of its role, from 0; left out in older results'),
  pid: count
    .optional()
    .describe(
      'if a fault started a server again, the number of its first process; 0: none ran at first; left ' +
        'out of simulations, like everything that only a process has',
    ),
  cpuUs: z.number().describe('user and system CPU time during the measured phase'),
  wallUs: z.number().describe('length of the time over which cpuUs was measured'),
  cpuSource: z
    .enum(['outside', 'self'])
    .optional()
    .describe(
      'who read cpuUs: the harness from outside (`/proc/PID/task/*/schedstat`), or the process itself, ' +
        'when it got to run; left out in older results, where each process read its own',
    ),
  busiest: z
    .strictObject({
      ranUs: z.number().describe('on a core'),
      waitedUs: z.number().describe('ready to run, while something else had the core'),
    })
    .optional()
    .describe('CPU of the thread that was busiest during wallUs; left out if threads were not read'),
  idleShare: z
    .number()
    .min(0)
    .optional()
    .describe(
      'CPU of a server, as a share of a core, before the first event: timers, idle connections and the ' +
        "harness's samples. Read with all subscribers connected, or before the first one if they poll. " +
        'Left out if it was not read, and in older results',
    ),
  rssBaselineBytes: z
    .number()
    .describe('resident memory before the first subscriber, after a forced collection'),
  rssConnectedBytes: z
    .number()
    .describe(
      'resident memory with all subscribers connected, before the first event, after a forced collection',
    ),
  rssPeakBytes: z.number().describe('the highest sample of the measured phase'),
  loopDelayP99Us: z
    .number()
    .optional()
    .describe(
      'the worst slot; for a server how long a turn of its event loop took, for the load side how late ' +
        'a timer of 10 ms fired',
    ),
  loopDelayMaxUs: z.number().optional().describe('the largest of the same'),
  gcPauseUs: z.number().optional().describe('total during the measured phase'),
  handshakes: count
    .optional()
    .describe(
      'for one of several servers: streams and sockets opened to it within the measured phase; left ' +
        'out in older results',
    ),
  subscribers: count
    .optional()
    .describe('for one of several servers: subscribers connected to it at the end of the measured phase'),
  descriptors: z
    .strictObject({
      baseline: count.describe('before the first subscriber'),
      connected: count.describe('with all subscribers connected, before the first event'),
    })
    .optional()
    .describe('descriptors of broker and HAProxy; left out in older results'),
  outside: z
    .literal(true)
    .optional()
    .describe(
      'a process of another system, read from /proc: no garbage collection was forced; event loop and ' +
        'garbage collection were not measured and are 0',
    ),
});

export type ProcessUse = z.infer<typeof processUse>;

/** How far the stretch that a process' CPU is of may differ from the measured phase, as a share of it. */
export const stretchMost = 0.1;

/** Whether a process' use was read over another time than the measured phase. */
export function isReadElsewhen({ wallUs }: Pick<ProcessUse, 'wallUs'>, measuredUs: number): boolean {
  return Math.abs(wallUs - measuredUs) > measuredUs * stretchMost;
}

export const descriptors = z.strictObject({
  limit: count
    .optional()
    .describe(
      'the soft limit of the server process, read at run time; for several servers the sum; left out ' +
        'of simulations',
    ),
  baseline: count.describe('0 in a simulation, which counts only those of its subscribers'),
  connected: count.describe('at rest: all subscribers connected, no event yet'),
  peak: count
    .optional()
    .describe(
      'the highest sample, one for each slot of the series, so a shorter peak is not seen; left out of ' +
        'simulations',
    ),
  socketsBaseline: count.optional().describe('of baseline, those that are sockets'),
  socketsConnected: count.optional().describe('of connected, those that are sockets'),
});

/** The cores that each role was kept to. */
export const pinned = z.strictObject({
  server: z.string().describe('its cores as taskset writes them, such as 0 or 2-5,8'),
  load: z.string().describe('the same of the load processes'),
  publisher: z.string().describe('the same of the publisher'),
});

/** What it took until all subscribers were connected. */
export const connecting = z.strictObject({
  serverCpuUs: z.number().optional().describe('CPU of all servers in that time; left out if it was not read'),
  requests: count.describe('requests that were made until all subscribers were ready'),
  bytesIn: count.describe('from the subscribers'),
  bytesOut: count.describe('to them'),
});
