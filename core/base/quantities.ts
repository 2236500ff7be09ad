// Defines zod schemas for the quantities of units.ts: text with a unit goes in, a plain number comes out.

import { z } from 'zod';
import {
  byteRatePattern,
  durationPattern,
  parseBytesPerS,
  parseDurationMs,
  parseRatePerS,
  parseShare,
  parseSizeBytes,
  parseTopicRate,
  ratePattern,
  sharePattern,
  sizePattern,
  topicRatePattern,
} from './units.ts';

/** What a quantity is called in messages, and the most that anything here can work with. */
type Kind = { what: string; examples: string; most: number; mostText: string };

function quantity(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  { what, examples, most, mostText }: Kind,
) {
  const error = `${what} with its unit, such as ${examples}`;
  return z
    .string({ error })
    .regex(pattern, { error })
    .transform((text) => parse(text) ?? Number.NaN)
    .refine((value) => value <= most, { error: `more than ${mostText} is not possible` });
}

/** `5s` -> milliseconds. Node's timers hold 2^31 - 1 ms and fire at once above that. */
export const duration = quantity(durationPattern, parseDurationMs, {
  what: 'a duration',
  examples: '250ms, 5s or 2m',
  most: 24 * 86_400_000,
  mostText: '24d',
});
const mostPerS = 1e7;
const topicRateExpected = 'a rate with its unit, such as 200/s, or 6/m each';
/** `200/s` -> events a second. */
export const rate = quantity(ratePattern, parseRatePerS, {
  what: 'a rate',
  examples: '200/s or 6/m',
  most: mostPerS,
  mostText: '10000/ms',
});
/** `0.5/s each` -> events a second of each topic, `10/s` of all together. */
export const topicRate = z
  .string({ error: topicRateExpected })
  .regex(topicRatePattern, { error: topicRateExpected })
  .transform((text) => parseTopicRate(text) ?? { perS: Number.NaN, each: false })
  .refine(({ perS }) => perS <= mostPerS, { error: 'more than 10000/ms is not possible' });
/** `1KiB` -> bytes. */
export const size = quantity(sizePattern, parseSizeBytes, {
  what: 'a size',
  examples: '256B, 4kB or 1KiB',
  most: 2 ** 40,
  mostText: '1024GiB',
});
/** `2MiB/s` -> bytes a second. */
export const byteRate = quantity(byteRatePattern, parseBytesPerS, {
  what: 'bytes a second',
  examples: '64KiB/s or 2MB/s',
  most: 2 ** 40,
  mostText: '1024GiB/s',
});
/** `10%` -> 0.1. */
export const share = quantity(sharePattern, parseShare, {
  what: 'a share',
  examples: '10%',
  most: 1,
  mostText: '100%',
});

/** A duration that something repeats after: not so short that it would never pause. */
export const interval = duration.refine((ms) => ms >= 1, {
  error: 'less than 1ms is not possible: timers count in milliseconds',
});

/** A network in CIDR form, of either address family. */
export const network = z
  .string()
  .refine((text) => z.union([z.cidrv4(), z.cidrv6()]).safeParse(text).success, {
    error: 'not a network: write it as 10.1.0.0/16 or fd00::/8',
  });
