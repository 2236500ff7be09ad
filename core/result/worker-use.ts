// Describes a worker that made a part of a trial's load: whose clock was compared how, and what became of it.

import { z } from 'zod';

export const workerUse = z.strictObject({
  load: z.int().min(0).describe('number of the load process that ran on it, from 0'),
  name: z.string().describe('host and process number of the worker'),
  subscribers: z.int().min(0).describe('that it ran'),
  offsetUs: z
    .number()
    .describe(
      "what was added to the worker's clock to have the coordinator's, as measured when its load process " +
        'began',
    ),
  boundUs: z
    .number()
    .min(0)
    .describe('how far the two may still have been apart at most, in either direction'),
  driftUs: z
    .number()
    .optional()
    .describe('how much the offset had changed when the trial ended; left out if it was not measured again'),
  lost: z
    .strictObject({
      why: z.string().describe('in a sentence'),
      atUs: z.number().describe('when it was noticed, from the start of the measured phase'),
    })
    .optional()
    .describe('it was lost in the middle of the trial; left out if it was there to the end'),
});

/** A worker in a trial. */
export type WorkerUse = z.infer<typeof workerUse>;
