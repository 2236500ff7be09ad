// Compares the reported percentiles with the truth: a server that delays every delivery by a known
// distribution. Then it freezes the publisher or the server for a second, which must show in full in the
// tail.

import { metrics } from '../core/metrics/registry.ts';
import { quantileUs } from '../core/result/histogram.ts';
import { histogramOf } from '../core/result/load-histogram.ts';
import { patterns } from '../core/pattern/registry.ts';
import type { Completed } from '../core/result/result.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import type { ServerCommand, ServerReport } from '../core/protocol/control.ts';
import { formatUs } from '../core/base/units.ts';
import { processes, type Fleet } from '../harness/trial/fleet.ts';
import { forkPeer } from '../harness/process/peer.ts';
import { prepare, run } from '../harness/run/run.ts';
import { trueQuantileUs } from './delays.ts';
import { quietRun } from './run-options.ts';

const known = (measure: string) => `
question: Are the reported percentiles the server's?
subscribers: 50
topics: { news: { publish: 20/s } }
payload: 128B
phases: { connect: 1s, warmup: 2s, measure: ${measure}, drain: 5s }
variants: [sse]
`;
const frozen = (who: string) => `
question: Does a second's standstill show in full?
subscribers: 20
topics: { news: { publish: 100/s } }
payload: 128B
phases: { connect: 1s, warmup: 1s, measure: 10s, drain: 5s }
variants: [sse]
faults: [{ at: 5s, freeze: ${who}, for: 1s }]
`;

export type Accuracy = { quantile: number; truthUs: number; reportedUs: number; within: boolean };

/**
 * The percentiles of deliveries delayed by the known distribution, beside the true ones;
 * within 1 ms or 2 % is right.
 */
export async function knownDelays(measure = '20s'): Promise<Accuracy[]> {
  const server: Fleet['server'] = () =>
    forkPeer<ServerCommand, ServerReport>('delayed server', new URL('delayed-server.ts', import.meta.url));
  const { trial, invalid } = await one(known(measure), { ...processes, server });
  if (invalid.length > 0) throw new Error(`the trial does not count: ${invalid.join('; ')}`);
  return [0.5, 0.9, 0.99].map((quantile) => {
    const truthUs = trueQuantileUs(quantile);
    const reportedUs = quantileUs(histogramOf(trial.latency.endToEnd), quantile)!;
    return {
      quantile,
      truthUs,
      reportedUs,
      within: Math.abs(reportedUs - truthUs) <= Math.max(1000, truthUs * 0.02),
    };
  });
}

export async function main(): Promise<void> {
  for (const { quantile, truthUs: truth, reportedUs: reported, within } of await knownDelays()) {
    const error = reported - truth;
    console.log(
      `p${quantile * 100}: reported ${formatUs(reported)}, true ${formatUs(truth)}: off by ` +
        `${formatUs(error)}, ${within ? 'within' : 'OUTSIDE'} 1 ms or 2 %`,
    );
  }
  for (const who of ['publisher', 'server']) {
    const { trial: stood } = await one(frozen(who), processes);
    const max = metrics['latency.max']!.read(stood)!;
    const latency = histogramOf(stood.latency.endToEnd);
    // Events planned during the standstill wait for its rest: 1 s for the first, nothing for the last.
    const late = [0.25, 0.5, 0.75].map((s) => {
      let above = 0;
      for (let q = 0; q < 1000; q++) if (quantileUs(latency, (q + 0.5) / 1000)! > s * 1e6) above++;
      return (
        `${(above / 10).toFixed(1)} % above ${s} s (a tenth of the events waits, so ` +
        `${((1 - s) * 10).toFixed(1)} % should)`
      );
    });
    console.log(
      `${who} frozen for 1 s of 10 s: largest latency ${formatUs(max)} (1 s is true), ${late.join(', ')}`,
    );
  }
}

/** The trial, and why it does not count. */
async function one(yaml: string, fleet: Fleet): Promise<{ trial: Completed; invalid: string[] }> {
  const { scenario, source } = parseScenario(yaml, { file: 'accuracy', registry: patterns, overrides: [] });
  const options = { ...quietRun(source, 'npm run bench -- accuracy'), fleet };
  const { trials } = await run(prepare(scenario, options), options);
  const { outcome, warnings } = trials[0]!;
  if (outcome.status === 'failed') throw new Error(outcome.message);
  return {
    trial: outcome,
    invalid: warnings.flatMap(({ level, code, message }) =>
      level === 'invalid' ? [`${code}: ${message}`] : [],
    ),
  };
}
