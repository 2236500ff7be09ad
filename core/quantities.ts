// zod schemas of the quantities in units.ts: text with a unit goes in, a plain number comes out.

import { z } from 'zod';
import {
  durationPattern, parseDurationMs, parseRatePerS, parseShare, parseSizeBytes, ratePattern, sharePattern, sizePattern,
} from './units.ts';

function quantity(pattern: RegExp, parse: (text: string) => number | undefined, what: string, examples: string) {
  return z
    .string({ error: `${what} with its unit, such as ${examples}` })
    .regex(pattern, { error: `${what} with its unit, such as ${examples}` })
    .transform((text) => parse(text) ?? Number.NaN);
}

/** `5s` -> milliseconds. */
export const duration = quantity(durationPattern, parseDurationMs, 'a duration', '250ms, 5s or 2m');
/** `200/s` -> events a second. */
export const rate = quantity(ratePattern, parseRatePerS, 'a rate', '200/s or 6/m');
/** `1KiB` -> bytes. */
export const size = quantity(sizePattern, parseSizeBytes, 'a size', '256B, 4kB or 1KiB');
/** `10%` -> 0.1. */
export const share = quantity(sharePattern, parseShare, 'a share', '10%');
