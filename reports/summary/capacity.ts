// Puts the answer to a capacity question into sentences, and lists the tables that go with it, for every form
// in which it is written.

import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import { formatBytes, formatNumber, formatUs, writeRate } from '../../core/base/units.ts';
import type { CapacityPlan } from '../../core/capacity/capacity-plan.ts';
import { extrapolatedMost } from '../../core/result/simulated.ts';
import { billPart } from './capacity-bill.ts';
import { wholeNumber, type PlanPart } from './capacity-cells.ts';
import { breaksPart, monthPart, restsPart, serversPart } from './capacity-tables.ts';
import { offMeaning, rangeText } from './simulated.ts';

/** `1,000,000 subscribers, each gets 1/s, all the same events of 512 B, p99 within 1 s` */
export function questionText({ question: q }: CapacityPlan): string {
  return (
    `${counted(q.subscribers, 'subscriber')}; each gets ${writeRate(q.eventsPerS)}, ` +
    `${q.topics === 'shared' ? 'all the same events' : 'its own events'} ` +
    `of ${formatBytes(q.payloadBytes)}; ` +
    `99 of 100 deliveries within ${formatUs(q.latencyP99Us)}`
  );
}

/** What somebody who reads one line should know. */
export function answerText(plan: CapacityPlan): string {
  const { all, lowest } = serverRanks(plan);
  if (all.length === 0) return 'No pattern keeps this bound, with any number of servers.';
  const names = listed(lowest.map(({ label, value }) => `${label} (${formatNumber(value)})`));
  return lowest.length === 1
    ? `${names} takes the fewest servers.`
    : `Fewest servers: ${names}, ${noDifference}.`;
}

/** The lowest bill and the highest; undefined where there is none. */
export function billText(plan: CapacityPlan): string | undefined {
  const { all, lowest } = billRanks(plan);
  if (!plan.prices || all.length === 0) return undefined;
  const text = ({ label, value }: Ranked) => `${label} (${wholeNumber(value)})`;
  const last = all.at(-1)!;
  return (
    `Lowest bill of a month, in ${plan.prices.currency}: ${listed(lowest.map(text))}` +
    `${lowest.length === 1 ? '' : `, ${noDifference}`}.` +
    `${lowest.includes(last) ? '' : ` Highest: ${text(last)}.`}`
  );
}

/** Both in a line. */
export function headlineText(plan: CapacityPlan): string {
  return [answerText(plan), billText(plan)].filter((text) => text !== undefined).join(' ');
}

const noDifference = 'with no difference beyond what these figures may be off by';

type Ranked = { label: string; value: number; ifOff: number };
/** From the lowest on, and those of them that errors do not tell from the lowest. */
export type Ranks = { all: Ranked[]; lowest: Ranked[] };

export function serverRanks({ rows }: CapacityPlan): Ranks {
  return ranksOf(
    rows.flatMap(({ label, servers, serversIfOff }) =>
      servers === null ? [] : [{ label, value: servers, ifOff: serversIfOff ?? Infinity }],
    ),
  );
}

export function billRanks({ rows }: CapacityPlan): Ranks {
  return ranksOf(
    rows.flatMap(({ label, bill }) =>
      bill ? [{ label, value: bill.total, ifOff: bill.totalIfOff ?? Infinity }] : [],
    ),
  );
}

function ranksOf(given: Ranked[]): Ranks {
  const all = given.toSorted((a, b) => a.value - b.value);
  return { all, lowest: all.filter(({ value }) => value <= (all[0]?.ifOff ?? 0)) };
}

export function planParts(plan: CapacityPlan): PlanPart[] {
  const bill = billPart(plan);
  return [serversPart(plan), breaksPart(plan), monthPart(plan), ...(bill ? [bill] : []), restsPart(plan)];
}

/** What the figures are, in a sentence. */
export function simulatedText({ profile, model }: CapacityPlan): string {
  return (
    `Simulated, not measured: from the profile "${profile.name}" (${profile.machine}; calibrated ` +
    `${profile.createdAt.slice(0, 10)}) by models of version ${model}, a server process with a core each.`
  );
}

/** What to know of all of it. */
export function planNotes(plan: CapacityPlan): string[] {
  const { assumed, leftOut, leavesOut, rows } = plan;
  const outside = Math.max(1, ...rows.map(({ rests }) => rests.extrapolated));
  return [
    simulatedText(plan),
    ...(assumed.length === 0 ? [] : [`Defaults used: ${assumed.join(', ')}.`]),
    offMeaning,
    ...(outside <= extrapolatedMost
      ? []
      : [
          `The load of a server is up to ${rangeText(outside)} of the profile's points, so CPU and ` +
            'latencies may be off by more than their ±. docs/plan.md says how to find out.',
        ]),
    ...leftOut.map(({ pattern, reason }) => `Left out: ${pattern}: ${reason}.`),
    ...leavesOut,
  ];
}
