// Describes a fault in a result: when it happened, how long it took, and what servers said of it.

import { z } from 'zod';

const count = z.int().min(0);

export const fault = z.strictObject({
  kind: z.string().describe('the word that the scenario asks for it with'),
  did: z.string().describe('what was done, in words'),
  atMs: z.number().describe('when it was planned, from the start of the measured phase'),
  atUs: z
    .number()
    .nullable()
    .describe(
      'when it happened, from the start of the measured phase: the first process had done its part; null ' +
        'where it could not be done',
    ),
  forMs: z.number().optional().describe('how long it was to last; left out where it is of a moment'),
  tookUs: z
    .number()
    .optional()
    .describe(
      'of one that takes its time, as a server that starts again: from atUs until it was done, or until ' +
        'the subscribers were closed',
    ),
  unfinished: z.literal(true).optional().describe('it was not done by then'),
  letGo: z
    .strictObject({
      servers: count.describe('that were drained'),
      told: count.describe('clients that were told to go'),
      left: count.describe('that went before the limit, told or not'),
      closedAtLimit: count.describe('that were still there then'),
    })
    .optional()
    .describe(
      'what the drained servers say of their clients, added up; left out where no drain was over before ' +
        'the trial, and in older results',
    ),
});

/** A fault of the scenario, as it happened. */
export type TrialFault = z.infer<typeof fault>;

/** When it was over, from the start of the measured phase; undefined where it did not happen. */
export function faultEndUs({ atUs, tookUs = 0, forMs = 0 }: TrialFault): number | undefined {
  return atUs === null ? undefined : atUs + Math.max(tookUs, forMs * 1000);
}
