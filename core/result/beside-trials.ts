// Describes what a run can measure beside single trials: searches over them, the closed loop, a real
// Chromium.

import { z } from 'zod';

const count = z.int().min(0);

export const searches = z
  .array(
    z.strictObject({
      variant: z.string(),
      what: z.string().describe('path in the scenario'),
      keep: z.string().describe('the check that had to hold'),
      like: z.string().describe('the first value, as written in the scenario, with the unit of all others'),
      resolution: z
        .number()
        .describe('share by which the first value that failed the check may lie above the last that held'),
      over: z
        .boolean()
        .default(true)
        .describe('the search came to its end; a run that was cut short may have cut it off'),
      steps: z.array(
        z.strictObject({
          value: z.number(),
          verdict: z.enum(['held', 'broken', 'ended']),
          measured: z.number().nullable(),
          why: z.string().describe('why a trial ended the search, or another problem'),
        }),
      ),
      limit: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('found'), value: z.number(), brokenAt: z.number() }),
        z.strictObject({ kind: z.literal('at-least'), value: z.number() }),
        z.strictObject({ kind: z.literal('below'), value: z.number() }),
        z.strictObject({ kind: z.literal('none') }),
      ]),
    }),
  )
  .optional();

export const closedLoop = z
  .array(
    z.strictObject({
      endpoint: z.string(),
      connections: count,
      requestsPerS: z.number(),
      serverCpuShare: z.number().describe('1 is one core'),
      clientCpuShare: z.number(),
      errors: count,
    }),
  )
  .optional()
  .describe('requests that one server process answered when clients asked as fast as they were answered');

export const chromium = z
  .discriminatedUnion('status', [
    z.strictObject({
      status: z.literal('measured'),
      version: z.string(),
      patienceMs: z.number().describe('how long it waited for a stream to open, and for an answer'),
      opened: z.array(
        z.strictObject({
          variant: z.string(),
          pages: count,
          streams: count.describe('pages whose stream opened'),
          answered: count.describe(
            'pages that were then answered when each asked the same host for something else',
          ),
        }),
      ),
    }),
    z.strictObject({ status: z.literal('skipped'), reason: z.string() }),
  ])
  .optional()
  .describe('pages of a real Chromium on our server');
