// Answers a capacity question for every pattern that has a model, from a profile of a machine.

import type { PlanRow } from '../../core/capacity/capacity-plan.ts';
import type { Prices } from '../../core/capacity/prices.ts';
import type { Question } from '../../core/capacity/question.ts';
import { writeDuration } from '../../core/base/units.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { variantOf, type Variant } from '../../core/pattern/variant.ts';
import type { Profile } from '../../core/profile/profile.ts';
import type { ModelRegistry } from '../model.ts';
import { whyNotSimulated } from '../refusals.ts';
import { loadOf, type Load, type OneServer } from './one-server.ts';
import { planRow } from './plan-row.ts';

export type Planned = {
  rows: PlanRow[];
  leftOut: { pattern: string; reason: string }[];
  leavesOut: string[];
};

/** Of the bound; the rest is left to answers. */
const pollShare = 0.8;
/** Who asks more often than this is better off with a stream. */
const leastPollMs = 100;

/** What every answer is computed from. */
export type CapacityContext = Pick<OneServer, 'registry' | 'base'> & {
  profile: Profile;
  models: ModelRegistry;
};

export function planCapacity(
  question: Question,
  { prices, ...context }: CapacityContext & { prices: Prices | undefined },
): Planned {
  const { registry, base, profile, models } = context;
  const leftOut: Planned['leftOut'] = [];
  const rows = Object.keys(registry).flatMap((pattern) => {
    const variant = variantFor(registry, pattern, question.pollEveryMs);
    const reason = whyNotSimulated(variant, base, models, profile, registry);
    if (reason !== undefined) {
      leftOut.push({ pattern, reason });
      return [];
    }
    const model = models[pattern]!; // else there is a reason
    const rowOf = (own: Variant) =>
      planRow(question, { registry, base, profile, variant: own, model }, prices);
    const row = rowOf(variant);
    // A server that is full already does not become faster when clients ask more often.
    const isLate = row.servers === null && row.server.latencyP99Us !== null;
    const sooner = isLate ? soonerPolls(registry, variant, question) : undefined;
    if (!sooner) return [row];
    const note =
      `polls every ${writeDuration(sooner.everyMs)}, because every ` +
      `${writeDuration(question.pollEveryMs)} is too seldom for the bound`;
    return [row, { ...rowOf(sooner.variant), note }];
  });
  return { rows, leftOut, leavesOut };
}

/** One server of each pattern that has a model, with all subscribers of the question. */
export function loadsFor(
  question: Question,
  { registry, base, profile, models }: CapacityContext,
): { label: string; load: Load }[] {
  return Object.keys(registry).flatMap((pattern) => {
    const variant = variantFor(registry, pattern, question.pollEveryMs);
    if (whyNotSimulated(variant, base, models, profile, registry) !== undefined) return [];
    const model = models[pattern]!; // else there is a reason
    return {
      label: variant.label,
      load: loadOf(question, question.subscribers, { registry, base, profile, variant, model }),
    };
  });
}

function variantFor(registry: PatternRegistry, pattern: string, pollEveryMs: number): Variant {
  const { options, asksEveryMs } = registry[pattern]!; // a key of it
  const given = asksEveryMs === undefined ? {} : { every: writeDuration(pollEveryMs) };
  return variantOf(registry, pattern, options.parse(given));
}

/** A poller that asks as often as the bound needs; undefined where that would be no polling any more. */
function soonerPolls(
  registry: PatternRegistry,
  { pattern }: Variant,
  { pollEveryMs, latencyP99Us }: Question,
): { variant: Variant; everyMs: number } | undefined {
  const everyMs = Math.floor(Number(((latencyP99Us / 1000) * pollShare).toPrecision(2)));
  if (everyMs < leastPollMs || everyMs >= pollEveryMs) return undefined;
  const variant = variantFor(registry, pattern, everyMs);
  return variant.label === variantFor(registry, pattern, pollEveryMs).label
    ? undefined
    : { variant, everyMs };
}

const leavesOut = [
  'Several servers are computed as independent: subscribers are spread evenly over them, and each gets ' +
    'all events that its subscribers follow. No figure includes the cost of a broker between them, or of ' +
    'publishing to all of them.',
  'There are no spare servers: no figure includes deploys, servers that fail, and all clients coming ' +
    'back at once.',
  'No figure includes load balancers, proxies, TLS, and the headers of TCP and IP.',
  'Requests to connect are not counted: clients are assumed to stay.',
];
