// Finds values of a scenario that contradict each other: a fault after the end, an expectation of a variant
// that does not run. Each is refused with its reason before anything is started. scenario.ts checks single
// values; the harness checks what this machine can do.

import { expectedEvents, inAll, type Span } from './arrivals.ts';
import { obstaclesTo, writeObstacles } from './body-room.ts';
import { variantsCalled, withoutTarget } from './expectations.ts';
import { networksOfNobody } from './network.ts';
import { serversThatCannotBe } from './server-faults.ts';
import { faultsOutside, idleEndpoints } from './trouble-for-nobody.ts';
import type { Contradiction, Parts } from './valid-parts.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import type { Variant } from '../pattern/variant.ts';
import type { Scenario } from './scenario.ts';
import { frontThatCannotBe } from './front-contradictions.ts';
import { unfitServers } from './server-contradictions.ts';
import { defaultLimits } from './server-limits.ts';
import { listNames, nearest } from '../base/suggest.ts';
import { planTopics, topicCount } from './topics.ts';
import { formatBytes, formatNumber, writeDuration } from '../base/units.ts';
import type { Path } from '../base/yaml-document.ts';

export type Context = {
  registry: PatternRegistry;
  /**
   * Variants that an expectation may name although they do not run: those of the file,
   * when `--set` chose others.
   */
  alsoNamed: readonly Variant[];
  /** Nothing is started: limits that the scenario leaves as they are do not count. */
  simulated?: boolean;
};

export function contradictionsOf(parts: Parts, context: Context): Contradiction[] {
  return [
    ...sameVariants(parts),
    ...sameNames(parts, context),
    ...noWayUp(parts, context),
    ...noRunHere(parts, context),
    ...noBrowser(parts, context),
    ...unfitServers(parts, context),
    ...lateEvents(parts, context),
    ...expectedOfNobody(parts, context),
    ...faultsOutside(parts),
    ...serversThatCannotBe(parts, context),
    ...networksOfNobody(parts, context),
    ...frontThatCannotBe(parts, context),
    ...idleEndpoints(parts, context),
    ...topicsThatDoNotFit(parts),
    ...bodiesTooLarge(parts, context),
    ...idle(parts),
    ...tooMany(parts, context),
  ];
}

function* sameVariants({ variants }: Parts): Generator<Contradiction> {
  const first = new Map<string, number>();
  for (const [i, { label }] of variants) {
    const earlier = first.get(label);
    if (earlier === undefined) first.set(label, i);
    else
      yield {
        path: ['variants', i],
        message:
          `"${label}" is the same variant as variants[${earlier}]; ` + 'for more trials of each, set repeat',
      };
  }
}

/** A name for readers that another variant has, or that means something else in an expectation. */
function* sameNames({ variants }: Parts, { registry }: Context): Generator<Contradiction> {
  const all = [...variants];
  for (const [i, { as }] of all) {
    if (as === undefined) continue;
    const path = ['variants', i, 'as'];
    const named = all.find(([other, one]) => other < i && one.as === as);
    const labelled = all.find(([other, { label }]) => other !== i && label === as);
    if (named) yield { path, message: `"${as}" is the name of variants[${named[0]}] too; each has its own` };
    else if (labelled)
      yield { path, message: `"${as}" is the label of variants[${labelled[0]}]; choose another` };
    else if (Object.hasOwn(registry, as))
      yield {
        path,
        message: `"${as}" is a pattern, and would mean all of its variants; choose another name`,
      };
  }
}

/** Subscribers that publish where their way up does not exist. */
function* noWayUp({ topics, variants }: Parts, { registry }: Context): Generator<Contradiction> {
  const [theirs] = [...topics].find(([, { by }]) => by === 'subscribers') ?? [];
  if (theirs === undefined) return;
  for (const [i, { pattern, options, label }] of variants) {
    if ((registry[pattern]!.httpVersion?.(options) ?? 'h1') === 'h1') continue;
    yield {
      path: ['variants', i],
      message:
        `subscribers publish on "${theirs}", which they do over ` + `HTTP/1.1; "${label}" speaks HTTP/2 only`,
    };
  }
}

/** Options that are for other servers than those of a run. */
function* noRunHere({ variants }: Parts, { registry }: Context): Generator<Contradiction> {
  for (const [i, { pattern, options, label }] of variants) {
    const message = registry[pattern]!.cannotRun?.(options, label);
    if (message !== undefined) yield { path: ['variants', i], message };
  }
}

/** Browsers that could not open their pages, or are none. */
function* noBrowser(
  { single: { browser, subscribers }, variants }: Parts,
  { registry }: Context,
): Generator<Contradiction> {
  if (!browser) return;
  const { tabs, connections, chromium } = browser;
  if (subscribers !== undefined && subscribers % tabs !== 0) {
    yield {
      path: ['subscribers'],
      message:
        `${formatNumber(subscribers)} subscribers are not a whole number of browsers ` +
        `with ${tabs} pages each`,
    };
  }
  for (const [i, { pattern, options, label }] of variants) {
    const { holdsConnection, holdsRequest, pageOpens } = registry[pattern]!;
    if (!holdsConnection) {
      yield {
        path: ['variants', i],
        message: `the subscribers of "${label}" are servers, not pages of a browser`,
      };
    } else if (tabs > connections && holdsRequest?.(options)) {
      yield {
        path: ['browser', 'tabs'],
        message:
          `"${label}" holds a connection for each page, and a browser opens ` +
          `${connections}: the next page would wait for ever`,
      };
    }
    if (chromium.length > 0 && holdsConnection && !pageOpens)
      yield {
        path: ['browser', 'chromium'],
        message: `pages in Chromium open streams and sockets, and "${label}" is neither`,
      };
  }
}

