// Decides what of a scenario can be simulated: what no model does is refused before anything is computed, or
// left out and said so where the rest still means something.

import type { PatternRegistry } from '../core/pattern/pattern.ts';
import type { Variant } from '../core/pattern/variant.ts';
import type { Profile } from '../core/profile/profile.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { listed } from '../core/base/suggest.ts';
import type { Fault } from '../core/fault/faults.ts';
import { areApart } from '../core/scenario/servers.ts';
import { clusterObstacles, whyNotThroughFront } from './cluster-refusals.ts';
import type { ModelRegistry } from './model.ts';

type Asked = Pick<
  Scenario,
  'servers' | 'subscribers' | 'faults' | 'network' | 'server' | 'browser' | 'topics'
>;

/**
 * The reasons why the scenario cannot be simulated, a sentence each, with what to do about it; empty where it
 * can be.
 * @param profile the profile to simulate with, where it is known
 */
export function obstaclesTo(scenario: Asked, profile?: Profile): string[] {
  const { faults, network, server, browser, topics } = scenario;
  const bySubscribers = Object.keys(topics).filter((name) => topics[name]!.by === 'subscribers');
  return [
    ...(faults.length > 0 ? obstaclesWithFaults(scenario) : clusterObstacles(scenario, profile)),
    ...(network
      ? ['network: models know only plain loopback; simulate a copy of the scenario without "network".']
      : []),
    ...(server.tls ? ['server.tls: no profile has its costs; leave it out: --set server.tls=false.'] : []),
    ...(server.auth ? ['server.auth: no profile has its costs; leave it out: --set server.auth=false.'] : []),
    ...(browser
      ? [
          'browser: no model has the other requests of browser pages; simulate a copy of the scenario ' +
            'without "browser".',
        ]
      : []),
    ...bySubscribers.map(
      (name) =>
        `topics.${name}.by: no model has messages of subscribers; with ` +
        `--set topics.${name}.by=publisher the publisher sends them.`,
    ),
  ];
}

/** Faults that change only which clients are connected to which servers. */
const simulatedFaults: readonly Fault['kind'][] = [
  'disconnect',
  'freeze',
  'leave',
  'stop',
  'kill',
  'restart',
  'start',
  'drain',
  'refuse',
  'deploy',
];

function obstaclesWithFaults({ servers, faults }: Pick<Asked, 'servers' | 'faults'>): string[] {
  const { inFront } = servers;
  const others = [
    ...new Set(faults.filter(({ kind }) => !simulatedFaults.includes(kind)).map(({ kind }) => kind)),
  ];
  const isStill = faults.some(
    (fault) => fault.kind === 'freeze' && (fault.who !== 'server' || servers.count > 1),
  );
  return [
    ...(inFront.kind === 'list'
      ? []
      : [
          'servers.in-front: with faults no model includes HAProxy; with --set servers.in-front=list ' +
            'clients find servers by a list.',
        ]),
    ...(areApart(servers)
      ? [
          'servers.broker: no model has clients that move between servers without a broker; ' +
            '--set servers.broker=redis-streams connects them.',
        ]
      : []),
    ...(servers.broker.kind === 'kafka'
      ? [
          'servers.broker: no model knows Kafka, because trials start only a stand-in for it; ' +
            '--set servers.broker=redis-streams simulates a broker that keeps events too.',
        ]
      : []),
    ...(others.length === 0
      ? []
      : [
          `faults: no model knows ${listed(others)}; simulate a copy of the scenario without such faults, ` +
            "or --set 'faults=[]'.",
        ]),
    ...(isStill
      ? [
          'faults: the only freeze that can be simulated is that of the server, where there is one; ' +
            "simulate a copy of the scenario without other freezes, or --set 'faults=[]'.",
        ]
      : []),
  ];
}

/** Why a variant is not simulated; undefined where it is. */
export function whyNotSimulated(
  variant: Variant,
  scenario: Pick<Scenario, 'server' | 'faults' | 'servers'>,
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
  scenario: Pick<Scenario, 'server' | 'faults' | 'servers'>,
  models: ModelRegistry,
  registry: PatternRegistry,
): string | undefined {
  const { pattern, options } = variant;
  const model = models[pattern];
  if (!model) return 'there is no model of this pattern';
  if ((registry[pattern]?.fallsBackTo?.(options) ?? []).length > 0)
    return 'no model knows how clients fall back to another transport';
  if (scenario.faults.length > 0 && !comesBackByConnection(registry[pattern]))
    return "no model knows what its clients do in faults; --set 'faults=[]' simulates it without them";
  if (scenario.faults.length > 0 && (registry[pattern]?.httpVersion?.(options) ?? 'h1') !== 'h1')
    return 'no model knows how clients that share connections come back; use over: h1';
  return model.cannot?.(variant, scenario) ?? whyNotThroughFront(variant, scenario, registry);
}

/** Whether it is a stream that a client opens once and loses as a whole, as pages of browsers do. */
function comesBackByConnection(entry: PatternRegistry[string] | undefined): boolean {
  return entry?.pageOpens !== undefined;
}

/** What is left out of every trial though the scenario asks for it, a sentence each. */
export function leftOutOf({ closedLoop }: Pick<Scenario, 'closedLoop'>): string[] {
  return closedLoop ? ['The closed loop (closedLoop): how fast endpoints can answer.'] : [];
}
