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
        mostSegments: count.describe('most segments that the connections of the trial can have sent'),
        mostBytes: count.describe('most bytes that they can have sent, with headers'),
        leastBytes: count.describe('bytes that they carried, without headers'),
      })
      .optional()
      .describe(
        "bounds for the trial's own traffic, from the counts of both sides and the publisher; left out in " +
          'older results',
      ),
  })
  .describe(
    'traffic of the whole host, so other programs must be silent (the warning wire-others says if they ' +
      'were not); left out if it could not be read, if servers use a broker or are behind a proxy, and if ' +
      'a server was killed',
  );

export const throttling = z
  .strictObject({
    periods: count.describe('periods of the quota (usually 100 ms) in which the processes ran'),
    throttledPeriods: count.describe('those in which they used the quota up and were stopped'),
    throttledUs: z.number().min(0).describe('how long they were stopped, added up over the cores'),
  })
  .describe(
    'what a CPU quota of the container (a cgroup) did to all processes of the trial in the measured ' +
      'phase; left out without a quota, and in older results',
  );
