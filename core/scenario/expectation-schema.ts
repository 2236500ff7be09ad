// Describes how a scenario writes an expectation: a check, and the variants and cells that it is for.
// expectations.ts applies it to trials.

import { z } from 'zod';
import { parseExpectation } from '../metrics/check.ts';
import { scalar } from './matrix-schema.ts';

const check = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseExpectation(text);
    if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
  })
  .describe(
    'a metric, a comparison and a bound, such as "latency.p99 < 250ms" or "latency.mean within 10% of 500ms"',
  );

const where = z
  .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([path, values]) => [path, [values].flat().map(String)])),
  )
  .describe("values of the matrix' paths; the check applies to cells with these values");

export const expectation = z
  .union([
    check.transform((text) => ({ check: text, for: undefined, where: undefined })),
    z.strictObject({
      check,
      for: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe(
          'labels or names of variants, or patterns (all of their variants), also on every target; sse ' +
            '@NAME is for that target only',
        ),
      where: where.optional(),
    }),
  ])
  .describe(
    'a check such as "latency.p99 < 250ms", or "check" with "for" (its variants) or "where" (its cells ' +
      'of the matrix)',
  );
