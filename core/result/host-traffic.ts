// Describes what of the host a trial tells in a result: its traffic in the measured phase, and what the CPU
// quota of a container did.

import { z } from 'zod';

const count = z.int().min(0);

export const network = z
  .strictObject({
    segments: count.describe(
      'TCP segments that the host sent during the measured phase, publishing included',
    ),
    wireBytes: count.describe('bytes of the same with the headers of TCP and IP'),
    idleBytesPerS: z
      .number()
      .min(0)
      .optional()
      .describe('what the host sent before the first subscriber connected; left out in older results'),
    explained: z
      .strictObject({
        mostSegments: count.describe('more than the connections of the trial can have taken'),
        mostBytes: count.describe('the same as bytes with headers'),
        leastBytes: count.describe('what they carried, without any header'),
      })
      .optional()
      .describe('by what both sides and the publisher counted; left out in older results'),
  })
  .describe(
    "host-wide, so it is the trial's where nothing else talks (warning wire-others where something did); " +
      'left out where it could not be read, where servers talk to a broker or are reached through a ' +
      'proxy, and where a server was killed',
  );

export const throttling = z
  .strictObject({
    periods: count.describe('of the quota, 100 ms each as a rule, in which the processes ran'),
    throttledPeriods: count.describe('in which they used the quota up and were stopped'),
    throttledUs: z.number().min(0).describe('how long they were stopped, added up over the cores'),
  })
  .describe(
    'what a CPU quota of the container (a cgroup) did to all processes of the trial in the measured ' +
      'phase; left out where there is no quota, and in older results',
  );
