// The gate on live trials: a thing against itself, and against itself made worse by a known amount.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Comparison, JudgedMetric } from '../../core/comparison.ts';
import { parseInjection } from '../../core/injection.ts';
import { gatesOfSource } from '../../core/gate.ts';
import { judge, ruleOf } from '../../core/judge.ts';
import { patterns } from '../../core/patterns.ts';
import { random } from '../../core/random.ts';
import { runSetOf } from '../../core/run-set.ts';
import type { Result } from '../../core/result.ts';
import { parseScenario } from '../../core/scenario-file.ts';
import { binomialInterval } from '../../core/statistics/binomial.ts';
import { swapLabels } from '../../core/statistics/label-swap.ts';
import { formatNumber, formatShare, formatUs } from '../../core/units.ts';
import { runAb } from '../../harness/ab.ts';
import { processes, type Fleet } from '../../harness/fleet.ts';
import { prepare } from '../../harness/run.ts';
import { table, type Part } from './part.ts';

const scenarioText = (measure: string) => `
question: Does the gate see what was changed, and nothing else?
subscribers: 100
topics: { news: { publish: 60/s } }
payload: 128B
phases: { connect: 300ms, warmup: 500ms, measure: ${measure}, drain: 1s }
variants: [sse]
`;

export type Arms = { baseline: Result; candidate: Result; comparison: Comparison };

/** One comparison of the reference server in two fleets. */
export async function compared(pairs: number, seed: number, measure: string, candidate: Fleet): Promise<Arms> {
  const { scenario, source } = parseScenario(scenarioText(measure), { file: 'validation', registry: patterns, overrides: [`seed=${seed}`] });
  const silent = { trialStarted() {}, progress() {}, trialEnded: () => void process.stdout.write('.') };
  const options = { registry: patterns, folder: '.', source, command: 'npm run validate', observer: silent, signal: new AbortController().signal, pairs, extend: false, strict: false, note() {} };
  const plan = prepare(scenario, options);
  const outcome = await runAb(plan, [
    { name: 'as it is', variants: scenario.variants, fleet: processes },
    { name: 'changed', variants: scenario.variants, fleet: candidate },
  ], options);
  process.stdout.write('\n');
  if (!outcome.comparison) throw new Error('interrupted');
  await sleep(500);
  return { ...outcome, comparison: outcome.comparison };
}

const metricOf = ({ variants }: Comparison, name: string): JudgedMetric | undefined => variants[0]?.metrics.find(({ metric }) => metric === name);

const verdictOf = ({ variants, verdict }: Comparison) => `${verdict} (${variants[0]!.counted} of ${variants[0]!.given} pairs)`;

type Injected = {
  setting: string;
  /** The metric that must move, and by how much. */
  metric: string;
  expected: number;
  /** What it may be off by, timers and rounding included. */
  tolerance: number;
  format(value: number): string;
  why: string;
};

const deliveries = (measureS: number) => 100 * 60 * measureS;

const injected = (measureS: number): Injected[] => [
  { setting: 'delay=5ms', metric: 'latency.p50', expected: 5000, tolerance: 1500, format: formatUs, why: "a timer of the server's fires up to 1 ms late" },
  { setting: 'cpu=50us/msg', metric: 'server-cpu-per-delivery', expected: 50, tolerance: 20, format: formatUs, why: 'the loop overshoots a little, and a busier server batches less or more' },
  { setting: 'descriptors=1/connection', metric: 'descriptors-per-subscriber', expected: 1, tolerance: 0, format: formatNumber, why: 'a count' },
  { setting: 'loss=1%', metric: 'missed', expected: 0.01 * deliveries(measureS), tolerance: 0.004 * deliveries(measureS), format: formatNumber, why: 'drawn at random' },
  { setting: 'duplicates=1%', metric: 'duplicated', expected: 0.01 * deliveries(measureS), tolerance: 0.004 * deliveries(measureS), format: formatNumber, why: 'drawn at random' },
];

