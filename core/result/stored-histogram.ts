// Describes how a histogram is written in a result.

import { z } from 'zod';

const count = z.int().min(0);

export const storedHistogram = z.strictObject({
  v2: z.string().describe('HdrHistogram V2, compressed, base64; microseconds'),
  count: count.describe('samples in the histogram'),
  sumUs: z.number().describe('their sum'),
  minUs: z.number().describe('the smallest of them'),
  maxUs: z.number().describe('the largest of them'),
  overRange: count.describe('samples above the histogram, not in it'),
  negative: count.describe('samples below zero, not in it: a clock or a stamp was wrong'),
  lowestUs: z.number().max(0).optional().describe('the value furthest below zero, where there is one'),
});
