// Decides what of a scenario can be simulated: what no model does is refused before anything is computed, or
// left out and said so where the rest still means something.

import type { PatternRegistry } from '../core/pattern/pattern.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { clusterObstacles, whyNotThroughFront } from './cluster-refusals.ts';
import type { ModelRegistry } from './model.ts';

type Asked = Pick<
  Scenario,
  | 'servers'
  | 'subscribers'
  | 'faults'
  | 'network'
  | 'server'
  | 'browser'
  | 'topics'
  | 'endpoints'
  | 'closedLoop'
>;

/**
 * What stands in the way of simulating the scenario, a sentence each, with what to do about it; empty where
 * nothing does.
 * @param profile that it is simulated with, where it is known
 */
export function obstaclesTo(scenario: Asked, profile?: Profile): string[] {
  const { faults, network, server, browser, topics } = scenario;
  const bySubscribers = Object.keys(topics).filter((name) => topics[name]!.by === 'subscribers');
  return [
    ...clusterObstacles(scenario, profile),
    ...(faults.length > 0
      ? ["faults: no model knows what goes wrong; --set 'faults=[]' simulates the rest of the scenario."]
      : []),
    ...(network
      ? ['network: models are of plain loopback; simulate a copy of the scenario without "network".']
      : []),
    ...(server.tls ? ['server.tls: no profile has its costs; --set server.tls=false goes without.'] : []),
    ...(server.auth ? ['server.auth: no profile has its costs; --set server.auth=false goes without.'] : []),
    ...(browser
      ? [
          'browser: no model knows what pages of browsers ask for beside events; simulate a copy of the ' +
            'scenario without "browser".',
        ]
      : []),
    ...bySubscribers.map(
      (name) =>
        `topics.${name}.by: no model has messages of subscribers; ` +
        `--set topics.${name}.by=publisher has the publisher send them.`,
    ),
  ];
}

/** Why a variant is not simulated; undefined where it is. */
export function whyNotSimulated(
  variant: Variant,
  scenario: Pick<Scenario, 'endpoints' | 'servers'>,
  models: ModelRegistry,
  profile: Profile,
  registry: PatternRegistry,
): string | undefined {
  const why =
    whyNoModel(variant, scenario, models, registry) ??
    whyNotThroughFront(variant, scenario, registry, profile);
  if (why !== undefined) return why;
  const { pattern } = variant;
  return Object.values(profile.variants).some((one) => one.pattern === pattern)
    ? undefined
    : `the profile ${profile.name} has no point of this pattern`;
}

/** Why no profile helps a variant to be simulated; undefined where one does. */
export function whyNoModel(
  variant: Variant,
  scenario: Pick<Scenario, 'endpoints' | 'servers'>,
  models: ModelRegistry,
  registry: PatternRegistry,
): string | undefined {
  const { pattern, options } = variant;
  const { endpoints } = scenario;
  if (!models[pattern]) return 'there is no model of this pattern';
  const entry = registry[pattern];
  if (endpoints.length > 0 && entry?.lacks['behind-nat'] !== undefined)
    return "no model knows how endpoints fall short; --set 'endpoints=[]' simulates those that answer well";
  if ((entry?.fallsBackTo?.(options) ?? []).length > 0)
    return 'no model knows how clients fall back to another transport';
  return whyNotThroughFront(variant, scenario, registry);
}

/** What is left out of every trial though the scenario asks for it, a sentence each. */
export function leftOutOf({ closedLoop }: Pick<Scenario, 'closedLoop'>): string[] {
  return closedLoop ? ['The closed loop (closedLoop): how fast endpoints answer at the most.'] : [];
}