export const injections: Part = {
  title: 'Known changes, live: the right metric moves by the right amount',
  async run(quick) {
    const measureS = quick ? 1 : 2;
    const rows: string[][] = [];
    let [caught, right] = [0, 0];
    const all = injected(measureS);
    for (const [i, { setting, metric, expected, tolerance, format, why }] of all.entries()) {
      const { comparison } = await compared(quick ? 10 : 12, 100 + i, `${measureS}s`, { ...processes, injection: parseInjection(setting) });
      const moved = metricOf(comparison, metric);
      const figures = moved && moved.kind !== 'absent' ? moved : undefined;
      const change = figures ? figures.candidate - figures.baseline : Number.NaN;
      const isRight = Math.abs(change - expected) <= tolerance + 1e-9;
      if (figures?.verdict === 'slower') caught++;
      if (isRight) right++;
      const others = comparison.variants[0]!.metrics.filter((one) => one.verdict === 'slower' && one.metric !== metric).map((one) => one.metric);
      rows.push([
        `\`${setting}\``, metric, figures ? format(figures.baseline) : '', figures ? format(figures.candidate) : '', `${format(change)}`,
        `${format(expected)} ± ${format(tolerance)} (${why})`, isRight ? 'yes' : '**no**', others.join(', ') || 'none', verdictOf(comparison),
      ]);
    }
    return {
      claims: [
        { text: `${caught} of ${all.length} injected changes are called slower by the metric that they are in (at least 90 %)`, held: caught >= 0.9 * all.length },
        { text: `${right} of ${all.length} metrics moved by the injected amount, in their own unit`, held: right === all.length },
      ],
      markdown: `The reference SSE server against itself with \`--inject\`; 100 subscribers, 60 events/s, ${measureS} s a trial.\n\n${table(['injected', 'metric', 'as it is', 'changed', 'moved by', 'injected amount', 'right', 'what else is called slower', 'verdict'], rows)}`,
    };
  },
};

/** Signs drawn for each stored series. */
const swaps = 1000;

export const liveAa: Part = {
  title: 'A thing against itself, live, and its labels swapped',
  async run(quick) {
    const comparisons = quick ? 1 : 4;
    const stored: Arms[] = [];
    for (let i = 0; i < comparisons; i++) stored.push(await compared(quick ? 10 : 12, 200 + i, quick ? '1s' : '2s', processes));
    const alarms = stored.filter(({ comparison }) => comparison.verdict === 'slower').length;
    const [low, high] = binomialInterval(alarms, comparisons, 0.95);
    const rows = stored.map(({ comparison }, i) => [
      String(i + 1), verdictOf(comparison),
      ...['latency.p50', 'latency.p90', 'latency.p99', 'server-cpu-per-delivery'].map((name) => {
        const metric = metricOf(comparison, name);
        return metric?.kind !== 'ratio' ? 'no figure' : `${metric.ratio.toFixed(3)} [${metric.low?.toFixed(3) ?? '?'}, ${metric.high?.toFixed(3) ?? '?'}], p ${metric.p.toPrecision(2)}`;
      }),
    ]);
    const swapped = labelSwaps(stored);
    return {
      claims: [
        { text: `${alarms} of ${comparisons} comparisons of the server with itself raised an alarm (exact 95 % interval of the rate: ${formatShare(low)} to ${formatShare(high)}; at most 5 % is wanted)`, held: alarms === 0 },
        ...(swapped.total === 0 ? [] : [
          { text: `of ${formatNumber(swapped.total)} random swaps of the two labels within stored pairs, ${formatShare(swapped.rejected / swapped.total)} had a p below 0.05 for latency.p50 (the test's own size is at most 5 %), and the full rule called ${formatShare(swapped.alarms / swapped.total)} slower`, held: swapped.rejected / swapped.total <= 0.06 && swapped.alarms / swapped.total <= 0.05 },
        ]),
      ],
      markdown: `${table(['comparison', 'verdict', 'p50 ratio', 'p90 ratio', 'p99 ratio', 'server CPU ratio'], rows)}\n\nFew comparisons bound the rate of false alarms only loosely; the synthetic experiments bound it tightly, the swaps take the noise of this machine.`,
    };
  },
};

/** The pairs as they were measured, each with its labels swapped or not: by construction there is no difference. */
function labelSwaps(stored: readonly Arms[]): { total: number; rejected: number; alarms: number } {
  const next = random(7, 'label swaps');
  let [total, rejected, alarms] = [0, 0, 0];
  for (const { baseline, candidate, comparison } of stored) {
    const [a, b] = [runSetOf('a', [baseline]).variants[0]!.runs, runSetOf('b', [candidate]).variants[0]!.runs];
    const gates = gatesOfSource(baseline.scenario.source);
    const counted = a.flatMap((run, i) => (run.valid && b[i]!.valid ? [{ baseline: run, candidate: b[i]! }] : []));
    const measured = metricOf(comparison, 'latency.p50');
    if (counted.length < 6 || measured?.kind !== 'ratio') continue; // fewer cannot reach 0.05
    rejected += swapLabels(measured.ratios.map(Math.log), { swaps, seed: 7 }).below5 * swaps;
    for (let i = 0; i < swaps; i++) {
      const pairs = counted.map((pair) => (next() < 0.5 ? pair : { baseline: pair.candidate, candidate: pair.baseline }));
      const { verdict } = judge([{ baseline: 'a', candidate: 'b', paired: true, pairs }], gates, ruleOf());
      total++;
      if (verdict === 'slower') alarms++;
    }
  }
  return { total, rejected, alarms };
}
