// Describes how a scenario writes a group of topics: what is published on it and when, what the events carry,
// who publishes and who follows.

import { z } from 'zod';
import { largestBodyBytes } from '../event/body-size.ts';
import { interval, size, topicRate } from '../base/quantities.ts';
import { formatBytes } from '../base/units.ts';

const positive = z.int().min(1);

const stage = z
  .strictObject({
    rate: topicRate.describe('rate at the start of the stage'),
    to: topicRate
      .optional()
      .describe('rate at its end, reached in a straight line; the same rate when left out'),
    for: interval.describe('its length'),
  })
  .describe('one stage of a changing rate');

const stages = z
  .array(stage)
  .min(1)
  .refine((all) => new Set(all.flatMap(({ rate, to = rate }) => [rate.each, to.each])).size === 1, {
    error: 'write "each" in all stages or in none',
  });

const burstSize = z
  .union([
    positive.max(1_000_000).transform((size) => ({ size, each: false })),
    z
      .string()
      .regex(/^[1-9]\d{0,6} each$/, { error: 'a number such as 40, or 8 each' })
      .transform((text) => ({ size: Number.parseInt(text, 10), each: true })),
  ])
  .describe('events at once, a number such as 40, or 8 each');

/** How a group's events are spaced in time, as its scenario says it: of all topics together, or of each. */
export type Spacing =
  | { kind: 'constant' | 'poisson'; perS: number }
  | { kind: 'stages'; stages: { rate: number; to?: number; for: number }[] }
  | { kind: 'bursts'; size: number; everyMs: number }
  | { kind: 'trace'; file: string };
export type Publishing = Spacing & { each?: true };

const said = (spacing: Spacing, each: boolean): Publishing => ({ ...spacing, ...(each && { each }) });

const arrivals = z
  .union([
    topicRate.transform(({ perS, each }) => said({ kind: 'constant', perS }, each)),
    z
      .strictObject({ constant: topicRate.describe('even steps; the same as the rate alone') })
      .transform(({ constant: { perS, each } }) => said({ kind: 'constant', perS }, each)),
    z
      .strictObject({ poisson: topicRate.describe('independent events: the gaps between them are drawn') })
      .transform(({ poisson: { perS, each } }) => said({ kind: 'poisson', perS }, each)),
    z
      .strictObject({ stages: stages.describe('rates that change, one stage after the other') })
      .transform((v) =>
        said(
          {
            kind: 'stages',
            stages: v.stages.map(({ rate, to, for: lengthMs }) => ({
              rate: rate.perS,
              ...(to && { to: to.perS }),
              for: lengthMs,
            })),
          },
          v.stages[0]!.rate.each, // there is one
        ),
      ),
    z
      .strictObject({
        bursts: z
          .strictObject({
            size: burstSize,
            every: interval.describe('time between two bursts'),
          })
          .describe('many events at once, again and again'),
      })
      .transform(({ bursts: { size, every } }) =>
        said({ kind: 'bursts', size: size.size, everyMs: every }, size.each),
      ),
    z
      .strictObject({
        trace: z
          .string()
          .min(1)
          .describe('a CSV file beside the scenario: the time of each event and its bytes'),
      })
      .transform((v) => said({ kind: 'trace', file: v.trace }, false)),
  ])
  .describe('a rate such as 200/s, or 6/m each, or one of constant, poisson, stages, bursts, ' + 'trace');

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
    .describe('how many topics are in the group; the rate is for all of them, unless it says "each"'),
  follow: positive.max(10_000).default(1).describe('how many of them each subscriber follows'),
  payload: payload.optional().describe("the payload of its events, if it differs from the scenario's"),
});
