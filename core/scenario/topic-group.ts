// Describes how a scenario writes a group of topics: what is published on it and when, what the events carry,
// who publishes and who follows.

import { z } from 'zod';
import { largestBodyBytes } from '../event/body-size.ts';
import { interval, rate, size } from '../base/quantities.ts';
import { formatBytes } from '../base/units.ts';

const positive = z.int().min(1);

const stage = z
  .strictObject({
    rate: rate.describe('rate at the start of the stage'),
    to: rate.optional().describe('rate at its end, reached in a straight line; the same rate when left out'),
    for: interval.describe('its length'),
  })
  .describe('one stage of a changing rate');

const arrivals = z
  .union([
    rate.transform((perS) => ({ kind: 'constant' as const, perS })),
    z.strictObject({ constant: rate }).transform((v) => ({ kind: 'constant' as const, perS: v.constant })),
    z.strictObject({ poisson: rate }).transform((v) => ({ kind: 'poisson' as const, perS: v.poisson })),
    z
      .strictObject({ stages: z.array(stage).min(1) })
      .transform((v) => ({ kind: 'stages' as const, stages: v.stages })),
    z
      .strictObject({
        bursts: z.strictObject({
          size: positive.max(1_000_000).describe('events at once'),
          every: interval.describe('time between two bursts'),
        }),
      })
      .transform((v) => ({ kind: 'bursts' as const, size: v.bursts.size, everyMs: v.bursts.every })),
    z
      .strictObject({
        trace: z.string().min(1).describe('a CSV file beside the scenario: seconds since the start, bytes'),
      })
      .transform((v) => ({ kind: 'trace' as const, file: v.trace })),
  ])
  .describe('a rate such as 200/s, or one of constant, poisson, stages, bursts, trace');

/** What events carry. */
export const payload = z
  .union([
    size
      .refine((sizeBytes) => sizeBytes >= 1 && sizeBytes <= largestBodyBytes, {
        error: `a body has 1 B to ${formatBytes(largestBodyBytes)}`,
      })
      .transform((sizeBytes) => ({ kind: 'size' as const, sizeBytes })),
    z
      .strictObject({
        from: z
          .string()
          .min(1)
          .describe('a JSON or NDJSON file beside the scenario, or an npm package of examples'),
      })
      .transform((v) => ({ kind: 'corpus' as const, from: v.from })),
  ])
  .describe(
    'a size such as 1KiB, for generated JSON, or "from" with the name of a file or package, for real bodies',
  );

export const topicGroup = z.strictObject({
  publish: arrivals,
  by: z
    .enum(['publisher', 'subscribers'])
    .default('publisher')
    .describe(
      'who publishes: the publisher, or the subscribers themselves, ' +
        'each on the topics that it follows, as in a chat room',
    ),
  count: z
    .union([positive.max(10_000_000), z.literal('per-subscriber')])
    .default(1)
    .describe('how many topics are in the group; the rate is that of all together'),
  follow: positive.max(10_000).default(1).describe('how many of them each subscriber follows'),
  payload: payload.optional().describe("what its events carry, where that is not the scenario's payload"),
});
