// Describes how a histogram is written in a result.

import { z } from 'zod';

const count = z.int().min(0);

export const storedHistogram = z.strictObject({
  v2: z.string().describe('HdrHistogram V2, compressed, base64; microseconds'),
  count,
  sumUs: z.number(),
  minUs: z.number(),
  maxUs: z.number(),
  overRange: count.describe('samples above the range of the histogram, which does not contain them'),
  negative: count.describe(
    'samples below zero, which the histogram does not contain: a clock or a time stamp was wrong',
  ),
});
