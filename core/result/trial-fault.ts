// Describes a fault in a result: when it happened, how long it took, and what servers said of it.

import { z } from 'zod';

const count = z.int().min(0);

export const fault = z.strictObject({
  kind: z.string().describe('the key of the fault in the scenario'),
  did: z.string().describe('what was done, in words'),
  atMs: z.number().describe('when it was planned, from the start of the measured phase'),
  atUs: z
    .number()
    .nullable()
    .describe(
      'when it happened, from the start of the measured phase: the first process had done its part; ' +
        'null if it could not be done',
    ),
  forMs: z.number().optional().describe('how long it was to last; left out for a fault without a duration'),
  tookUs: z
    .number()
    .optional()
    .describe(
      'for a fault that takes time, such as a server that starts again: from atUs until it was done, ' +
        'or until the subscribers were closed',
    ),
  why: z.string().optional().describe('why it could not be done; left out if that is not known'),
  unfinished: z.literal(true).optional().describe('it was not done when the subscribers were closed'),
  letGo: z
    .strictObject({
      servers: count.describe('number of servers that were drained'),
      told: count.describe('clients that were told to go'),
      left: count.describe('clients that went before the limit, told or not'),
      closedAtLimit: count.describe('clients that were still connected at the limit'),
    })
    .optional()
    .describe(
      'what the drained servers report about their clients, summed; left out if no drain was over ' +
        'before the trial, and in older results',
    ),
});

/** A fault of the scenario, as it happened. */
export type TrialFault = z.infer<typeof fault>;

/** When it was over, from the start of the measured phase; undefined where it did not happen. */
export function faultEndUs({ atUs, tookUs = 0, forMs = 0 }: TrialFault): number | undefined {
  return atUs === null ? undefined : atUs + Math.max(tookUs, forMs * 1000);
}
