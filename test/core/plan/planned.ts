// Plans scenarios of which a test names only what it is about.

import assert from 'node:assert/strict';
import { planPublishing, type ScheduledScenario, type Sources } from '../../../core/plan/schedule.ts';
import type { Arrivals, TopicGroup } from '../../../core/scenario/scenario.ts';

export const noFiles: Sources = {
  corpusOf: (from) => assert.fail(`no corpus was asked for, but ${from}`),
  traceOf: (file) => assert.fail(`no trace was asked for, but ${file}`),
};

export type Changes = { seed?: number; subscribers?: number; warmupMs?: number; measureMs?: number };

export function scenario(
  topics: Record<string, Partial<TopicGroup> & Pick<TopicGroup, 'publish'>>,
  changes: Changes = {},
): ScheduledScenario {
  const { seed = 1, subscribers = 10, warmupMs = 1000, measureMs = 4000 } = changes;
  return {
    seed,
    subscribers,
    payload: { kind: 'size', sizeBytes: 256 },
    phases: { connect: 0, warmup: warmupMs, measure: measureMs, drain: 0 },
    topics: Object.fromEntries(
      Object.entries(topics).map(([name, group]) => [name, { count: 1, follow: 1, ...group }]),
    ),
  };
}

/** The plan of one topic, `news`. */
export const alone = (publish: Arrivals, changes?: Changes, sources = noFiles) =>
  planPublishing(scenario({ news: { publish } }, changes), sources);
