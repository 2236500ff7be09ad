// Makes capacity plans for the tests of their page, from a profile of a machine that does not exist.

import { readFileSync } from 'node:fs';
import { capacityContext } from '../../../cli/capacity.ts';
import {
  capacityPlanSchema,
  planFormat,
  planVersion,
  type CapacityPlan,
} from '../../../core/capacity/capacity-plan.ts';
import { parsePrices } from '../../../core/capacity/prices.ts';
import type { Question } from '../../../core/capacity/question.ts';
import { planCapacity } from '../../../simulation/capacity/plan-capacity.ts';
import { testProfile } from '../../simulation/profile.ts';

const question: Question = {
  subscribers: 1_000_000,
  eventsPerS: 0.1,
  topics: 'shared',
  payloadBytes: 256,
  latencyP99Us: 1e6,
  pollEveryMs: 5000,
  descriptors: 65_535,
  memoryBytes: 4e9,
};

/** @param patterns those that the profile has */
export function fixturePlan(
  patterns: string[],
  { isPriced = true, name = 'test machine' } = {},
): CapacityPlan {
  const { variants } = testProfile;
  const profile = {
    ...testProfile,
    name,
    variants: Object.fromEntries(patterns.map((pattern) => [pattern, variants[pattern]!])),
  };
  const file = 'prices/example.yaml';
  const prices = isPriced ? parsePrices(readFileSync(file, 'utf8'), file) : undefined;
  return capacityPlanSchema.parse({
    format: planFormat,
    version: planVersion,
    pushbench: '0.0.0',
    command: 'pushbench plan --subscribers 1000000',
    question,
    assumed: ['--interval 5s'],
    profile: { name, createdAt: profile.createdAt, machine: 'none, 1 core' },
    model: 1,
    prices: prices
      ? {
          file,
          currency: prices.currency,
          of: Object.entries(prices.prices).map(([what, { price, source, date }]) => ({
            what,
            price,
            source,
            date,
          })),
          machine: { cores: 2, memoryBytes: 8e9 },
        }
      : null,
    ...planCapacity(question, { ...capacityContext(profile), prices }),
  });
}
