// Tells results that can be ranked against one another from those that cannot: of other scenarios, settings
// or machines.

import { differencesOf } from '../../core/comparison/differences.ts';
import { originOf } from '../../core/comparison/origin.ts';
import type { Result } from '../../core/result/result.ts';
import { isSimulated } from './simulated.ts';
import type { VariantTrials } from './variants.ts';

/** Results of one scenario with one setting on one machine, in the order given. */
export function comparableGroups(results: readonly Result[]): Result[][] {
  const groups: Result[][] = [];
  for (const result of results) {
    const own = groups.find(([first]) => first && apartIn(first, result).length === 0);
    if (own) own.push(result);
    else groups.push([result]);
  }
  return groups;
}

/** Whether variants ran under one setting on one machine, so that a heading may say which was the soonest. */
export function canBeRanked(variants: readonly Pick<VariantTrials, 'result'>[]): boolean {
  return comparableGroups([...new Set(variants.map(({ result }) => result))]).length < 2;
}

/** What sets groups apart, in words: `scenarios`, `settings`, `machines`; none where all can be ranked. */
export function apartBy(groups: readonly (readonly Result[])[]): string[] {
  const [first, ...others] = groups.map(([one]) => one).filter((one) => one !== undefined);
  return first ? [...new Set(others.flatMap((other) => apartIn(first, other)))] : [];
}

function apartIn(one: Result, other: Result): string[] {
  // What was measured is not ranked against what was computed.
  if (isSimulated(one) !== isSimulated(other)) return ['kinds (measured and simulated)'];
  if (one.scenario.name !== other.scenario.name) return ['scenarios'];
  const found = differencesOf(conditionsOf(one), conditionsOf(other))
    // Another seed is another schedule of the same kind.
    .filter(({ what, spoils }) => spoils !== undefined && what !== 'seed')
    .map(({ spoils }) => (spoils === 'machine' ? 'machines' : 'settings'));
  // A result whose source says less than its figures.
  const size = ({ scenario: { subscribers, topics, events } }: Result) =>
    [subscribers, topics, events].join();
  return [...new Set([...found, ...(size(one) === size(other) ? [] : ['settings'])])];
}

function conditionsOf(result: Result) {
  const { pushbench, environment, seed, scenario } = result;
  return { pushbench, environment, scenario: { seed, source: scenario.source }, ...originOf(result) };
}
