// Connects 10,000 subscribers with one load process and one server process, 2 events a second to all.
// Everything must connect, nothing be missed, one descriptor each; it also tells what an idle subscriber
// costs in memory on either side.

import { patterns } from '../core/pattern/registry.ts';
import { metrics } from '../core/metrics/registry.ts';
import { parseScenario } from '../core/scenario/scenario-file.ts';
import { formatBytes, formatNumber, formatUs } from '../core/base/units.ts';
import { prepare, run } from '../harness/run/run.ts';
import { quietRun } from './run-options.ts';

const yaml = `
question: Do 10,000 subscribers fit on one load process and one server process?
subscribers: 10000
loadProcesses: 1
topics: { news: { publish: 2/s } }
payload: 128B
phases: { connect: 8s, warmup: 2s, measure: 10s, drain: 10s }
variants: [sse, websocket, long-polling, http-stream]
`;

/** What the server may need for an idle subscriber, where a bound is stated. */
const serverBounds: Readonly<Record<string, string>> = { websocket: ' (bound: 14 KB)' };

export async function main(): Promise<void> {
  const { scenario, source } = parseScenario(yaml, {
    file: 'ten-thousand',
    registry: patterns,
    overrides: [],
  });
  const options = quietRun(source, 'npm run bench -- ten-thousand');
  const { trials } = await run(prepare(scenario, options), options);
  for (const { variant, outcome, warnings } of trials) {
    if (outcome.status === 'failed') {
      console.log(`${variant.label}: failed: ${outcome.message}`);
      continue;
    }
    const read = (name: string) => metrics[name]!.read(outcome) ?? Number.NaN;
    const { ledger, descriptors, subscribers, connectUs = Number.NaN } = outcome;
    console.log(
      `${variant.label}: ${formatNumber(subscribers)} connected in ${formatUs(connectUs)}; ` +
        `${formatNumber(ledger.delivered)} of ${formatNumber(ledger.expected)} delivered, ` +
        `${formatNumber(ledger.missed)} missed; descriptors: ` +
        (descriptors
          ? `${formatNumber(descriptors.connected)}, idle ${formatNumber(descriptors.baseline)}`
          : 'not measured') +
        `; idle subscriber: ${formatBytes(read('client-memory-per-subscriber'))} on the load side (bound: ` +
        `8 KB), ${formatBytes(read('server-memory-per-subscriber'))} on the server` +
        (serverBounds[variant.pattern] ?? '') +
        `; p50 ${formatUs(read('latency.p50'))}, p99 ${formatUs(read('latency.p99'))}`,
    );
    for (const { level, code, message } of warnings) console.log(`  ${level}: ${code}: ${message}`);
  }
}
