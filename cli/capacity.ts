// Gives capacity questions the patterns, their models, and a scenario with a default for everything that a
// question leaves out.

import { patterns } from '../core/pattern/registry.ts';
import type { Profile } from '../core/profile/profile.ts';
import { scenarioSchema, type Scenario } from '../core/scenario/scenario.ts';
import type { CapacityContext } from '../simulation/capacity/plan-capacity.ts';
import { models } from '../simulation/models/registry.ts';

export function capacityContext(profile: Profile): CapacityContext {
  const base: Scenario = {
    ...scenarioSchema(patterns).parse({
      question: 'How many servers?',
      subscribers: 1,
      topics: { updates: { publish: '1/s' } },
    }),
    name: 'plan',
    cells: [],
  };
  return { registry: patterns, base, profile, models };
}
