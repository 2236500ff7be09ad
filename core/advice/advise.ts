// Decides which pattern to advise: adds up what the rules say for and against each, and keeps why.

import { formatNumber, formatUs, writeDuration } from '../base/units.ts';
import { patterns, type PatternName } from '../pattern/registry.ts';
import { deliveriesPerS, pollEveryMs, type Needs } from './needs.ts';
import { rules, type Rule, type Source } from './rules.ts';

export type Said = { rule: string; says: string; source: Source };
export type Judged = { pattern: PatternName; title: string; points: number; for: Said[]; against: Said[] };
export type Advice = {
  /** The best first. */
  ranked: Judged[];
  /** Patterns that cannot do it, with the reasons. */
  out: { pattern: PatternName; title: string; because: Said[] }[];
  /** What can be computed without measuring. */
  arithmetic: string[];
};

/** The order of patterns with equal points: first those that browsers and proxies help most. */
const preferred: readonly string[] = [
  'sse',
  'websocket',
  'http-stream',
  'webhook',
  'long-polling',
  'polling',
];

export function advise(needs: Needs, table: readonly Rule[] = rules): Advice {
  const applying = table.filter(({ applies }) => applies(needs));
  const saidOf = (pattern: PatternName, is: (weight: number | 'out') => boolean) =>
    applying
      .filter(({ weighs }) => weighs[pattern] !== undefined && is(weighs[pattern]))
      .map(({ id, says, source }) => ({ rule: id, says, source }));
  const place = (pattern: string) =>
    preferred.includes(pattern) ? preferred.indexOf(pattern) : preferred.length;
  const names = (Object.keys(patterns) as PatternName[]) // it has no other keys
    .toSorted((a, b) => place(a) - place(b));
  const all = names.map((pattern) => ({
    pattern,
    title: patterns[pattern].title,
    points: applying.reduce((sum, { weighs }) => sum + pointsOf(weighs[pattern]), 0),
    for: saidOf(pattern, (weight) => weight !== 'out' && weight > 0),
    against: saidOf(pattern, (weight) => weight !== 'out' && weight <= 0),
    because: saidOf(pattern, (weight) => weight === 'out'),
  }));
  return {
    ranked: all
      .flatMap(({ because, ...judged }) => (because.length === 0 ? [judged] : []))
      .toSorted((a, b) => b.points - a.points), // stable: equals stay as preferred
    out: all
      .filter(({ because }) => because.length > 0)
      .map(({ pattern, title, because }) => ({ pattern, title, because })),
    arithmetic: arithmetic(needs),
  };
}

function pointsOf(weight: number | 'out' | undefined): number {
  return typeof weight === 'number' ? weight : 0;
}

function arithmetic(needs: Needs): string[] {
  const everyMs = pollEveryMs(needs);
  const [requests, deliveries] = [(needs.clients * 1000) / everyMs, deliveriesPerS(needs)];
  const half = formatUs((everyMs / 2) * 1000);
  return [
    `Polling every ${writeDuration(everyMs)}: ${rounded(requests)} requests a second, and an update ` +
      `${half} late in the median.`,
    `Long polling and webhooks: a request for nearly each of ${rounded(deliveries)} deliveries a second. ` +
      `Streams: none, and ${formatNumber(needs.clients)} connections held.`,
  ];
}

function rounded(value: number): string {
  return formatNumber(Number(value.toPrecision(3)));
}