/** Events that a pattern delivers after the drain, however well it works. */
function* lateEvents(
  { single: { phases }, variants }: Parts,
  { registry }: Context,
): Generator<Contradiction> {
  if (!phases) return;
  for (const [i, { pattern, options, label }] of variants) {
    const waitMs = registry[pattern]!.waitMs?.(options) ?? 0;
    if (waitMs <= phases.drain) continue;
    yield {
      path: ['variants', i],
      message:
        `an event of "${label}" may wait ${writeDuration(waitMs)} by design, but counts as missed after ` +
        `${writeDuration(phases.drain)}; make phases.drain longer than that`,
    };
  }
}

function* expectedOfNobody(
  { expect, variants, allVariants }: Parts,
  { alsoNamed }: Context,
): Generator<Contradiction> {
  if (!allVariants) return;
  const known = [...variants.values(), ...alsoNamed];
  const names = [
    ...new Set(
      known.flatMap(({ label, pattern, as }) => [label, pattern, ...(as === undefined ? [] : [as])]),
    ),
  ];
  for (const [i, { for: called }] of expect) {
    for (const [j, name] of (called ?? []).entries()) {
      if (variantsCalled(withoutTarget(name), known).length > 0) continue;
      const near = nearest(name, names);
      yield {
        path: ['expect', i, 'for', j],
        message:
          `no variant "${name}" is in this scenario; ` +
          (near ? `did you mean "${near}"?` : `there are ${listNames(names)}`),
      };
    }
  }
}

function* topicsThatDoNotFit({ single: { subscribers }, topics }: Parts): Generator<Contradiction> {
  for (const [name, group] of topics) {
    const count = group.count === 'per-subscriber' ? subscribers : group.count;
    if (count === undefined || group.follow <= count) continue;
    const of = count === 1 ? 'the group has one topic' : `the group has ${formatNumber(count)} topics`;
    yield {
      path: ['topics', name, 'follow'],
      message: `a subscriber cannot follow ${formatNumber(group.follow)} topics where ${of}; set count too`,
    };
  }
}

/** Bodies that the server's limits keep from subscribers. */
function* bodiesTooLarge(
  { single: { payload, server }, topics, variants }: Parts,
  { registry }: Context,
): Generator<Contradiction> {
  if (!server) return;
  const bodies = [...topics].map(([name, group]): [Path, Scenario['payload'] | undefined] => [
    ['topics', name, 'payload'],
    group.payload,
  ]);
  const patterns = Array.from(variants.values(), ({ pattern }) => pattern);
  for (const [path, body] of [[['payload'], payload] as const, ...bodies]) {
    if (body?.kind !== 'size') continue;
    const obstacles = obstaclesTo(body.sizeBytes, server, patterns, registry);
    if (obstacles.length === 0) continue;
    const keys = obstacles.flatMap(({ raise }) => raise?.key ?? []);
    yield {
      path,
      message:
        `bodies of ${formatBytes(body.sizeBytes)} do not arrive: ${writeObstacles(obstacles)}; raise ` +
        `${keys.join(' and ')}, or make the bodies smaller`,
    };
  }
}

/** A schedule without an event in the measured phase. Traces are not read here, so they count as enough. */
function* idle({ single: { phases, subscribers }, topics, allTopics }: Parts): Generator<Contradiction> {
  if (!phases || subscribers === undefined || !allTopics || topics.size === 0) return;
  const events = totalEvents({ subscribers, topics: Object.fromEntries(topics), phases });
  if (events === undefined || events >= 1) return;
  yield {
    path: ['topics'],
    message:
      `less than one event would be published in a measured phase of ${writeDuration(phases.measure)}; ` +
      'publish more often or measure longer',
  };
}

function* tooMany(
  { single: { subscribers, loadProcesses, server }, topics, allTopics }: Parts,
  { simulated = false }: Context,
): Generator<Contradiction> {
  if (subscribers === undefined) return;
  if (loadProcesses !== undefined && loadProcesses > subscribers) {
    yield {
      path: ['loadProcesses'],
      message:
        `${formatNumber(loadProcesses)} load processes cannot share ` +
        `${formatNumber(subscribers)} subscribers`,
    };
  }
  if (!server) return;
  const bounds = (limit: 'maxSubscribers' | 'maxTopics') =>
    !simulated || server[limit] !== defaultLimits[limit];
  if (bounds('maxSubscribers') && subscribers > server.maxSubscribers) {
    yield {
      path: ['subscribers'],
      message:
        `the server would refuse all but ${formatNumber(server.maxSubscribers)} of ` +
        `${formatNumber(subscribers)} subscribers; raise server.maxSubscribers`,
    };
  }
  const count = allTopics ? topicCount(planTopics({ subscribers, topics: Object.fromEntries(topics) })) : 0;
  if (bounds('maxTopics') && count > server.maxTopics) {
    yield {
      path: ['topics'],
      message:
        `the server would refuse all but ${formatNumber(server.maxTopics)} of ${formatNumber(count)} ` +
        'topics; raise server.maxTopics',
    };
  }
}

/**
 * Events that the groups ask for in the measured phase; the mean where chance decides. `undefined`
 * when a trace is among them.
 */
export function totalEvents(
  scenario: Pick<Scenario, 'subscribers' | 'topics' | 'phases'>,
): number | undefined {
  if (Object.values(scenario.topics).some(({ publish }) => publish.kind === 'trace')) return undefined;
  const measured: Span = { fromUs: 0, toUs: scenario.phases.measure * 1000 };
  return planTopics(scenario).reduce((sum, { name, count }) => {
    const publish = inAll(scenario.topics[name]!.publish, count);
    return sum + expectedEvents(publish, measured, new Map());
  }, 0);
}
