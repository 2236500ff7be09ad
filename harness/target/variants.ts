// Decides which of a scenario's variants run against which target, and says why others do not.

import { UserError } from '../../core/base/errors.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { variantOf, type Variant } from '../../core/pattern/variant.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { isCluster } from '../../core/scenario/servers.ts';
import { notOnTarget } from '../../core/fault/faults.ts';
import { placeholdersIn } from '../../core/base/template.ts';
import type { PreparedTarget } from './target-peer.ts';

/** A variant that does not run against a target. */
export type LeftOut = { target: string; variant: string; reason: string };

/**
 * The scenario with a variant for each target beside (or instead of) its own, called `LABEL @TARGET`.
 * @param reference whether our servers run too
 * @throws UserError `target-names` when two targets have one name, `target-nothing` when none of the
 *   variants can run against one of them
 */
export function withTargets(
  scenario: Scenario,
  registry: PatternRegistry,
  targets: readonly PreparedTarget[],
  reference: boolean,
): { scenario: Scenario; leftOut: LeftOut[] } {
  const twice = targets.find(({ name }, i) => targets.findIndex((other) => other.name === name) < i);
  if (twice)
    throw new UserError(
      'target-names',
      `Two target files have the name "${twice.name}"; give each a name ` +
        'of its own, as reports tell them apart by it.',
    );
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();
  // A variant and its rivals stand side by side.
  const variants = scenario.variants.flatMap((variant): Variant[] => {
    const rivals = targets.flatMap((target): Variant[] => {
      const reason = whyNot(scenario, variant, registry, target);
      if (reason !== undefined) {
        leftOut.push({ target: target.name, variant: variant.label, reason });
        return [];
      }
      const { pattern, options, label: own } = atClient(variant, registry);
      const label = `${own} @${target.name}`;
      if (seen.has(label)) {
        leftOut.push({
          target: target.name,
          variant: variant.label,
          reason: `it is "${own}" but for options of the server, which the target sets itself`,
        });
        return [];
      }
      seen.add(label);
      const { as } = variant;
      return [{ pattern, options, label, target: target.name, ...(as !== undefined && { as }) }];
    });
    return reference ? [variant, ...rivals] : rivals;
  });
  const idle = targets.filter(({ name }) => !variants.some(({ target }) => target === name));
  if (idle.length > 0) {
    const names = idle.map(({ name }) => name);
    const why = leftOut
      .filter(({ target }) => names.includes(target))
      .map(({ target, variant, reason }) => `  - ${variant} @${target}: ${reason}.`);
    throw new UserError(
      'target-nothing',
      `No variant of "${scenario.name}" can run against ${names.join(', ')}:\n${why.join('\n')}`,
    );
  }
  return { scenario: { ...scenario, variants }, leftOut };
}

function atClient({ pattern, options }: Variant, registry: PatternRegistry): Variant {
  const { options: schema, target } = registry[pattern]!;
  const kept = 'entry' in target ? target.clientOptions : [];
  const defaults: Record<string, unknown> = schema.parse({});
  const own = Object.fromEntries(Object.entries(options).filter(([key]) => kept.includes(key)));
  return variantOf(registry, pattern, { ...defaults, ...own });
}

function whyNot(
  { faults, topics, servers, network }: Scenario,
  { pattern, options }: Variant,
  registry: PatternRegistry,
  { access, pid }: PreparedTarget,
): string | undefined {
  const [notPut] = faults.flatMap((fault) => notOnTarget(fault, pid !== undefined) ?? []);
  if (notPut !== undefined) return notPut;
  if (isCluster(servers))
    return 'the scenario has several servers or a broker between them, and a target is one address';
  if (network) return 'the scenario has a network between clients and our own servers';
  if (Object.values(topics).some(({ by }) => by === 'subscribers'))
    return 'its subscribers publish, and a target file describes the publisher alone';
  const entry = registry[pattern]!;
  if (!Object.hasOwn(access.subscribe, pattern)) {
    return 'impossible' in entry.target
      ? entry.target.impossible
      : `the target file does not describe it (subscribe.${pattern})`;
  }
  if ((entry.httpVersion?.(options) ?? 'h1') !== 'h1') return 'targets are spoken to over HTTP/1.1';
  return undefined;
}

/**
 * Connections that a subscriber holds at most, over the targets: one for each topic where
 * a connection carries one.
 */
export function connectionsEach(
  { topics, subscribers }: Pick<Scenario, 'topics' | 'subscribers'>,
  targets: readonly PreparedTarget[],
): number {
  const perTopic = targets.some(({ access }) =>
    Object.values(access.subscribe).some(({ url }) => placeholdersIn(url).includes('topic')),
  );
  if (!perTopic) return 1;
  return Object.values(topics).reduce(
    (sum, { count, follow }) => sum + Math.min(follow, count === 'per-subscriber' ? subscribers : count),
    0,
  );
}
