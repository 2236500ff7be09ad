// Describes what a run can measure beside single trials: searches over them, the closed loop, a real
// Chromium.

import { z } from 'zod';

const count = z.int().min(0);

/** As core/scenario/search.ts finds it. */
export const searchLimit = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('found').describe('between two values'),
    value: z.number().describe('the highest that held'),
    brokenAt: z.number().describe('the lowest that did not'),
  }),
  z.strictObject({
    kind: z.literal('at-least').describe('the search ended before anything broke the check'),
    value: z.number().describe('the highest that held'),
  }),
  z.strictObject({
    kind: z.literal('below').describe('the first value broke the check'),
    value: z.number().describe('the first value'),
  }),
  z.strictObject({ kind: z.literal('none').describe('the first trial decided nothing') }),
]);

export const searches = z
  .array(
    z.strictObject({
      variant: z.string().describe('label of the variant'),
      what: z.string().describe('path in the scenario'),
      keep: z.string().describe('the check that had to hold'),
      like: z.string().describe('the first value, as written in the scenario, with the unit of all others'),
      resolution: z
        .number()
        .describe('share by which the first value that failed the check may lie above the last that held'),
      over: z
        .boolean()
        .default(true)
        .describe('whether the search ended; false if the run was cut short before that'),
      steps: z
        .array(
          z.strictObject({
            value: z.number().describe('what was tried'),
            verdict: z
              .enum(['held', 'broken', 'ended'])
              .describe('whether the check held; ended: the trial decided nothing'),
            measured: z.number().nullable().describe("the check's figure; null where there was none"),
            why: z.string().describe('why a trial ended the search, or what else was wrong'),
          }),
        )
        .describe('the trials of the search, in order'),
      limit: searchLimit.describe('what the search found'),
    }),
  )
  .optional()
  .describe('what the searches of the scenario found, for each variant');

export const closedLoop = z
  .array(
    z.strictObject({
      endpoint: z.string().describe('what was asked'),
      connections: count.describe('over how many connections'),
      requestsPerS: z.number().describe('answers a second'),
      serverCpuShare: z.number().describe('1 is one core'),
      clientCpuShare: z.number().describe('the same of the process that asked'),
      errors: count.describe('requests that failed'),
    }),
  )
  .optional()
  .describe('requests that one server process answered when clients asked as fast as they were answered');

export const chromium = z
  .discriminatedUnion('status', [
    z.strictObject({
      status: z.literal('measured').describe('pages were opened'),
      version: z.string().describe('of Chromium'),
      patienceMs: z.number().describe('how long a page waited for its stream to open, and for an answer'),
      opened: z
        .array(
          z.strictObject({
            variant: z.string().describe('its label'),
            pages: count.describe('how many were opened'),
            streams: count.describe('pages whose stream opened'),
            answered: count.describe(
              'pages that were then answered when each asked the same host for something else',
            ),
          }),
        )
        .describe('one for each number of pages and variant'),
    }),
    z.strictObject({
      status: z.literal('skipped').describe('none was opened'),
      reason: z.string().describe('why nothing was opened'),
    }),
  ])
  .optional()
  .describe('pages of a real Chromium on our server');
