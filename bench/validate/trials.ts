// Runs live trials for the parts that need them: pairs in turns, as `pushbench ab` runs them, of a reference
// server in two fleets.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Comparison, JudgedMetric } from '../../core/comparison/comparison-result.ts';
import { ruleOf } from '../../core/comparison/judge.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { compareSides, runAb } from '../../harness/ab/ab.ts';
import { processes, type Fleet } from '../../harness/trial/fleet.ts';
import { prepare } from '../../harness/run/run.ts';
import { quietRun } from '../run-options.ts';

/**
 * Short trials, so that many pairs fit into minutes; 10,500 deliveries each, so that they
 * carry a 99th percentile.
 */
const scenarioOf = (pattern: string, measureS: number) => `
question: Does the gate see what was changed, and nothing else?
subscribers: ${trialSize.subscribers}
topics: { news: { publish: ${trialSize.eventsPerS}/s } }
payload: 128B
phases: { connect: 300ms, warmup: 700ms, measure: ${measureS}s, drain: 1s }
variants: [${pattern}]
`;
export const trialSize = { subscribers: 100, eventsPerS: 70, measureS: 1.5 } as const;
export const deliveriesEach = trialSize.subscribers * trialSize.eventsPerS * trialSize.measureS;
export function trialText(measureS: number = trialSize.measureS): string {
  return (
    `${trialSize.subscribers} subscribers, ${trialSize.eventsPerS} events a second to all of them, ` +
    `${measureS} s measured after 0.7 s of warm-up, fresh processes each`
  );
}

export type Arms = { baseline: Result; candidate: Result; comparison: Comparison };

export type Series = {
  pairs: number;
  seed: number;
  pattern?: string;
  measureS?: number;
  baseline?: Fleet;
  candidate: Fleet;
};

/** One comparison as `ab` makes it, the first pair discarded. */
export async function compared({
  pairs,
  seed,
  pattern = 'sse',
  measureS = trialSize.measureS,
  baseline = processes,
  candidate,
}: Series): Promise<Arms> {
  const { scenario, source } = parseScenario(scenarioOf(pattern, measureS), {
    file: 'validation',
    registry: patterns,
    overrides: [`seed=${seed}`],
  });
  const quiet = quietRun(source, 'npm run validate');
  const options = {
    ...quiet,
    observer: { ...quiet.observer, trialEnded: () => void process.stdout.write('.') },
    pairs,
    extend: false,
    strict: false,
    note() {},
  };
  const outcome = await runAb(
    prepare(scenario, options),
    [
      { name: 'as it is', variants: scenario.variants, fleet: baseline },
      { name: 'changed', variants: scenario.variants, fleet: candidate },
    ],
    options,
  );
  process.stdout.write('\n');
  if (!outcome.comparison) throw new Error('the run was interrupted');
  await sleep(500); // what the last processes left to do
  return { ...outcome, comparison: outcome.comparison };
}

/** A long series as the whole comparisons of `pairs` pairs that it holds one after the other. */
export function cut(
  { baseline, candidate }: Pick<Arms, 'baseline' | 'candidate'>,
  pairs: number,
): Comparison[] {
  const arm = ({ arm: name = '', trials }: Result) => ({
    name,
    variants: trials.slice(0, 1).map(({ variant }) => variant),
  });
  const part = (result: Result, from: number): Result => ({
    ...result,
    trials: result.trials.slice(from, from + pairs),
  });
  return Array.from({ length: Math.floor(baseline.trials.length / pairs) }, (_, i) =>
    compareSides(
      [arm(baseline), arm(candidate)],
      part(baseline, i * pairs),
      part(candidate, i * pairs),
      ruleOf(),
    ),
  );
}

export function metricIn({ variants }: Comparison, name: string): JudgedMetric | undefined {
  return variants[0]?.metrics.find(({ metric }) => metric === name);
}

export function verdictText({ variants, verdict }: Comparison): string {
  return `${verdict} (${variants[0]!.counted} of ${variants[0]!.given} pairs)`;
}

/** `1.103 [1.062, 1.151], p 0.0005` */
export function ratioText(metric: JudgedMetric | undefined): string {
  if (metric?.kind !== 'ratio') return 'no figure';
  return (
    `${metric.ratio.toFixed(3)} [${metric.low?.toFixed(3) ?? '?'}, ${metric.high?.toFixed(3) ?? '?'}], p ` +
    `${metric.p.toPrecision(2)}`
  );
}
